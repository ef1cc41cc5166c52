"""Lists of things, one a line, in aligned columns.

Rule: a figure is never shortened. Where a terminal is too narrow, names give way, the widest first; a pipe gets whole
lines with every column.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TextIO

from rlmc.domain.frozen import dataclass
from rlmc.ui.console import WIDEST, encodable, is_terminal, paint, width
from rlmc.ui.palette import Meaning, tint
from rlmc.views.figures import cells, label

_GAP = 2


@dataclass(frozen=True, slots=True)
class Column:
    """`least` is what the column may be shortened to; None: not at all. Of what is too long the end is kept, or the
    `start`. `room` is how wide a terminal has to be for the column to be shown."""

    name: str
    right: bool = False
    least: int | None = None
    room: int = 0
    start: bool = False


class Toned(NamedTuple):
    """A cell with a meaning that has a colour."""

    text: str
    meaning: Meaning | None


Cell = str | Toned


def lines(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], out: TextIO, room: int | None = None) -> list[str]:
    """A heading and a line for each row. `room` is how wide they may be; by default what the terminal has, and in a
    pipe as wide as it takes."""
    if room is None and is_terminal(out):
        room = min(width(), WIDEST)
    kept = [at for at, column in enumerate(columns) if room is None or column.room <= room]
    columns = [columns[at] for at in kept]
    table = [[Toned(column.name, None) for column in columns], *([_cell(row[at], out) for at in kept] for row in rows)]
    widths = [max(cells(row[at].text) for row in table) for at in range(len(columns))]
    if room is not None:
        widths = _fitted(columns, widths, room)
    head, *rest = (_line(columns, row, widths, out) for row in table)
    return [paint(head, "bold", out), *rest]


def _cell(cell: Cell, out: TextIO) -> Toned:
    text, meaning = cell if isinstance(cell, Toned) else (cell, None)
    return Toned(encodable(label(text), out), meaning)


def _fitted(columns: Sequence[Column], widths: list[int], room: int) -> list[int]:
    widths = list(widths)
    over = sum(widths) + _GAP * (len(widths) - 1) - room
    for _ in range(over):
        spare = [at for at, column in enumerate(columns) if column.least is not None and widths[at] > column.least]
        if not spare:
            break
        widths[max(spare, key=widths.__getitem__)] -= 1
    return widths


def _line(columns: Sequence[Column], row: Sequence[Toned], widths: Sequence[int], out: TextIO) -> str:
    found = ""
    for at, (column, cell, size) in enumerate(zip(columns, row, widths, strict=True)):
        text = encodable(label(cell.text, size, start=column.start), out) if column.least is not None else cell.text
        blank = " " * (size - cells(text))
        shown = tint(text, cell.meaning, out)
        found += (" " * _GAP if at else "") + (blank + shown if column.right else shown + blank)
    return found.rstrip()
