"""Lists: aligned, fitted to a terminal without touching a figure, whole in a pipe."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlmc.ui import listing
from rlmc.ui.listing import Column, lines

COLUMNS = (Column("name", least=4), Column("place", least=3), Column("paid", right=True))
ROWS = [["a-long-name", "/home/ada/project", "$1.20"], ["b", "", "$1,000.00"]]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def at_width(monkeypatch: pytest.MonkeyPatch, columns: int) -> list[str]:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(listing, "width", lambda: columns)
    return lines(COLUMNS, ROWS, Terminal())


def test_a_pipe_gets_whole_lines_in_columns() -> None:
    assert lines(COLUMNS, ROWS, io.StringIO()) == [
        "name         place                   paid",
        "a-long-name  /home/ada/project      $1.20",
        "b            -                  $1,000.00",
    ]


@pytest.mark.parametrize("columns", range(20, 60))
def test_a_terminal_is_not_exceeded_and_figures_stay_whole(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    head, first, second = at_width(monkeypatch, columns)
    assert max(map(len, (head, first, second))) <= columns
    assert first.endswith(" $1.20")
    assert second.endswith(" $1,000.00")


def test_a_terminal_too_narrow_for_anything_still_gets_the_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    head, first, second = at_width(monkeypatch, 5)
    assert first.split() == ["…ame", "…ct", "$1.20"]
    assert second.split() == ["b", "-", "$1,000.00"]
    assert head.split()[0] == "name"


def test_nothing_from_outside_moves_the_cursor() -> None:
    text = "\n".join(lines(COLUMNS, [["\x1b[2J", "a\nb", "$0.00"]], io.StringIO()))
    assert "\x1b" not in text
    assert text.count("\n") == 1


@given(st.lists(st.tuples(st.text(max_size=30), st.text(max_size=30), st.integers(0, 10**9)), max_size=8))
def test_every_row_is_one_line(rows: list[tuple[str, str, int]]) -> None:
    shown = lines(COLUMNS, [[name, place, str(figure)] for name, place, figure in rows], io.StringIO())
    assert len(shown) == len(rows) + 1
    assert all(line.split()[-1] == str(figure) for line, (_, _, figure) in zip(shown[1:], rows, strict=True))
