"""The table's place in a page: between two comments, written by the command alone."""

from __future__ import annotations

from pathlib import Path

BEGIN = "<!-- written by `python -m tests.bench --write` -->"
END = "<!-- end of what is written -->"


def replaced(page: str, block: str) -> str | None:
    """The page with another block; None where it has no place for one."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    return f"{before}{begin}\n\n{block}\n\n{end}{after}" if begin and end else None


def write(path: Path, block: str) -> None:
    """Raises ValueError where the page has no place for it."""
    page = replaced(path.read_text(), block)
    if page is None:
        raise ValueError(f"{path} has no lines {BEGIN} and {END}")
    path.write_text(page)
