"""Two answers that come to the same, and two that may not."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlmc.cascade.audit.same import same
from rlmc.domain.chat import Completion, Opaque, Part, Text, Thinking, ToolCall


def answer(*parts: Part) -> Completion:
    return Completion("m", parts, "end_turn", None)


def read(path: str, **more: object) -> ToolCall:
    return ToolCall(f"toolu_{path}", "Read", json.dumps({"file_path": path, **more}))


def test_the_same_calls_in_another_order_spelling_and_company() -> None:
    one = answer(Text("I will look."), read("a.py", limit=5), read("b.py"))
    other = answer(Thinking(9), read("b.py"), ToolCall("x", "Read", '{ "limit":5,\n "file_path":"a.py"}'))
    assert same(one, other)


@pytest.mark.parametrize(
    "other",
    [
        answer(read("a.py")),
        answer(read("a.py"), read("b.py"), read("b.py")),
        answer(read("a.py"), read("B.py")),
        answer(read("a.py"), ToolCall("x", "Grep", '{"file_path": "b.py"}')),
        answer(Text("a.py and b.py")),
        answer(read("a.py"), read("b.py"), Opaque("server_tool_use")),
        answer(),
    ],
)
def test_other_calls(other: Completion) -> None:
    assert not same(answer(read("a.py"), read("b.py")), other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Done: `hello.txt` is mended.", "Done hello.txt is mended"), ("Yes,  it **does**.\n", "Yes it does")],
)
def test_the_same_words(one: str, other: str) -> None:
    assert same(answer(Text(one)), answer(Text(other)))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("It is 3.14", "It is 314"),
        ("It passes", "It does not pass"),
        ("-5", "5"),
        ("a_b", "ab"),
        ("", ""),
        ("!", "?"),
        ("if !ready", "if ready"),
        ("Pass **kw", "Pass *kw"),
        ("cost .5", "cost 5"),
        ("edit .env", "edit env"),
        ("Foo", "foo"),
        ("__init__", "init"),
        ("5!", "5"),
        ("Is it done?", "Is it done."),
    ],
)
def test_other_words(one: str, other: str) -> None:
    assert not same(answer(Text(one)), answer(Text(other)))


@given(st.text(min_size=1), st.text(min_size=1))
def test_it_does_not_matter_which_comes_first(one: str, other: str) -> None:
    assert same(answer(Text(one)), answer(Text(other))) == same(answer(Text(other)), answer(Text(one)))


@given(st.text())
def test_arguments_that_are_no_json_are_compared_as_they_are(arguments: str) -> None:
    call = ToolCall("1", "Run", arguments)
    assert same(answer(call), answer(ToolCall("2", "Run", arguments)))
