from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.wire import Json, cut, places, texts

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
from rlmc.wire.assemble import Assembler
from rlmc.wire.chat.codec import CHAT
from rlmc.wire.chat.stream import AnswerDecoder
from rlmc.wire.deltas import deltas_of

USAGE = Usage(input=7, cache_read=90, output=42)
PATCH = (ToolSpec("patch", b"{}", custom=True),)


def write(*deltas: Delta, tools: tuple[ToolSpec, ...] = ()) -> bytes:
    writer = CHAT.answer_writer(model="m", message_id="msg_1", usage=Usage(input=1), tools=tools)
    return b"".join(map(writer.feed, deltas)) + writer.close()


def events(raw: bytes) -> list[Json]:
    lines = raw.decode().split("\n\n")
    assert lines.pop() == ""
    assert all(line.startswith("data: ") and "\n" not in line for line in lines)
    return [json.loads(line[6:]) for line in lines if line != "data: [DONE]"]


def messages(raw: bytes) -> list[Json]:
    return [event["choices"][0]["delta"] for event in events(raw)]


def test_an_answer() -> None:
    raw = write(
        Started("x", "other", None),
        BlockStarted(0, Thinking(0)),
        ThinkingDelta(0, 5),
        BlockStopped(0, Thinking(5, b'{"reasoning_content":"SECRET"}')),
        BlockStarted(1, Text("")),
        TextDelta(1, "\n"),
        TextDelta(1, "Hi"),
        BlockStopped(1),
        BlockStarted(2, Opaque("x")),
        BlockStopped(2),
        BlockStarted(3, ToolCall("a", "Read", "")),
        ArgumentsDelta(3, '{"x":'),
        ArgumentsDelta(3, "1}"),
        BlockStopped(3),
        BlockStarted(4, ToolCall("b", "Now", "")),
        BlockStopped(4),
        Other("ping"),
        Stopping("tool_use", USAGE),
        Stopped(),
        TextDelta(5, "late"),
    )
    function = {"name": "Read", "arguments": ""}
    now = {"name": "Now", "arguments": ""}
    assert messages(raw) == [
        {"role": "assistant", "content": ""},
        {"content": "\nHi"},
        {"tool_calls": [{"index": 0, "id": "a", "type": "function", "function": function}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"x":'}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": "1}"}}]},
        {"tool_calls": [{"index": 1, "id": "b", "type": "function", "function": now}]},
        {"tool_calls": [{"index": 1, "function": {"arguments": "{}"}}]},
        {},
    ]
    assert raw.endswith(b"data: [DONE]\n\n")
    assert b"SECRET" not in raw
    *before, last = events(raw)
    assert {(event["id"], event["model"], event["object"]) for event in events(raw)} == {
        ("chatcmpl-1", "m", "chat.completion.chunk")
    }
    assert all(event["choices"][0]["finish_reason"] is None and "usage" not in event for event in before)
    assert last["choices"][0]["finish_reason"] == "tool_calls"
    assert (last["usage"]["prompt_tokens"], last["usage"]["total_tokens"]) == (97, 139)


def test_the_usage_that_was_given_is_told_where_none_comes() -> None:
    assert events(write(Stopping("end_turn", None), Stopped()))[-1]["usage"]["prompt_tokens"] == 1


def test_a_reason_that_comes_twice_ends_one_answer() -> None:
    raw = write(Stopping(None, None), Stopping("max_tokens", USAGE), Stopped())
    assert [event["choices"][0]["finish_reason"] for event in events(raw)] == [None, "length"]


def test_blank_text_is_none() -> None:
    raw = write(BlockStarted(0, Text(" ")), TextDelta(0, "\n"), BlockStopped(0), Stopped())
    assert messages(raw) == [{"role": "assistant", "content": ""}, {}]


def test_a_call_of_a_tool_that_takes_one_text_comes_whole_and_bare() -> None:
    raw = write(
        BlockStarted(0, ToolCall("a", "patch", "")),
        ArgumentsDelta(0, '{"inp'),
        ArgumentsDelta(0, 'ut":"x\\ny"}'),
        BlockStopped(0),
        Stopped(),
        tools=PATCH,
    )
    custom = {"index": 0, "id": "a", "type": "custom", "custom": {"name": "patch", "input": "x\ny"}}
    assert messages(raw)[1] == {"tool_calls": [custom]}
    assert events(raw)[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_an_answer_that_breaks_off_ends_in_an_error() -> None:
    begun = (BlockStarted(0, Text("")), TextDelta(0, "Hi"))
    broken = write(*begun)
    failed = write(*begun, StreamError("overloaded_error", "busy"), Stopped())
    for raw, code, message in ((broken, None, "broke off"), (failed, "overloaded", "busy")):
        assert b"[DONE]" not in raw
        error = events(raw)[-1]["error"]
        assert error["code"] == code
        assert message in error["message"]


def test_nothing_is_written_after_the_end() -> None:
    writer = CHAT.answer_writer(model="m", message_id="msg_1", usage=Usage())
    writer.feed(Stopped())
    assert (writer.feed(Stopped()), writer.feed(StreamError("x", "y")), writer.close()) == (b"", b"", b"")


spoken = st.one_of(
    texts.filter(str.strip).filter(lambda text: "<" not in text).map(Text),
    st.just(Text("long " * 400)),
    st.sampled_from(["{}", '{"a":[1.0,"é"]}', '{"file_path":"' + "x" * 700 + '"}']).map(
        lambda a: ToolCall("t", "Read", a)
    ),
)


@given(st.lists(spoken, max_size=4), st.sampled_from(["end_turn", "max_tokens"]), places)
def test_what_is_written_assembles_again(parts: list[Text | ToolCall], reason: str, at: list[int]) -> None:
    parts.sort(key=lambda part: isinstance(part, ToolCall))
    completion = Completion("m", tuple(parts), reason, USAGE, "msg_1")
    raw = b"".join(CHAT.encode_completion_stream(completion, USAGE))
    assert raw == write(*deltas_of(completion, USAGE))
    decoder, assembler = AnswerDecoder(), Assembler()
    for piece in cut(raw, at):
        for delta in decoder.feed(piece):
            assembler.feed(delta)
    back = assembler.result()
    assert back is not None
    assert (back.text, back.tool_calls, back.usage) == (completion.text, completion.tool_calls, USAGE)
    assert back.stop_reason == ("tool_use" if completion.tool_calls and reason == "end_turn" else reason)


@pytest.mark.parametrize("reason", ["end_turn", "tool_use"])
def test_that_tools_are_called_follows_from_the_calls(reason: str) -> None:
    call = (BlockStarted(0, ToolCall("a", "Read", "{}")), BlockStopped(0))
    for deltas, finish in (((), "stop"), (call, "tool_calls")):
        assert events(write(*deltas, Stopping(reason, None), Stopped()))[-1]["choices"][0]["finish_reason"] == finish
