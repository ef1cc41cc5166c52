"""`rlmc replay --session`: decide a session again from its ledger, and say whether it comes to the same."""

from __future__ import annotations

import typer

from rlmc.commands import which
from rlmc.ledger.queries import LedgerReader
from rlmc.views.figures import amount, count

SCHEMA = "rlmc.replay-session/1"
_SHOWN = 20


def run_own_session(session: str, json: bool) -> None:
    """Exit code 1 when anything differs."""
    from rlmc.config.paths import ledger_file
    from rlmc.ledger.decisions import kept_turns
    from rlmc.replay.own_session import compare
    from rlmc.upstream.prices import load_prices

    reader = LedgerReader.open(ledger_file())
    try:
        notes: list[str] = []
        row = which.named_session(reader, session, notes)
        turns = kept_turns(reader, row.id)
    finally:
        reader.close()
    result = compare(turns, load_prices())
    if json:
        from rlmc.ui.result import envelope

        differences = [
            {"turn": turn, "what": what, "ledger": then, "replay": now} for turn, what, then, now in result.differences
        ]
        data = {
            "session": row.id,
            "turns": result.turns,
            "decided": result.decided,
            "calls": result.calls,
            "paid_picodollars": result.paid.exact,
            "baseline_picodollars": result.baseline.exact,
            "other_prices": result.other_prices,
            "other_policy": result.other_policy,
            "differences": differences,
        }
        typer.echo(envelope(SCHEMA, data))
    else:
        typer.echo(f"rlmc replay: session {row.id}, decided again from the ledger")
        for note in notes:
            typer.echo(note)
        typer.echo(f"{count(result.turns, 'turn')}, {result.decided:,} decided again, {count(result.calls, 'call')}")
        typer.echo(f"paid {amount(result.paid)}, baseline {amount(result.baseline)}")
        if result.other_prices:
            typer.echo(f"{count(result.other_prices, 'turn was', 'turns were')} booked at other prices than today's.")
        if result.other_policy:
            typer.echo(
                f"{count(result.other_policy, 'turn was', 'turns were')} decided by an older version of a policy."
            )
        if not result.differences:
            typer.echo("Same calls, outcomes, reasons and costs, to the picodollar.")
        for turn, what, then, now in result.differences[:_SHOWN]:
            typer.echo(f"turn {turn}: {what}: {then} in the ledger, {now} now")
        if len(result.differences) > _SHOWN:
            typer.echo(f"… and {len(result.differences) - _SHOWN:,} more differences")
    if result.differences:
        raise typer.Exit(1)
