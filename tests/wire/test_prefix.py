from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.wire import texts

from rlmc.wire.prefix import PrefixFilter

WORD = "ACCEPT-0f"


def run(pieces: list[str], word: str = WORD) -> str:
    filter_ = PrefixFilter(word)
    return "".join([filter_.feed(piece) for piece in pieces]) + filter_.rest()


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (WORD, ""),
        (f"{WORD}\n", ""),
        (f"\n {WORD} \n\nHere is more. ", "Here is more. "),
        (f"{WORD}{WORD}", WORD),
        ("ACCEPT-", "ACCEPT-"),
        (" ACC", " ACC"),
        ("  other", "  other"),
        ("", ""),
        (f"So {WORD}", f"So {WORD}"),
    ],
)
def test_the_word_goes_and_nothing_else(text: str, left: str) -> None:
    assert run([text]) == left
    assert run(list(text)) == left


@given(st.lists(st.one_of(texts, st.sampled_from([WORD, " ", "ACC", "EPT-0f"])), max_size=6))
def test_pieces_make_no_difference(pieces: list[str]) -> None:
    assert run(pieces) == run(["".join(pieces)])


@given(texts)
def test_without_a_word_all_passes_at_once(text: str) -> None:
    assert PrefixFilter("").feed(text) == text


def test_text_is_held_only_while_it_could_be_the_word() -> None:
    filter_ = PrefixFilter(WORD)
    assert filter_.feed("ACC") == ""
    assert filter_.feed("ept") == "ACCept"
    assert filter_.feed("ed") == "ed"
