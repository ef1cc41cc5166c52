"""The gate: what it refuses, and that it lets plain good drafts through."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.playbook import after, calls, request, says, user

from rlmc.cascade import gate
from rlmc.cascade.effects import EFFECTS, RELEASED, effect_of
from rlmc.domain.chat import ChatRequest, Completion, Opaque, Text, ToolCall, ToolSpec


def refused_by(draft: Completion, of: ChatRequest | None = None) -> set[str]:
    return {f.check for f in gate.inspect(of or after("Read"), draft)}


def test_good_drafts_pass() -> None:
    assert refused_by(calls("Read")) == set()
    assert refused_by(calls("Read", text="I will read it first.")) == set()
    assert refused_by(says("The greeting is in hello.txt.")) == set()


@pytest.mark.parametrize(
    "stop", ["max_tokens", "refusal", "pause_turn", "model_context_window_exceeded", None, "tool_use", "stop_sequence"]
)
def test_a_text_must_have_ended_by_itself(stop: str | None) -> None:
    assert refused_by(says("text", stop)) == {"ending"}


def test_an_empty_answer_and_foreign_blocks_are_refused() -> None:
    assert refused_by(Completion("m", (), "end_turn", None)) == {"ending"}
    assert refused_by(Completion("m", (Text("x"), Opaque("rlmc_note")), "end_turn", None)) == {"ending"}


@pytest.mark.parametrize(
    "leak",
    [
        '<tool_call>{"name": "Read"}</tool_call>',
        "<｜tool▁calls▁begin｜>",
        "<|tool_call_begin|>",
        "<｜DSML｜function_calls>",
        "<function=Read>",
        '<invoke name="Read">',
        "<function_calls>",
        "[TOOL_CALLS] Read",
        "<minimax:tool_call>",
    ],
)
def test_leaked_markup_is_refused(leak: str) -> None:
    assert refused_by(says(f"I will look. {leak}")) == {"markup"}


@pytest.mark.parametrize(
    "innocent",
    [
        "a < b and c > d",
        "The <div> holds a function = value",
        "Use tool calls sparingly.",
        "List<Function> f",
        "`invoke()`",
    ],
)
def test_words_about_tools_are_no_markup(innocent: str) -> None:
    assert refused_by(says(innocent)) == set()


def test_a_leak_in_a_request_without_tools_is_just_text() -> None:
    assert refused_by(says("<tool_call>"), request(user("Show me the markup"), tools=())) == set()


def test_only_the_requests_own_tools_by_their_exact_names() -> None:
    for name in ("read", "Read ", "NoSuchTool", ""):
        assert refused_by(calls(name)) == {"calls"}


def test_too_many_or_repeated_calls_are_refused() -> None:
    def draft(n: int, same: bool = False) -> Completion:
        parts = tuple(ToolCall(f"c{i}", "Read", '{"file_path": "%s"}' % (0 if same else i)) for i in range(n))
        return Completion("m", parts, "tool_use", None)

    assert refused_by(draft(8)) == set()
    assert refused_by(draft(9)) == {"calls"}
    assert refused_by(draft(2, same=True)) == {"calls"}
    assert refused_by(draft(2), after("Read", parallel_tools=False)) == {"calls"}
    assert refused_by(draft(1), after("Read", tool_choice="none")) == {"calls"}


@pytest.mark.parametrize(
    "arguments",
    ["{", "[]", '"a"', "{}", '{"file_path": 3}', '{"file_path": null}', ""],
)
def test_arguments_must_fit_the_schema(arguments: str) -> None:
    assert refused_by(calls("Read", arguments)) == {"schema"}


@pytest.mark.parametrize(
    "schema",
    [
        b"",
        b"{",
        b'{"type": "nonsense"}',
        b'{"$ref": "http://127.0.0.1:9/schema"}',
        b'{"$schema": "http://example.com/x"}',
    ],
)
def test_a_schema_that_cannot_be_used_refuses_the_call(schema: bytes) -> None:
    of = after("Read", tools=(ToolSpec("Read", schema),))
    assert refused_by(calls("Read"), of) == {"schema"}


def test_a_pattern_that_backtracks_for_ever_does_not() -> None:
    schema = b'{"properties": {"file_path": {"type": "string", "pattern": "^(a+)+$"}}}'
    of = after("Read", tools=(ToolSpec("Read", schema),))
    assert refused_by(calls("Read", '{"file_path": "%s!"}' % ("a" * 5_000)), of) == {"schema"}


def test_a_schema_that_refers_to_itself_takes_no_time_without_end() -> None:
    schema = b'{"$defs":{"n":{"anyOf":[{"properties":{"a":{"$ref":"#/$defs/n"}},"required":["a"],"minProperties":9},'
    schema += b'{"properties":{"a":{"$ref":"#/$defs/n"}},"required":["a"],"minProperties":8}]}},"$ref":"#/$defs/n"}'
    of = after("Read", tools=(ToolSpec("Read", schema),))
    assert refused_by(calls("Read", '{"a":' * 60 + "1" + "}" * 60), of) == {"schema"}


def test_findings_quote_none_of_the_users_values() -> None:
    findings = gate.inspect(after("Read"), calls("Read", '{"file_path": 12345678}'))
    assert "12345678" not in findings[0].detail


def test_every_known_tool_that_is_not_a_read_or_a_plan_is_refused() -> None:
    for name, effect in EFFECTS.items():
        of = after("Read", tools=(ToolSpec(name, b"{}"),))
        assert refused_by(calls(name, "{}"), of) == (set() if effect in RELEASED else {"effect"})


@given(st.text(min_size=1))
def test_an_unknown_tool_is_never_released(name: str) -> None:
    if name not in EFFECTS:
        assert effect_of(name) not in RELEASED
        of = after("Read", tools=(ToolSpec(name, b"{}"),))
        assert refused_by(calls(name, "{}"), of) == {"effect"}
