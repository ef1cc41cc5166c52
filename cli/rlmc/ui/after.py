"""What became of answers after the fact, as a table by outcome."""

from __future__ import annotations

from typing import TextIO

from rlmc.ledger.regrets import Afterwards
from rlmc.ui.console import encodable, page_width, paint
from rlmc.ui.listing import Cell, Column, Toned, lines
from rlmc.ui.palette import of_outcome
from rlmc.ui.prose import PIPE, wrapped
from rlmc.views.after import KINDS, steps
from rlmc.views.figures import percent

_COLUMNS = (
    Column("outcome"),
    Column("turns", right=True),
    Column("any sign", right=True),
    Column("share", right=True),
    *(Column(kind.value.replace("-", " "), right=True) for kind in KINDS),
)


def after_lines(found: Afterwards, out: TextIO) -> list[str]:
    width = page_width(out) or PIPE
    rows: list[list[Cell]] = [
        [
            Toned(outcome, of_outcome(outcome)),
            f"{after.turns:,}",
            f"{after.regretted:,}",
            percent(after.regretted / after.turns),
            *(f"{after.kinds[kind.value]:,}" for kind in KINDS),
        ]
        for outcome, after in found.outcomes.items()
        if after.turns
    ]
    if not rows:
        return []
    said = steps(found)
    below = [] if said is None else ["", *wrapped(encodable(said, out), width)]
    return [paint("After the fact", "bold", out), *lines(_COLUMNS, rows, out, width), *below]
