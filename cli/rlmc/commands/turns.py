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
    session: which.Session = None,
    last: Annotated[bool, typer.Option("--last", help="The session that began last; so also without SESSION.")] = False,
    limit: which.Limit = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
) -> None:
    """List a session's turns: who answered, why, at what cost."""
    which.only_one({"SESSION": session is not None, "--last": last})
    which.only_one({"--json": json, "--csv": as_csv})
    from rlmc.config.paths import ledger_file

    reader = LedgerReader.open(ledger_file())
    try:
        notes: list[str] = []
        row = which.session(reader, session, notes)
        found = [] if row is None else list(reader.session_turns(row.id))
        shown = found[-limit:] if limit else found  # all by default: the newest stand at the prompt
        if json:
            _print_json(row, shown, len(found), notes)
        elif as_csv:
            _print_csv(shown)
        else:
            _print_text(reader, row, shown, len(found), notes)
    finally:
        reader.close()


def _print_json(row: SessionRow | None, shown: list[TurnRow], there_are: int, notes: list[str]) -> None:
    from rlmc.ui.result import envelope
    from rlmc.views.history_data import turn_data

    data = {
        "session": None if row is None else row.id,
        "turns": [turn_data(turn) for turn in shown],
        "left_out": there_are - len(shown),
        "notes": notes,
    }
    typer.echo(envelope(SCHEMA, data))


def _print_csv(shown: list[TurnRow]) -> None:
    from rlmc.ui.page import show_csv
    from rlmc.views.history_data import TURN_COLUMNS, turn_row

    show_csv(TURN_COLUMNS, (turn_row(turn) for turn in shown))


def _print_text(
    reader: LedgerReader, row: SessionRow | None, shown: list[TurnRow], there_are: int, notes: list[str]
) -> None:
    from rlmc.ui.history import LEAST_ID, turn_lines
    from rlmc.ui.page import show, show_heading, show_notes

    if row is None:
        show_notes([which.NO_TURNS_EVER])
        return
    show_heading(f"rlmc turns: {which.session_name(row)}", which.session_place(row))
    if not shown:
        from rlmc.commands.nothing import NO_TURNS

        show_notes([NO_TURNS])
        return
    id_length = reader.shortest("turn", [turn.id for turn in shown])
    show(["", *turn_lines(shown, max(LEAST_ID, id_length), sys.stdout), ""])
    if there_are > len(shown):
        notes = [f"The last {len(shown):,} of {there_are:,}; without --limit, all of them.", *notes]
    if any(turn.baseline_estimated for turn in shown):
        notes = [*notes, "~ is an estimate: what the verify model alone would have cost."]
    saving = "A saving belongs to a whole session: what a skipped turn saves, the next direct one pays in part."
    show_notes([*notes, saving, "`rlmc explain ID` says why a turn went as it did."])
