"""Rules on arguments: only listed options, and nothing that could turn out to be another one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlmc.cascade.effects.rules import Rule, after_options, fits, rule
from rlmc.cascade.effects.words import UNKNOWN, Word

SOME = rule("-a -b -n: -M? -# --all --name: --watch=false", values={"--kind": "x|y"})


def line(*texts: str) -> list[Word]:
    return [Word(text) for text in texts]


@pytest.mark.parametrize(
    "texts",
    [
        (),
        ("x", "y"),
        ("-a", "-b"),
        ("-ab",),
        ("-n", "5"),
        ("-n5",),
        ("-an5",),
        ("-an", "5"),
        ("-n", "-5"),
        ("-M",),
        ("-M90%",),
        ("-12",),
        ("--all", "--name", "x"),
        ("--name=x", "--all=always"),
        ("--watch=false",),
        ("--", "-z"),
        ("-",),
        ("x", "-a"),
        ("--name",),
    ],
)
def test_listed_options_fit(texts: tuple[str, ...]) -> None:
    assert fits(SOME, line(*texts))


@pytest.mark.parametrize(
    "texts",
    [
        *[("-z",), ("-az",), ("--al",), ("--other",), ("--other=x",), ("--watch",), ("--watch=true",), ("--watch=",)],
        *[("-n", "-z"), ("--name", "--other"), ("-M-z",), ("x", "-z"), ("-a=1",), ("-1a",)],
    ],
)
def test_others_do_not(texts: tuple[str, ...]) -> None:
    assert not fits(SOME, line(*texts))


@pytest.mark.parametrize(
    ("word", "fine"),
    [
        (Word(UNKNOWN), False),
        (Word(f"-{UNKNOWN}"), False),
        (Word(f"a{UNKNOWN}"), True),
        (Word(f"a{UNKNOWN}", loose=True), False),
        (Word("*.py", glob=True), False),
        (Word("a*.py", glob=True), True),
        (Word("-a*", glob=True), False),
        (Word(f"--name={UNKNOWN}"), True),
        (Word(f"--na{UNKNOWN}=x"), False),
        (Word(f"--name={UNKNOWN}", loose=True), False),
    ],
)
def test_a_word_that_may_be_an_option_is_an_unknown_one(word: Word, fine: bool) -> None:
    assert fits(SOME, [word]) is fine
    assert fits(SOME, [Word("--"), word])


def test_a_value_must_be_one_word() -> None:
    assert fits(SOME, [Word("-n"), Word(f"x{UNKNOWN}")])
    assert not fits(SOME, [Word("-n"), Word("x", loose=True)])
    assert not fits(SOME, [Word("-n"), Word("x*", glob=True)])


def test_operands_are_counted_and_looked_at() -> None:
    one = rule(least=1, most=1, operands="x|y")
    assert fits(one, line("x"))
    for texts in ((), ("x", "y"), ("z",)):
        assert not fits(one, line(*texts))
    for word in (Word("x", glob=True), Word("x", loose=True), Word(f"x{UNKNOWN}")):
        assert not fits(one, [word])
    assert not fits(rule(most=1), [Word("a*", glob=True)])


def test_an_option_that_must_be_there() -> None:
    check = rule("-c --check -q", needs="-c --check")
    assert fits(check, line("-qc", "x"))
    assert not fits(check, line("-q", "x"))
    assert not fits(check, line("--", "-c"))


def test_some_programs_take_options_only_before_operands() -> None:
    ordered = rule("-c", ordered=True)
    assert fits(ordered, line("-c", "--", "x"))
    for texts in (("x", "-c"), ("x", "--"), ("x", "--", "y")):
        assert not fits(ordered, line(*texts))


def test_values_are_looked_at_where_a_rule_says_so() -> None:
    kinds = rule("-k: --kind:", values={"-k": "x|y", "--kind": "x|y"})
    for texts in (("-k", "x"), ("-kx",), ("--kind", "y"), ("--kind=y",)):
        assert fits(kinds, line(*texts))
    for texts in (("-k", "z"), ("-kz",), ("--kind", "z"), ("--kind=z",)):
        assert not fits(kinds, line(*texts))
    assert not fits(kinds, [Word("--kind"), Word(f"x{UNKNOWN}")])


def test_without_clusters_an_option_is_a_whole_word() -> None:
    whole = rule("-name: -d -p:", clusters=False)
    assert fits(whole, line("-name", "x", "-d"))
    for texts in (("-delete",), ("-pkg",), ("-nd",)):
        assert not fits(whole, line(*texts))


def test_what_follows_the_dashes_may_have_a_rule_of_its_own() -> None:
    two = rule("-q", rest=rule("--exact", needs="--exact"))
    assert fits(two, line("-q", "x", "--", "--exact"))
    assert not fits(two, line("-q"))
    assert not fits(two, line("-q", "--", "--other"))


def test_leading_options() -> None:
    assert after_options(SOME, line("-a", "-n", "5", "x", "-z")) == line("x", "-z")
    assert after_options(SOME, line("-z", "x")) is None
    assert after_options(SOME, []) == []


@given(
    st.lists(st.text(alphabet="-abnM5=x", max_size=5), max_size=6),
    st.sampled_from([SOME, rule("-a -n:", clusters=False), rule("-a", ordered=True)]),
)
def test_no_letter_that_is_not_listed_gets_through_as_an_option(texts: list[str], one: Rule) -> None:
    assert not fits(one, line(*texts, "--zap")) or "--" in texts
    assert not fits(one, line("--zap", *texts))
