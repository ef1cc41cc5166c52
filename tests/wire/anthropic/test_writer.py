from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import messages
from tests.support.wire import SECRET, answers, cut, places

from rlmc.domain.chat import (
    ArgumentsDelta,
    BlockStarted,
    BlockStopped,
    Completion,
    Delta,
    Opaque,
    Other,
    Part,
    Started,
    Stopped,
    Stopping,
    StreamError,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolCall,
    Usage,
)
from rlmc.wire.anthropic.stream import AnswerDecoder
from rlmc.wire.anthropic.writer import MessageWriter
from rlmc.wire.assemble import Assembler

ESTIMATE = Usage(input=7, cache_read=3, output=9)

Events = list[tuple[str, dict[str, Any]]]


def write(*deltas: Delta, close: bool = False) -> Events:
    writer = MessageWriter("m", "msg_1", ESTIMATE)
    raw = b"".join(map(writer.feed, deltas))
    return messages.events(raw + (writer.close() if close else b""))


def names(events: Events) -> list[str]:
    return [name.removeprefix("content_") for name, _ in events]


def test_the_usage_told_is_the_one_given_until_the_end_knows_better() -> None:
    events = write(
        Started("other", "other", Usage(input=999)), Stopping("end_turn", Usage(input=1, output=2)), Stopped()
    )
    assert names(events) == ["message_start", "message_delta", "message_stop"]
    start = events[0][1]["message"]
    assert (start["id"], start["model"], start["usage"]["input_tokens"]) == ("msg_1", "m", 7)
    assert start["usage"]["cache_read_input_tokens"] == 3
    assert start["usage"]["output_tokens"] == 1
    assert events[1][1]["usage"]["input_tokens"] == 1
    assert events[1][1]["usage"]["output_tokens"] == 2
    assert write(Stopping("end_turn", None))[1][1]["usage"]["output_tokens"] == 9


def test_blocks_are_numbered_without_gaps_and_only_those_with_something_in_them_opened() -> None:
    events = write(
        BlockStarted(0, Thinking(0)),
        ThinkingDelta(0, 5),
        BlockStopped(0, Thinking(5, b'{"thinking":"hmmmm"}')),
        BlockStarted(1, Text("")),
        TextDelta(1, ""),
        BlockStopped(1),
        BlockStarted(2, Text(" ")),
        TextDelta(2, "\n"),
        BlockStopped(2),
        BlockStarted(3, Opaque("server_tool_use")),
        ArgumentsDelta(3, "{}"),
        TextDelta(3, "x"),
        BlockStopped(3),
        Other("ping"),
        BlockStarted(4, Text("\n")),
        TextDelta(4, ""),
        TextDelta(4, "Yes"),
        TextDelta(4, ""),
        TextDelta(4, "."),
        BlockStopped(4),
        BlockStarted(5, ToolCall("t", "Read", "")),
        BlockStopped(5),
    )
    assert [(name, data["index"]) for name, data in events[1:]] == [
        ("content_block_start", 0),
        ("content_block_delta", 0),
        ("content_block_delta", 0),
        ("content_block_stop", 0),
        ("content_block_start", 1),
        ("content_block_delta", 1),
        ("content_block_stop", 1),
    ]
    assert [data["delta"]["text"] for _, data in events[2:4]] == ["\nYes", "."]


@pytest.mark.parametrize(
    ("whole", "pieces", "read"),
    [
        ("", [], {}),
        ("", ["", "  ", '{"a":', "1}"], {"a": 1}),
        ('{"a":1}', [], {"a": 1}),
        # Those in pieces are the ones a client goes by.
        ('{"a":1}', ['{"b":', "2}"], {"b": 2}),
    ],
)
def test_arguments_come_in_pieces_however_they_were_given(whole: str, pieces: list[str], read: object) -> None:
    start = BlockStarted(0, ToolCall("t", "Read", whole))
    events = write(start, *(ArgumentsDelta(0, piece) for piece in pieces), BlockStopped(0))
    assert events[1][1]["content_block"] == {"type": "tool_use", "id": "t", "name": "Read", "input": {}}
    said = "".join(data["delta"]["partial_json"] for name, data in events if name == "content_block_delta")
    assert json.loads(said) == read


def test_what_breaks_is_an_error_and_the_last_word() -> None:
    writer = MessageWriter("m", "msg_1", ESTIMATE)
    writer.feed(Started("", "", None))
    name, data = messages.events(writer.feed(StreamError("overloaded_error", "Busy")))[0]
    assert (name, data["error"]) == ("error", {"type": "overloaded_error", "message": "Busy"})
    assert writer.feed(TextDelta(0, "x")) + writer.feed(Stopped()) + writer.close() == b""
    assert write(StreamError("malformed_stream", "?"))[-1][1]["error"]["type"] == "api_error"


def test_an_end_without_a_stop_is_an_error() -> None:
    for deltas in ((), (BlockStarted(0, Text("a")),), (Stopping("end_turn", None),)):
        events = write(*deltas, close=True)
        assert names(events)[0] == "message_start"
        assert events[-1][0] == "error"
        assert events[-1][1]["error"]["type"] == "api_error"
    assert names(write(Stopped(), close=True)) == ["message_start", "message_delta", "message_stop"]


def test_a_block_nobody_ended_ends_before_the_stop() -> None:
    events = write(BlockStarted(0, Text("a")), BlockStarted(1, ToolCall("t", "R", "")), Stopped())
    assert names(events)[1:] == [
        *("block_start", "block_delta", "block_stop"),
        *("block_start", "block_delta", "block_stop"),
        *("message_delta", "message_stop"),
    ]


@given(st.lists(st.text(), max_size=6), st.sampled_from(["end_turn", "max_tokens"]))
def test_what_was_said_is_what_is_read(texts: list[str], stop: str) -> None:
    deltas: list[Delta] = [BlockStarted(0, Text("")), *(TextDelta(0, t) for t in texts), BlockStopped(0)]
    found = read(MessageWriter("m", "msg_1", ESTIMATE), [*deltas, Stopping(stop, None), Stopped()])
    assert found.text == ("".join(texts) if "".join(texts).strip() else "")
    assert (found.model, found.id, found.stop_reason, found.usage) == ("m", "msg_1", stop, ESTIMATE)


def read(writer: MessageWriter, deltas: list[Delta]) -> Completion:
    decoder, assembler = AnswerDecoder(), Assembler()
    for delta in decoder.feed(b"".join(map(writer.feed, deltas)) + writer.close()) + decoder.close():
        assembler.feed(delta)
    found = assembler.result()
    assert found is not None
    return found


# Of what was written to the cache the end says only the sum, so a guess at its lifetimes would stay.
estimates = st.builds(
    Usage, input=st.integers(0, 10**6), cache_read=st.integers(0, 10**6), output=st.integers(0, 10**5)
)


@given(answers(), estimates, places)
def test_an_answer_told_again_says_the_same(raw: bytes, usage: Usage, at: list[int]) -> None:
    decoder, assembler, writer = AnswerDecoder(), Assembler(), MessageWriter("m", "msg_1", usage)
    out = b""
    for deltas in [*map(decoder.feed, cut(raw, at)), decoder.close()]:
        for delta in deltas:
            assembler.feed(delta)
            out += writer.feed(delta)
    out += writer.close()
    was = assembler.result()
    assert was is not None
    assert SECRET.encode() not in out
    again, decoder = Assembler(), AnswerDecoder()
    for delta in decoder.feed(out) + decoder.close():
        again.feed(delta)
    found = again.result()
    assert found is not None
    assert found.parts == tuple(filter(visible, was.parts))
    assert (found.stop_reason, found.usage) == (was.stop_reason, was.usage)


def visible(part: Part) -> bool:
    return isinstance(part, ToolCall) or (isinstance(part, Text) and bool(part.text.strip()))
