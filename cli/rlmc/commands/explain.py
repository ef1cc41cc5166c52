"""`rlmc explain`: why one turn went as it did, what was expected of it and what it came to.

Rule: reads the ledger and nothing else, and shows no content.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from rlmc.commands import which
from rlmc.ledger.details import TurnDetail, detail
from rlmc.ledger.queries import LedgerReader

SCHEMA = "rlmc.explain/1"


def register(app: typer.Typer) -> None:
    app.command("explain")(explain)


def explain(
    turn: Annotated[str | None, typer.Argument(metavar="TURN", help="A turn's id, or the start of it.")] = None,
    last: Annotated[bool, typer.Option("--last", help="The turn that began last; so also without TURN.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show why a turn went as it did: signals, costs, every call."""
    which.only_one({"TURN": turn is not None, "--last": last})
    from rlmc.config.paths import ledger_file

    reader = LedgerReader.open(ledger_file())
    try:
        row = which.turn(reader, turn)
        found = None if row is None else detail(reader, row)
    finally:
        reader.close()
    if json:
        _print_json(found)
    elif found is None:
        from rlmc.ui.page import show_notes

        show_notes([which.NO_TURNS_EVER])
    else:
        _print_text(found)


def _print_json(found: TurnDetail | None) -> None:
    from rlmc.ui.result import envelope
    from rlmc.views.explanation_data import explanation_data

    typer.echo(envelope(SCHEMA, {"turn": None if found is None else explanation_data(found)}))


def _print_text(found: TurnDetail) -> None:
    from rlmc.ui.explanation import explanation_lines
    from rlmc.ui.history import turn_name
    from rlmc.ui.page import show, show_heading

    show_heading(f"rlmc explain: {turn_name(found.turn)}")
    show(explanation_lines(found, sys.stdout))
