"""`rlmc turns`: one session's turns, a line for each.

Rule: reads the ledger and nothing else. The ids shown are long enough for `rlmc explain`.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from rlmc.commands import which
from rlmc.ledger.queries import LedgerReader, SessionRow, TurnRow

SCHEMA = "rlmc.turns/1"


def register(app: typer.Typer) -> None:
    app.command("turns")(turns)


def turns(
    session: Annotated[str | None, typer.Argument(help="A session's id, the start of it, or its name.")] = None,
    last: Annotated[bool, typer.Option("--last", help="The session that began last; so also without SESSION.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List a session's turns: who answered each, why, and what it cost."""
    which.only_one({"SESSION": session is not None, "--last": last})
    from rlmc.config.paths import ledger_file

    reader = LedgerReader.open(ledger_file())
    try:
        notes: list[str] = []
        row = which.session(reader, session, notes)
        found = [] if row is None else list(reader.session_turns(row.id))
        id_length = reader.shortest("turn", [turn.id for turn in found])
    finally:
        reader.close()
    if json:
        _print_json(row, found, notes)
    else:
        _print_text(row, found, id_length, notes)


def _print_json(row: SessionRow | None, found: list[TurnRow], notes: list[str]) -> None:
    from rlmc.ui.result import envelope
    from rlmc.views.history_data import turn_data

    data = {
        "session": None if row is None else row.id,
        "turns": [turn_data(turn) for turn in found],
        "notes": notes,
    }
    typer.echo(envelope(SCHEMA, data))


def _print_text(row: SessionRow | None, found: list[TurnRow], id_length: int, notes: list[str]) -> None:
    from rlmc.ui.console import paint
    from rlmc.ui.history import LEAST_ID, turn_lines

    if row is None:
        typer.echo(which.NO_TURNS_EVER)
        return
    typer.echo(paint(f"rlmc turns: {which.session_name(row)}", "bold"))
    if not found:
        typer.echo("No turns in this session. `rlmc sessions --all` lists the others, `rlmc doctor` looks for causes.")
        return
    typer.echo()
    for line in turn_lines(found, max(LEAST_ID, id_length), sys.stdout):
        typer.echo(line)
    if any(turn.baseline_estimated for turn in found):
        notes = [*notes, "~ is an estimate: what the verify model alone would have cost."]
    for note in [*notes, "`rlmc explain ID` says why a turn went as it did."]:
        typer.echo(f"\n{note}")
