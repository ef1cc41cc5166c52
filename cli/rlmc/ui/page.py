"""What the commands that show the ledger print: a heading, lines that are made already, sentences below.

Rule: to stdout, and fitted to it. Nothing here knows what is shown. Data is never fitted: what the encoding lacks is
escaped.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable, Sequence

from rlmc.ui.console import out, paint
from rlmc.ui.prose import paragraph


def show(lines: Iterable[str]) -> None:
    for line in lines:
        out(line)


def show_heading(text: str, below: str | None = None) -> None:
    """`below` says more about what is shown, on a line of its own."""
    show(paint(line, "bold") for line in paragraph(text, sys.stdout))
    if below:
        show(paragraph(below, sys.stdout))


def show_notes(notes: Iterable[str]) -> None:
    for note in notes:
        show(paragraph(note, sys.stdout))


def show_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.getvalue().encode(encoding, "backslashreplace").decode(encoding))
