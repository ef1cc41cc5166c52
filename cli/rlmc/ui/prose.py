"""Sentences as lines of a page.

Rule: no line is wider than asked for. A word that is wider by itself, such as a long name, is cut in two.
"""

from __future__ import annotations

from typing import TextIO

from rlmc.ui.console import encodable, page_width
from rlmc.views.figures import cells

_PART = 30  # columns
PIPE = 80
"""How wide sentences are where there is no terminal to ask."""


def paragraph(text: str, out: TextIO) -> list[str]:
    return wrapped(encodable(text, out), page_width(out) or PIPE)


def wrapped(text: str, width: int, first: str = "", rest: str = "") -> list[str]:
    """`first` stands before the first line, `rest` before all others."""
    found: list[str] = []
    line, empty = first, True
    for word in _words(text):
        if not empty and cells(line) + 1 + cells(word) > width:
            found.append(line)
            line, empty = rest, True
        while empty and cells(line) + cells(word) > width:
            fits = _fitting(word, max(1, width - cells(line)))
            found.append(line + word[:fits])
            word, line = word[fits:], rest
        line += word if empty else f" {word}"
        empty = False
    return [*found, line.rstrip()]


def _words(text: str) -> list[str]:
    """What is not broken: words, a number with its percent sign, and in a list the short parts with the mark behind
    them."""
    found: list[str] = []
    for part in _parts(text):
        if part.startswith("%") and found and found[-1][-1:].isdigit():
            found[-1] += f" {part}"
        else:
            found.append(part)
    return found


def _parts(text: str) -> list[str]:
    mark = next((mark for mark in ("·", "|") if f" {mark} " in text), None)
    if mark is None:
        return text.split()
    *parts, last = text.split(f" {mark} ")
    found: list[str] = []
    for part in [*(f"{part} {mark}" for part in parts), last]:
        found += [" ".join(part.split())] if cells(part) <= _PART else part.split()
    return found


def _fitting(word: str, room: int) -> int:
    """How many characters of the word fit, one at least."""
    taken, count = 0, 0
    for char in word:
        taken += cells(char)
        if taken > room and count:
            break
        count += 1
    return count
