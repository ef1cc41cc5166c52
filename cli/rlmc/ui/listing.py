"""Lists of things, one a line, in aligned columns.

Rule: a figure is never shortened. Where a terminal is too narrow, names give way, the widest first; a pipe gets whole
lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TextIO

from rlmc.ui.console import is_terminal, paint, width
from rlmc.views.figures import label

_GAP = 2


@dataclass(frozen=True, slots=True)
class Column:
    """`least` is what the column may be shortened to; None: not at all."""

    name: str
    right: bool = False
    least: int | None = None


def lines(columns: Sequence[Column], rows: Sequence[Sequence[str]], out: TextIO) -> list[str]:
    """A heading and a line for each row."""
    cells = [[column.name for column in columns], *([label(cell) for cell in row] for row in rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(columns))]
    if is_terminal(out):
        widths = _fitted(columns, widths, width())
    head, *rest = (_line(columns, row, widths) for row in cells)
    return [paint(head, "bold", out), *rest]


def _fitted(columns: Sequence[Column], widths: list[int], room: int) -> list[int]:
    widths = list(widths)
    over = sum(widths) + _GAP * (len(widths) - 1) - room
    for _ in range(over):
        spare = [at for at, column in enumerate(columns) if column.least is not None and widths[at] > column.least]
        if not spare:
            break
        widths[max(spare, key=widths.__getitem__)] -= 1
    return widths


def _line(columns: Sequence[Column], row: Sequence[str], widths: Sequence[int]) -> str:
    cells = []
    for column, cell, size in zip(columns, row, widths, strict=True):
        short = label(cell, size) if column.least is not None else cell
        cells.append(short.rjust(size) if column.right else short.ljust(size))
    return (" " * _GAP).join(cells).rstrip()
