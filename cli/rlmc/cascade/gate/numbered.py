"""Numbered lines: how read tools show a file, back into its text.

Claude Code writes a number, a tab (formerly an arrow) and the line; opencode, inside tags, a number, a colon or a bar,
a blank and the line. Rule: a line counts only while the numbers go up by one; what comes after is the tool's.
qwen-code shows bare lines, and above a part of a file which lines they are.
"""

from __future__ import annotations

import re

from rlmc.domain.frozen import dataclass

_LINE = re.compile(r" *(\d{1,9})(\t|→|: |\| )(.*)", re.DOTALL)
_HEADING = re.compile(r"<(file|content)>|<(path|type)>[^<\n]*</(path|type)>")
_MOST_HEADINGS = 4
_TAGGED = frozenset({": ", "| "})
_END = "End of file"
_REMINDER = "<system-reminder>"
_CUT = re.compile(r"truncat|partial|too (?:large|long)|capped|more lines|remaining|showing", re.IGNORECASE)
_WINDOW = re.compile(r"Showing lines (\d{1,9})-(\d{1,9}) of (?:at least )?(\d{1,9}) total lines\.\n\n---\n\n")
_EMPTY = re.compile(r"\s*<system-reminder>[^<]*\bcontents are empty", re.IGNORECASE)

# More lines than this are never shown at once, so that a longer listing ended for that reason alone.
_MOST_LINES = 2000


@dataclass(frozen=True, slots=True)
class Listing:
    """Lines from number `first` on; `ended` when the file ends with them."""

    first: int
    lines: tuple[str, ...]
    ended: bool

    @property
    def last(self) -> int:
        return self.first + len(self.lines) - 1


def parse(text: str, limit: int | None) -> Listing | None:
    """What a read tool's result shows of a file; None when it shows no lines. `limit` is the most it was asked for."""
    if _EMPTY.match(text):
        return Listing(1, ("",), ended=True)
    shown = text.split("\n")
    start = 0
    while start < min(len(shown), _MOST_HEADINGS) and _HEADING.fullmatch(shown[start]):
        start += 1
    head = _LINE.match(shown[start]) if start < len(shown) else None
    if head is None:
        return None
    first, mark = int(head[1]), head[2]
    lines = [head[3]]
    for line in shown[start + 1 :]:
        match = _LINE.match(line)
        if match is None or match[2] != mark or int(match[1]) != first + len(lines):
            break
        lines.append(match[3])
    rest = "\n".join(shown[start + len(lines) :])
    return Listing(first, tuple(lines), _ended(rest, mark, len(lines), limit))


def parse_plain(text: str, *, whole: bool) -> Listing | None:
    """Lines without numbers. `whole` says that all of the file was asked for."""
    if window := _WINDOW.match(text):
        first, last, count = (int(number) for number in window.groups())
        lines = text[window.end() :].split("\n")[: last - first + 1]
        return Listing(first, tuple(lines), ended=last == count) if lines and first <= last else None
    return Listing(1, tuple(text.split("\n")), ended=True) if whole else None


def _ended(rest: str, mark: str, count: int, limit: int | None) -> bool:
    """Whether the file ends where the lines do. opencode says so; Claude Code says when it does not, and may remind the
    model of something else there."""
    if mark in _TAGGED:
        return _END in rest
    most = _MOST_LINES if limit is None else min(limit, _MOST_LINES)
    rest = rest.strip()
    return count < most and (not rest or (rest.startswith(_REMINDER) and not _CUT.search(rest)))
