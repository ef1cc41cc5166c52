"""`rlmc stats --check`: the budgets that are set and what was spent of them, for people and for scripts.

Rule: the exit code says it too. Settings are those in force in this shell, money is the ledger's; no daemon is needed.
"""

from __future__ import annotations

from datetime import datetime

import typer

from rlmc.commands import which
from rlmc.ledger.period import today
from rlmc.ledger.queries import LedgerReader, SessionRow
from rlmc.ledger.report import Amount
from rlmc.ledger.spent import spent
from rlmc.views.budgets import Budget, budgets, budgets_data

SCHEMA = "rlmc.budgets/1"
OVER = 4


def check_budgets(session: str | None, *, as_json: bool) -> None:
    """Of today, and of this session or the one that began last. Ends with exit code `OVER` if one is passed."""
    from rlmc.config.load import load
    from rlmc.config.paths import ledger_file
    from rlmc.ui.console import warning
    from rlmc.upstream.providers import names

    config = load(providers=names())
    for text in config.warnings:  # a budget whose name is misspelt would pass for none
        warning(text)
    settings = config.settings
    reader = LedgerReader.open(ledger_file())
    try:
        notes: list[str] = []
        row = which.session(reader, session, notes)
        period = today(datetime.now().astimezone())
        mine = Amount() if row is None else spent(reader, session=row.id).of(bool(row.simulated))
        found = budgets(settings, mine, spent(reader, period.since, period.until).shown)
    finally:
        reader.close()
    if as_json:
        from rlmc.ui.result import envelope

        facts = {
            "session": None if row is None else row.id,
            "budgets": budgets_data(found),
            "over": any(budget.over for budget in found),
            "notes": notes,
        }
        typer.echo(envelope(SCHEMA, facts))
    else:
        for line in _lines(found, row, notes):
            typer.echo(line)
    if any(budget.over for budget in found):
        raise typer.Exit(OVER)


def _lines(found: list[Budget], row: SessionRow | None, notes: list[str]) -> list[str]:
    import sys

    from rlmc.ui.console import columns, page_width
    from rlmc.ui.prose import wrapped
    from rlmc.views.budgets import SESSION, stands
    from rlmc.views.figures import cells

    if not found:
        return [*notes, "No budget is set. For example: rlmc config set budget.daily 20"]
    whose = "no session yet" if row is None else which.session_name(row)
    rows = [(b.state, b.setting, whose if b.setting == SESSION else "today", stands(b)) for b in found]
    lines, width = columns(rows), page_width(sys.stdout)
    if width is None or max(cells(line) for line in lines) <= width:
        return [*lines, *notes]
    # A terminal that is too narrow: whose budget it is stands below it.
    indent = " " * (max(len(state) for state, *_ in rows) + 2)
    heads = columns([(state, setting, words) for state, setting, _, words in rows])
    pairs = zip(heads, rows, strict=True)
    lines = [line for head, row in pairs for line in (head, *wrapped(row[2], width, indent, indent))]
    return [*lines, *(line for note in notes for line in wrapped(note, width))]
