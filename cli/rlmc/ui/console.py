"""What commands print with: facts on stdout, everything else on stderr, colour only where a person looks.

Rule: no colour codes when the stream is no terminal or `NO_COLOR` is set; nothing heavy is imported.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Literal, TextIO

from rlmc.errors import RlmcError

Colour = Literal["red", "green", "yellow", "blue", "bold", "dim"]
_CODES: dict[Colour, str] = {"red": "31", "green": "32", "yellow": "33", "blue": "34", "bold": "1", "dim": "2"}


def out(text: str = "") -> None:
    """A line of what the command was asked for."""
    print(text, file=sys.stdout)


def err(text: str = "") -> None:
    """A line for the person only: progress, notes, the summary."""
    print(text, file=sys.stderr)


def warning(text: str) -> None:
    err(f"{paint('warning:', 'yellow', sys.stderr)} {text}")


def error(problem: RlmcError) -> None:
    err(f"{paint('error:', 'red', sys.stderr)} {problem.message}")
    if problem.hint:
        err(f"{paint('hint:', 'blue', sys.stderr)} {problem.hint}")


def fail(problem: RlmcError) -> int:
    """Say what went wrong; the exit code to end with."""
    error(problem)
    return problem.exit_code


def paint(text: str, colour: Colour, stream: TextIO | None = None) -> str:
    """`text` in `colour` if `stream` (stdout by default) shows colours."""
    if not colours(sys.stdout if stream is None else stream):
        return text
    return f"\x1b[{_CODES[colour]}m{text}\x1b[0m"


def colours(stream: TextIO) -> bool:
    return is_terminal(stream) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except ValueError:  # closed
        return False


def width() -> int:
    """The terminal's width in columns."""
    import shutil

    return shutil.get_terminal_size().columns


def columns(rows: Sequence[Sequence[str]], gap: str = "  ") -> list[str]:
    """Rows as lines with aligned columns; the last column is left as long as it is."""
    if not rows:
        return []
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return [gap.join(cell.ljust(size) for cell, size in zip(row, widths, strict=True)).rstrip() for row in rows]
