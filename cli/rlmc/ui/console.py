"""What commands print with: facts on stdout, everything else on stderr, colour only where a person looks.

Rule: no colour codes when the stream is no terminal or `NO_COLOR` is set; nothing heavy is imported. What the stream's
encoding does not have is written in what it has.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Literal, TextIO

from rlmc.errors import RlmcError

Colour = Literal["red", "green", "yellow", "blue", "bold", "dim"]
_CODES: dict[Colour, str] = {"red": "31", "green": "32", "yellow": "33", "blue": "34", "bold": "1", "dim": "2"}
WIDEST = 120  # a longer line is hard to read, however wide the terminal
_PLAIN = {"≥": ">=", "≤": "<=", "±": "+-", "·": "|", "…": "<"}


def out(text: str = "") -> None:
    """A line of what the command was asked for."""
    print(encodable(text, sys.stdout), file=sys.stdout)


def err(text: str = "") -> None:
    """A line for the person only: progress, notes, the summary."""
    print(encodable(text, sys.stderr), file=sys.stderr)


def warning(text: str) -> None:
    err(f"{paint('warning:', 'yellow', sys.stderr)} {text}")


def error(problem: RlmcError) -> None:
    from rlmc.domain.redaction import redact

    err(f"{paint('error:', 'red', sys.stderr)} {redact(problem.message)}")
    if problem.hint:
        err(f"{paint('hint:', 'blue', sys.stderr)} {redact(problem.hint)}")


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
    """`FORCE_COLOR` asks for them in a pipe too; `NO_COLOR` and a dumb terminal have the last word."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return is_terminal(stream) or os.environ.get("FORCE_COLOR", "") not in ("", "0")


def is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except ValueError:  # closed
        return False


def width() -> int:
    """The terminal's width in columns."""
    import shutil

    return shutil.get_terminal_size().columns


def page_width(out: TextIO) -> int | None:
    """How wide a line may be; None in a pipe, which takes any."""
    return min(width(), WIDEST) if is_terminal(out) else None


def encodable(text: str, stream: TextIO) -> str:
    """`text` in characters that the stream's encoding has."""
    encoding = stream.encoding or "utf-8"  # text in memory has none
    if text.isascii() or _fits(text, encoding):
        return text
    if not _fits("…", encoding):
        # After a blank it ends a list; otherwise a name was shortened there.
        text = text.replace(" …", " ...")
        text = f"{text[:-1]}>" if text.endswith("…") else text
    return "".join(char if _fits(char, encoding) else _PLAIN.get(char, "?") for char in text)


def _fits(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding, "surrogateescape")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def columns(rows: Sequence[Sequence[str]], gap: str = "  ") -> list[str]:
    """Rows as lines with aligned columns; the last column is left as long as it is."""
    if not rows:
        return []
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return [gap.join(cell.ljust(size) for cell, size in zip(row, widths, strict=True)).rstrip() for row in rows]
