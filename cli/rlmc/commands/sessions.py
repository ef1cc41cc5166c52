"""`rlmc sessions`: the sessions there were, newest first, with what each cost and saved.

Rule: reads the ledger and nothing else. A session is shown whole, also where only a part of it lies in the period.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from rlmc.commands import which
from rlmc.commands.sessions_rm import sessions_rm
from rlmc.ledger.period import Period, local
from rlmc.ledger.queries import LedgerReader
from rlmc.ledger.report import SessionAccount
from rlmc.ledger.totals import session_accounts

SCHEMA = "rlmc.sessions/1"


def register(app: typer.Typer) -> None:
    group = typer.Typer(invoke_without_command=True)
    group.callback()(sessions)
    group.command("rm")(sessions_rm)
    app.add_typer(group, name="sessions")


def sessions(
    context: typer.Context,
    today: which.Today = False,
    yesterday: which.Yesterday = False,
    week: which.Week = False,
    month: which.Month = False,
    since: which.Since = None,
    until: which.Until = None,
    all: which.All = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the sessions: when, where, how many turns, paid, saved."""
    if context.invoked_subcommand is not None:
        return
    choice = which.only_one(
        {
            "--today": today,
            "--yesterday": yesterday,
            "--week": week,
            "--month": month,
            "--since/--until": since is not None or until is not None,
            "--all": all,
        }
    )
    from rlmc.config.paths import ledger_file

    reader = LedgerReader.open(ledger_file())
    try:
        notes: list[str] = []
        period = which.period(reader, choice, since, until, notes)
        found = session_accounts(reader, period.since, period.until)
        id_length = reader.shortest("session", [one.session.id for one in found])
        elsewhere = reader.last_session() is not None
    finally:
        reader.close()
    if json:
        _print_json(found, period, notes)
    else:
        _print_text(found, period, id_length, notes, elsewhere)


def _print_json(found: list[SessionAccount], period: Period, notes: list[str]) -> None:
    from rlmc.ui.result import envelope
    from rlmc.views.history_data import session_data

    since, until = (None if at is None else local(at).isoformat() for at in (period.since, period.until))
    data = {
        "period": {"name": period.name, "since": since, "until": until},
        "sessions": [session_data(one) for one in found],
        "notes": notes,
    }
    typer.echo(envelope(SCHEMA, data))


def _print_text(found: list[SessionAccount], period: Period, id_length: int, notes: list[str], elsewhere: bool) -> None:
    from rlmc.ui.console import paint
    from rlmc.ui.history import LEAST_ID, session_lines

    typer.echo(paint(f"rlmc sessions: {period.name}", "bold"))
    if not found:
        typer.echo("No sessions here. `rlmc sessions --all` lists all there are." if elsewhere else which.NO_TURNS_EVER)
        return
    typer.echo()
    for line in session_lines(found, max(LEAST_ID, id_length), sys.stdout):
        typer.echo(line)
    for note in [*notes, "`rlmc turns ID` lists a session's turns, `rlmc stats ID` shows its account."]:
        typer.echo(f"\n{note}")
