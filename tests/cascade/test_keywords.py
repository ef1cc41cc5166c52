"""Three readings of what a user says: the published rule for a complex text, ours for a hard task, and an approval."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlmc.cascade.keywords import _COMPLEX, _FAILURE, KEYWORDS, LONG_CHARS, is_approval, is_complex, looks_hard

# Letters that an expression takes for others when case does not matter, among words with those letters in them.
odd_words = (
    *("design", "DES\u0130GN", "des\u0131gn", "\u017fecurity", "brea\u212aing", "fla\u212ay", "Regress\u0130on"),
    *("regre\u017f\u017fion", "traceback (mo\u017ft recent", "straße", "i\u0307", "é", " ", "x", "\n"),
)
odd_texts = st.lists(st.sampled_from([*KEYWORDS[:6], *odd_words]), max_size=6).map("".join)

CHATTER = "We had lunch. "


def test_the_table_is_sorted_and_says_nothing_twice() -> None:
    assert list(KEYWORDS) == sorted(set(KEYWORDS))
    assert all(word == word.lower().strip() for word in KEYWORDS)


@pytest.mark.parametrize("word", KEYWORDS)
def test_a_keyword_makes_a_text_complex_in_any_case_and_at_the_start_of_a_word(word: str) -> None:
    assert is_complex(f"Please {word} it")
    assert is_complex(word.upper())
    assert is_complex(f"({word}s)")
    assert not is_complex(f"x{word}")


@given(st.one_of(odd_texts, st.text(max_size=40)))
def test_looking_for_the_words_first_finds_what_the_expressions_find(text: str) -> None:
    assert is_complex(text) == (_COMPLEX.search(text) is not None)
    assert looks_hard(text) == (_FAILURE.search(text) is not None)


def test_a_long_text_is_complex() -> None:
    assert not is_complex("x" * (LONG_CHARS - 1))
    assert is_complex("x" * LONG_CHARS)


@pytest.mark.parametrize("innocent", ["", "What is two and two?", "Rename the file.", "a debtor", "improve it"])
def test_the_rest_is_simple(innocent: str) -> None:
    assert not is_complex(innocent)


@pytest.mark.parametrize(
    "failure",
    [
        "Traceback (most recent call last):\n  File …",
        "it ends in a segmentation fault",
        "thread 'main' panicked at src/main.rs",
        "an unhandled exception",
        "Unhandled Rejection (TypeError)",
        "a deadlock between two workers",
        "there is a race condition",
        "the test is flaky",
        "a regression since yesterday",
        "a memory leak",
        "here is the stack trace",
    ],
)
def test_a_failure_that_has_to_be_understood_is_hard(failure: str) -> None:
    assert looks_hard(failure)
    assert looks_hard(failure.upper())


@pytest.mark.parametrize(
    "easy", ["", "Implement a parser.", "Refactor the design.", "x" * 2_999, "a bug in the report"]
)
def test_a_task_is_not_hard_for_being_work(easy: str) -> None:
    assert not looks_hard(easy)


def test_a_long_task_is_not_hard_for_its_length() -> None:
    assert not looks_hard("First this, then that. " * 1_000)


@pytest.mark.parametrize(
    "yes", ["yes", "Y", "ok", "OK!", "Go ahead.", "yes, please do it", "LGTM, ship it", "commit and push", "continue…"]
)
def test_a_few_words_that_only_say_go_on_are_an_approval(yes: str) -> None:
    assert is_approval(yes)


@pytest.mark.parametrize(
    "other",
    [
        "",
        "…",
        "👍",
        "no",
        "don't",
        "yes but rename it",
        "not yet",
        "ok, but why?",
        "go go go go go go",  # too many words for a mere nod
        "ok, исправь это",
        "да",
        "yes 请重写整个模块",
    ],
)
def test_anything_with_a_word_of_its_own_is_none(other: str) -> None:
    assert not is_approval(other)


nods = st.lists(st.sampled_from(["yes", "OK", "go", "on", "please", "ship", "it"]), min_size=1, max_size=5)


@given(
    nods, st.sampled_from([" ", ", ", "! ", "… "]), st.text(st.characters(categories=["Lu", "Ll", "Lo"]), min_size=7)
)
def test_one_more_word_of_any_language_ends_an_approval(words: list[str], between: str, more: str) -> None:
    assert is_approval(between.join(words))
    if more.lower() not in ("proceed", "continue", "approved", "perfect", "correct"):
        assert not is_approval(between.join([*words, more]))


@given(st.text(max_size=200), st.sampled_from(KEYWORDS))
def test_more_words_never_make_a_text_simple(text: str, word: str) -> None:
    assert is_complex(f"{word} {text}")
    if is_complex(text):
        assert is_complex(f"{CHATTER}{text}")


PASTED = "nothing of interest here. " * 200_000


@pytest.mark.parametrize("text", ["There is a memory leak.\n" + PASTED, PASTED + "\nWhy this stack trace?"])
def test_a_failure_is_seen_before_and_behind_what_was_pasted(text: str) -> None:
    assert looks_hard(text)


def test_megabytes_of_what_was_pasted_are_not_searched() -> None:
    assert not looks_hard(PASTED + "deadlock " + PASTED)


def test_a_long_text_is_no_approval_however_few_words_it_has() -> None:
    assert is_approval("ok" + " " * 100)
    assert not is_approval("ok" + " " * 1000)
