from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.responses_wire import SECRET
from tests.support.wire import Json, texts

from rlmc.domain.chat import (
    ArgumentsDelta,
    BlockStarted,
    BlockStopped,
    Completion,
    Delta,
    Opaque,
    Other,
    Started,
    Stopped,
    Stopping,
    StreamError,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolCall,
    ToolSpec,
    Usage,
)
from rlmc.wire.arguments import CUSTOM_SCHEMA
from rlmc.wire.responses.codec import RESPONSES
from rlmc.wire.responses.response import decode_completion
from rlmc.wire.sse import EventDecoder

USAGE = Usage(input=7, cache_read=90, output=42, thinking=3)
TOOLS = (
    ToolSpec("Read", b"{}"),
    ToolSpec("exec", CUSTOM_SCHEMA, custom=True),
    ToolSpec("clock__sleep", b"{}", namespace="clock", own_name="sleep"),
    ToolSpec("js__run", CUSTOM_SCHEMA, custom=True, namespace="js", own_name="run"),
)


def write(*deltas: Delta, close: bool = False) -> list[Json]:
    """The events; each is named as its data says."""
    writer = RESPONSES.answer_writer(model="m", message_id="msg_1", usage=USAGE, tools=TOOLS)
    data = b"".join([writer.feed(delta) for delta in deltas] + ([writer.close()] if close else []))
    found = []
    for event in EventDecoder().feed(data):
        found.append(json.loads(event.data))
        assert found[-1]["type"] == event.name
    assert [event["sequence_number"] for event in found] == list(range(len(found)))
    return found


def short(event: Json) -> tuple[object, ...]:
    """What an event is of, and the words in it."""
    words = [
        event[name] for name in ("delta", "text", "arguments", "input", "part", "item", "response") if name in event
    ]
    return (event["type"].removeprefix("response."), event.get("output_index"), *words)


def text_part(text: str) -> Json:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def test_an_answer() -> None:
    events = write(
        Started("msg_9", "other", None),
        BlockStarted(0, Thinking(0)),
        ThinkingDelta(0, 5),
        BlockStopped(0, Thinking(5, SECRET.encode())),
        BlockStarted(1, Text("")),
        TextDelta(1, "I "),
        TextDelta(1, "look."),
        BlockStopped(1),
        BlockStarted(2, ToolCall("a", "Read", "")),
        ArgumentsDelta(2, '{"p":'),
        ArgumentsDelta(2, "1}"),
        BlockStopped(2),
        Stopping("tool_use", USAGE),
        Stopped(),
        Stopped(),
    )
    message: Json = {"type": "message", "id": "msg_1_0", "status": "in_progress", "role": "assistant", "content": []}
    call: Json = {"type": "function_call", "id": "fc_1_1", "status": "in_progress", "call_id": "a", "name": "Read"}
    said = message | {"status": "completed", "content": [text_part("I look.")]}
    called = call | {"status": "completed", "arguments": '{"p":1}'}
    assert [short(event)[:3] for event in events[:2]] == [
        ("created", None, events[0]["response"]),
        ("in_progress", None, events[0]["response"]),
    ]
    assert [short(event) for event in events[2:-1]] == [
        ("output_item.added", 0, message),
        ("content_part.added", 0, text_part("")),
        ("output_text.delta", 0, "I "),
        ("output_text.delta", 0, "look."),
        ("output_text.done", 0, "I look."),
        ("content_part.done", 0, text_part("I look.")),
        ("output_item.done", 0, said),
        ("output_item.added", 1, call | {"arguments": ""}),
        ("function_call_arguments.delta", 1, '{"p":'),
        ("function_call_arguments.delta", 1, "1}"),
        ("function_call_arguments.done", 1, '{"p":1}'),
        ("output_item.done", 1, called),
    ]
    for event in events[2:-1]:
        assert event.get("item_id", event.get("item", {}).get("id")) == (said, called)[event["output_index"]]["id"]
        if "content_part" in event["type"] or "output_text" in event["type"]:
            assert event["content_index"] == 0
    assert events[-2]["type"] == "response.output_item.done"
    begun, last = events[0]["response"], events[-1]["response"]
    assert (begun["id"], begun["model"], begun["status"], begun["output"]) == ("resp_1", "m", "in_progress", [])
    assert begun["usage"] is None
    assert events[-1]["type"] == "response.completed"
    assert (last["id"], last["status"], last["error"], last["output"]) == ("resp_1", "completed", None, [said, called])
    assert last["usage"] == {
        "input_tokens": 97,
        "input_tokens_details": {"cached_tokens": 90, "cache_write_tokens": 0},
        "output_tokens": 42,
        "output_tokens_details": {"reasoning_tokens": 3},
        "total_tokens": 139,
    }


def items(*calls: ToolCall) -> list[Json]:
    deltas: list[Delta] = []
    for index, call in enumerate(calls):
        deltas += [BlockStarted(index, ToolCall(call.id, call.name, ""))]
        deltas += [ArgumentsDelta(index, piece) for piece in call.arguments] + [BlockStopped(index)]
    last: Json = write(*deltas, Stopping("tool_use", None), Stopped())[-1]
    output: list[Json] = last["response"]["output"]
    return output


def test_calls_are_of_the_kind_the_client_declared() -> None:
    slept, ran, in_js = items(
        ToolCall("a", "clock__sleep", '{"ms":1}'),
        ToolCall("b", "exec", '{"input":"say \\"é\\""}'),
        ToolCall("c", "js__run", '{"input":""}'),
    )
    assert slept["type"] == "function_call"
    assert (slept["name"], slept["namespace"], slept["call_id"], slept["arguments"]) == (
        "sleep",
        "clock",
        "a",
        '{"ms":1}',
    )
    assert (ran["type"], ran["id"], ran["call_id"], ran["input"]) == ("custom_tool_call", "ctc_1_1", "b", 'say "é"')
    assert "namespace" not in ran
    assert "arguments" not in ran
    assert (in_js["name"], in_js["namespace"], in_js["input"]) == ("run", "js", "")


def test_the_text_of_a_custom_call_is_told_bare_once_it_is_complete() -> None:
    events = write(
        BlockStarted(0, ToolCall("b", "exec", "")),
        ArgumentsDelta(0, '{"inp'),
        ArgumentsDelta(0, 'ut":"ls"}'),
        BlockStopped(0),
    )
    item: Json = {"type": "custom_tool_call", "id": "ctc_1_0", "status": "in_progress", "call_id": "b", "name": "exec"}
    assert [short(event) for event in events[2:]] == [
        ("output_item.added", 0, item | {"input": ""}),
        ("custom_tool_call_input.delta", 0, "ls"),
        ("custom_tool_call_input.done", 0, "ls"),
        ("output_item.done", 0, item | {"status": "completed", "input": "ls"}),
    ]


def test_what_a_custom_call_says_otherwise_is_kept() -> None:
    (odd,) = items(ToolCall("b", "exec", '{"code":"ls"}'))
    assert odd["input"] == '{"code":"ls"}'


def test_a_call_without_arguments_has_empty_ones() -> None:
    events = write(BlockStarted(0, ToolCall("a", "Read", "")), BlockStopped(0))
    assert [short(event) for event in events[3:5]] == [
        ("function_call_arguments.delta", 0, "{}"),
        ("function_call_arguments.done", 0, "{}"),
    ]
    assert events[-1]["item"]["arguments"] == "{}"


def test_blocks_that_come_whole() -> None:
    events = write(BlockStarted(0, Text("Hi")), BlockStarted(1, ToolCall("a", "Read", '{"p":1}')), Stopped())
    said, called = events[-1]["response"]["output"]
    assert said["content"][0]["text"] == "Hi"
    assert called["arguments"] == '{"p":1}'


def test_blank_texts_and_what_has_no_meaning_are_passed_over() -> None:
    events = write(
        BlockStarted(0, Text("")),
        TextDelta(0, " \n"),
        BlockStopped(0),
        BlockStarted(1, Opaque("server_tool_use")),
        ArgumentsDelta(1, "{}"),
        BlockStopped(1),
        Other("ping"),
        BlockStarted(2, Text("")),
        TextDelta(2, "\n"),
        TextDelta(2, "Hi"),
        TextDelta(2, ""),
        BlockStopped(2),
        Stopping("end_turn", None),
        Stopped(),
    )
    assert [event["delta"] for event in events if "delta" in event] == ["\nHi"]
    (only,) = events[-1]["response"]["output"]
    assert only["id"] == "msg_1_0"


@pytest.mark.parametrize(
    ("stop", "end", "reason"),
    [
        ("end_turn", "completed", None),
        ("stop_sequence", "completed", None),
        ("tool_use", "completed", None),
        (None, "completed", None),
        ("max_tokens", "incomplete", "max_output_tokens"),
        ("model_context_window_exceeded", "incomplete", "max_output_tokens"),
        ("refusal", "incomplete", "content_filter"),
    ],
)
def test_why_it_ended(stop: str | None, end: str, reason: str | None) -> None:
    last = write(Stopping(stop, None), Stopped())[-1]
    assert (last["type"], last["response"]["status"]) == (f"response.{end}", end)
    assert last["response"]["incomplete_details"] == ({"reason": reason} if reason else None)


@pytest.mark.parametrize(
    ("kind", "message", "code"),
    [
        ("api_error", "oops", "server_error"),
        ("rate_limit_error", "slow", "rate_limit_exceeded"),
        ("overloaded_error", "busy", "server_is_overloaded"),
        ("billing_error", "no credit", "insufficient_quota"),
        ("invalid_request_error", "bad", "invalid_prompt"),
        ("invalid_request_error", "prompt is too long: 9 tokens > 5 maximum", "context_length_exceeded"),
    ],
)
def test_failures(kind: str, message: str, code: str) -> None:
    events = write(BlockStarted(0, Text("Hi")), StreamError(kind, message), Stopped(), TextDelta(0, "x"), close=True)
    last = events[-1]
    assert last["type"] == "response.failed"
    assert (last["response"]["status"], last["response"]["error"]) == ("failed", {"code": code, "message": message})
    assert [event["type"] for event in events].count("response.failed") == 1


def test_an_end_that_never_comes_is_an_error() -> None:
    for deltas in ((), (BlockStarted(0, Text("Hi")), Stopping("end_turn", None))):
        assert write(*deltas, close=True)[-1]["type"] == "response.failed"
    assert write(Stopped(), close=True)[-1]["type"] == "response.completed"


# --- as a whole --------------------------------------------------------------------------------------------------

calls = st.builds(
    ToolCall,
    st.sampled_from(["a", "b"]),
    st.sampled_from(["Read", "clock__sleep", "unknown"]),
    st.sampled_from(["{}", '{"a":[1.0,"é"]}', '{"p":"' + "x" * 700 + '"}']),
)
custom_calls = st.builds(
    lambda name, text: ToolCall("c", name, json.dumps({"input": text})), st.sampled_from(["exec", "js__run"]), texts
)
thoughts = st.just(Thinking(3, SECRET.encode()))
completions = st.builds(
    lambda parts, stop: Completion("m", tuple(parts), stop, None, "msg_1"),
    st.lists(
        st.one_of(st.sampled_from(["", " ", "Hi", "é🦊" * 400]).map(Text), calls, custom_calls, thoughts), max_size=4
    ),
    st.sampled_from(["end_turn", "max_tokens"]),
)


@given(completions)
def test_stream_and_whole_say_the_same(completion: Completion) -> None:
    whole = RESPONSES.encode_completion(completion, USAGE, TOOLS)
    streamed = b"".join(RESPONSES.encode_completion_stream(completion, USAGE, TOOLS))
    last = [json.loads(event.data) for event in EventDecoder().feed(streamed)][-1]
    assert last["response"] == json.loads(whole)
    assert SECRET.encode() not in streamed


@given(completions)
def test_what_is_written_reads_the_same(completion: Completion) -> None:
    back = decode_completion(RESPONSES.encode_completion(completion, USAGE, TOOLS))
    visible = [part for part in completion.parts if isinstance(part, ToolCall) or getattr(part, "text", "").strip()]

    def plain(part: object) -> object:
        return (part.id, part.name, json.loads(part.arguments)) if isinstance(part, ToolCall) else part

    assert [plain(part) for part in back.parts] == [plain(part) for part in visible]
    assert back.usage == USAGE
