"""The first look: nothing that may be a command is turned away, and faults are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlmc.cascade.effects.outline import may_be_command


@pytest.mark.parametrize(
    "text",
    [
        *(
            "ls",
            "ls -la; pwd",
            "a && b || c",
            "a |\nb",
            "(a; b)",
            "{ a; }",
            "a $(b $(c)) \"$(d 'e')\"",
            "a `b`",
            "a <(b)",
        ),
        *("a > b 2>&1", "a <<< b", "a 'b;|' \"c;|\"", "a # b ( '\nc", "[ -f a ] && b", "[[ $a == b* ]]", "$([ a ])"),
        *("a\\;b", "a $'b\\'c'", "a ${b} $c $? $@ d$", "if a; then b; fi", "a#b", "a [b]c", "a=b c", '"a$"'),
    ],
)
def test_what_may_be_a_command(text: str) -> None:
    assert may_be_command(text)


@pytest.mark.parametrize(
    "text",
    [
        *("a;;b", "| a", "a |", "a &&", "a & b", "a (", "a )", "(a", "()", "((a))", "$((1))", "a $(b", "a 'b", 'a "b'),
        *("a <<b", "a <", "a > ;", "a >(b)", "a `b", "a ${b:-c}", "a ${", "a $[1]", "a [", "a \\", "a; ; b", ">", "<a"),
    ],
)
def test_what_is_none(text: str) -> None:
    assert not may_be_command(text)


@given(st.text())
def test_any_text_has_an_answer(text: str) -> None:
    assert may_be_command(text) in (True, False)
