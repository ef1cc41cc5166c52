"""Drafts that go round in circles."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.coding import Session, draft, drafted
from tests.support.playbook import user
from tests.support.strategies import chat_requests, completions

from rlmc.cascade.gate import repeat
from rlmc.domain.chat import ChatRequest, Completion, ToolCall


def problem(session: Session, *calls: ToolCall) -> str | None:
    findings = repeat.check(session.request, draft(*calls))
    assert all(f.check == "repeat" for f in findings)
    return findings[0].detail if findings else None


def test_a_call_that_failed_is_not_made_again() -> None:
    session = Session().shell("make", "Exit code 2", error=True).read("/p/a.py", "x = 1")
    assert problem(session, drafted("Bash", {"command": "make"})) is not None
    assert problem(session, drafted("Bash", {"command": "make -k"})) is None
    assert problem(session, drafted("bash", {"command": "make"})) is None
    assert problem(session, drafted("Read", {"file_path": "/p/a.py"})) is None


def test_spelling_does_not_make_it_another_call() -> None:
    made = {"file_path": "/p/a", "old_string": "é", "new_string": "y", "replace_all": False}
    session = Session().call("Edit", made, "not found", error=True)
    for again in (
        '{"new_string":"y","old_string":"\\u00e9", "file_path":"/p/a"}',
        '{"file_path": "\\/p/a", "old_string": "é", "new_string": "y", "replace_all": null}',
        json.dumps(made, indent=2),
    ):
        assert problem(session, drafted("Edit", again)) is not None
    assert problem(session, drafted("Edit", json.dumps(made | {"replace_all": True}))) is None
    assert problem(session, drafted("Edit", json.dumps(made | {"old_string": ""}))) is None


def test_only_the_current_task_counts() -> None:
    session = Session().shell("make", "Exit code 2", error=True)
    again = drafted("Bash", {"command": "make"})
    assert problem(session, again) is not None
    assert problem(session.say(user("<system-reminder>Mind the list.</system-reminder>")), again) is not None
    assert problem(session.say(user("I fixed it. Try again.")), again) is None


def test_a_failure_without_a_mark_is_one_too() -> None:
    session = Session().call("Edit", {"file_path": "a"}, "<tool_use_error>No such file</tool_use_error>")
    assert problem(session, drafted("Edit", {"file_path": "a"})) is not None


def test_arguments_that_are_no_json_are_compared_as_they_are() -> None:
    session = Session().call("Bash", "{", "no JSON", error=True)
    assert problem(session, drafted("Bash", "{")) is not None
    assert problem(session, drafted("Bash", "{ ")) is None


@pytest.mark.parametrize(
    "text",
    [
        "x <system-reminder>be good</system-reminder>",
        "</system-reminder>",
        "a</tool_use_error>",
        "</function_calls>",
        "</invoke>",
        "< / system-reminder>",
        "<local-command-stdout>",
    ],
)
def test_a_tools_output_is_no_argument(text: str) -> None:
    plain = json.dumps({"content": text})
    for arguments in (plain, plain.replace("<", "\\u003C"), plain.replace("/", "\\/")):
        assert problem(Session(), drafted("Write", arguments)) is not None


@pytest.mark.parametrize("text", ["<div></div>", "a </ b", "</parameter>", "List<Invoke>", "the system-reminder"])
def test_markup_of_other_kinds_passes(text: str) -> None:
    assert problem(Session(), drafted("Write", {"content": text})) is None


@given(st.text(max_size=20), st.dictionaries(st.text(max_size=5), st.one_of(st.integers(), st.text(max_size=5))))
def test_whatever_failed_is_recognised(name: str, arguments: dict[str, object]) -> None:
    session = Session().call(name, arguments, "no", error=True)
    turned = dict(reversed(arguments.items()))
    assert problem(session, drafted(name, json.dumps(turned, ensure_ascii=False, indent=1))) is not None
    assert problem(session, drafted(name, json.dumps(arguments | {"and more": 1}))) is None


@given(chat_requests, completions)
def test_odd_turns_never_raise(of: ChatRequest, answer: Completion) -> None:
    repeat.check(of, answer)


@given(st.one_of(st.text(), st.sampled_from(["[" * 5_000, '{"a":' * 900 + "1" + "}" * 900, '"\\ud800"', "1e999"])))
def test_junk_never_raises(arguments: str) -> None:
    session = Session().call("Bash", arguments, "no", error=True)
    assert problem(session, drafted("Bash", arguments)) is not None


def test_a_text_is_not_its_business() -> None:
    assert repeat.check(Session().request, Completion("m", (), "end_turn", None)) == ()
