"""A page of sections, each of named lines: as wide as the terminal up to 120 columns, 80 in a pipe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from rlmc.ui.console import encodable, page_width, paint
from rlmc.ui.listing import Cell, Toned
from rlmc.ui.palette import tint
from rlmc.ui.prose import PIPE, wrapped

_LABEL = 10  # columns, the gap included


def section(title: str, body: list[str], out: TextIO) -> list[str]:
    return ["", paint(title, "bold", out), *body]


def named_lines(rows: Sequence[tuple[str, Cell]], out: TextIO) -> list[str]:
    """Names in a column of their own, and beside it what there is to say."""
    size = max((len(name) + 2 for name, _ in rows), default=_LABEL)
    size = max(size, _LABEL)
    found = []
    for name, cell in rows:
        text, meaning = cell if isinstance(cell, Toned) else (cell, None)
        body = wrapped(encodable(text, out), room(out) - size)
        heads = [name.ljust(size), *[" " * size] * (len(body) - 1)]
        found += [head + tint(line, meaning, out) for head, line in zip(heads, body, strict=True)]
    return found


def sentence_lines(text: str, out: TextIO) -> list[str]:
    return wrapped(encodable(text, out), room(out))


def room(out: TextIO) -> int:
    return page_width(out) or PIPE
