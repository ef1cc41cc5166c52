from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rlmc.ui.prose import wrapped
from rlmc.views.figures import cells


def test_words_stay_whole_where_they_fit() -> None:
    assert wrapped("one two three", 8) == ["one two", "three"]
    assert wrapped("one two three", 9, "a: ", "   ") == ["a: one", "   two", "   three"]
    assert wrapped("", 10) == [""]


def test_the_parts_of_a_list_stay_together() -> None:
    assert wrapped("one 1 · two 2 · three 3", 12) == ["one 1 ·", "two 2 ·", "three 3"]
    long = "a part that is a sentence of its own is broken"
    assert wrapped(f"one | {long}", 30) == ["one | a part that is a", "sentence of its own is broken"]


def test_a_word_that_is_too_wide_is_cut() -> None:
    assert wrapped("abcdefgh ij", 5) == ["abcde", "fgh", "ij"]
    assert wrapped("価格表", 4) == ["価格", "表"]


@given(st.text(max_size=80), st.integers(4, 40))
def test_no_line_is_too_wide_and_no_word_is_lost(text: str, width: int) -> None:
    lines = wrapped(text, width, "- ", "  ")
    assert all(cells(line) <= width for line in lines)
    kept = "".join("".join(line.split()) for line in lines)
    assert kept == "-" + "".join(text.split())
