"""The gate: what it refuses, and that it lets plain good drafts through."""

from __future__ import annotations

import pytest
from hypothesis import given
from tests.support.playbook import NONCE, Play, after, calls, request, says, turn, user
from tests.support.strategies import chat_requests, completions

from rlmc.cascade.reading import CONTENT
from rlmc.cascade.seen import Drafted
from rlmc.domain.chat import ChatRequest, Completion, Opaque, Text, Thinking, ToolCall, ToolSpec, Usage
from rlmc.domain.effect import Effect


def seen(draft: Completion, of: ChatRequest | None = None) -> Drafted:
    return CONTENT.draft(turn(of or after("Read")), draft)[1]


def refused_by(draft: Completion, of: ChatRequest | None = None) -> set[str]:
    return {f.check for f in seen(draft, of).findings}


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
        "\n```tool_code\nprint(read('a'))",
        "[TOOL_CALLS]",
        "<|channel|>commentary to=functions.Read",
        "\n*** Begin Patch\n*** Update File: a",
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
        "```python\ntool_code = 1\n```",
        "A patch begins with `*** Begin Patch`.",
    ],
)
def test_words_about_tools_are_no_markup(innocent: str) -> None:
    assert refused_by(says(innocent)) == set()


def test_a_leak_in_a_request_without_tools_is_just_text() -> None:
    assert refused_by(says("<tool_call>"), request(user("Show me the markup"), tools=())) == set()


def test_an_argument_that_only_its_own_model_can_write_is_refused() -> None:
    schema = (
        b'{"type":"object","properties":{"message":{"type":"string","encrypted":true},"target":{"type":"string"}},'
        b'"required":["target"]}'
    )
    tools = (ToolSpec("collaboration__send_message", schema),)
    sealed = calls("collaboration__send_message", '{"target": "a", "message": "hi"}')
    assert refused_by(sealed, after("Read", tools=tools)) == {"schema"}
    plain = calls("collaboration__send_message", '{"target": "a"}')
    assert refused_by(plain, after("Read", tools=tools)) == set()


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
    findings = seen(calls("Read", '{"file_path": 12345678}')).findings
    assert "12345678" not in findings[0].detail


# --- what a draft is, once its content has been looked at -----------------------------------------------------------


def test_a_draft_is_known_by_its_worst_call_its_size_and_its_tokens() -> None:
    parts = (*calls("Read", text="Looking.").parts, ToolCall("b", "mcp__db__query", '{"sql": "SELECT"}'))
    found = seen(Completion("m", parts, "tool_use", Usage(input=10, output=42)))
    chars = len("Looking." + "Read" + '{"file_path": "a.py"}' + "mcp__db__query" + '{"sql": "SELECT"}')
    assert found == Drafted(Effect.UNSAFE, 2, chars, 42, (), "mcp__db__query")
    assert seen(says("four")) == Drafted(None, 0, 4, 20)


def test_without_a_count_of_the_provider_s_the_tokens_of_a_draft_are_reckoned() -> None:
    assert seen(Completion("m", (Text("x" * 300),), "end_turn", None)).output == 100


def test_an_edit_by_a_tool_whose_arguments_cannot_be_checked_is_unsafe() -> None:
    for name in ("NotebookEdit", "patch"):
        of = after("Read", tools=(ToolSpec(name, b"{}"),))
        assert seen(calls(name, "{}"), of).effect is Effect.UNSAFE
        Play(of).reply(calls(name, "{}")).ends("direct", "gate")


def test_the_users_own_words_say_what_a_tool_does() -> None:
    told = turn(after("Read"), tools={"mcp__db__query": Effect.READ})
    Play(told).reply(calls("mcp__db__query", '{"sql": "SELECT"}')).ends("skipped", "after-read")
    warned = turn(after("Read"), tools={"Read": Effect.UNSAFE})
    Play(warned).reply(calls("Read")).ends("direct", "gate")


@given(chat_requests, completions)
def test_a_draft_that_was_looked_at_holds_no_thinking_and_ids_of_its_own(of: ChatRequest, draft: Completion) -> None:
    clean, found = CONTENT.draft(turn(of), draft)
    assert not any(isinstance(p, Thinking) for p in clean.parts)
    ids = [c.id for c in clean.tool_calls]
    assert len(set(ids)) == len(ids) == found.calls
    assert (found.effect is None) is (found.calls == 0)
    assert NONCE not in "".join(ids)
