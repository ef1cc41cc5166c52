"""Lists: aligned, fitted to a terminal without touching a figure, whole in a pipe."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlmc.ui import listing
from rlmc.ui.listing import Column, Toned, lines
from rlmc.views.figures import cells

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


def test_a_column_may_want_room(monkeypatch: pytest.MonkeyPatch) -> None:
    columns = (Column("id"), Column("branch", room=100), Column("paid", right=True))
    monkeypatch.setenv("NO_COLOR", "1")
    for width, named in ((99, ["id", "paid"]), (100, ["id", "branch", "paid"])):
        monkeypatch.setattr(listing, "width", lambda width=width: width)
        assert lines(columns, [["a", "main", "$1.00"]], Terminal())[0].split() == named
    assert lines(columns, [["a", "main", "$1.00"]], io.StringIO())[1].split() == ["a", "main", "$1.00"]
    assert lines(columns, [["a", "main", "$1.00"]], io.StringIO(), 80)[1].split() == ["a", "$1.00"]


def test_the_start_of_a_name_may_be_what_is_kept() -> None:
    columns = (Column("name", least=4, start=True), Column("paid", right=True))
    assert lines(columns, [["a longer name", "$1.00"]], io.StringIO(), 14)[1] == "a long…  $1.00"


def test_colours_and_wide_letters_leave_columns_aligned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    rows = [[Toned("価格表", "skipped"), "x", "$1.00"], ["abc", "x", "$1.00"]]
    shown = lines(COLUMNS, rows, Terminal(), 80)
    assert "\x1b[36m価格表\x1b[0m  x" in shown[1]
    plain = [line.replace("\x1b[36m", "").replace("\x1b[0m", "") for line in shown[1:]]
    assert len({cells(line.partition("x")[0]) for line in plain}) == 1
