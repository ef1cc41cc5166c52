from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import messages
from tests.support.strategies import usages
from tests.support.wire import ANSWER, Json, answer_events, answers, cut, event, fixture, noise, places, texts

from rlmc.domain.chat import (
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
    ToolCall,
    Usage,
)
from rlmc.wire.anthropic.codec import ANTHROPIC
from rlmc.wire.anthropic.stream import INCOMPLETE, MALFORMED, AnswerDecoder
from rlmc.wire.assemble import Assembler

START: Json = {"type": "message_start", "message": {"id": "msg_1", "model": "m", "usage": {"input_tokens": 1}}}
END: Json = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}}
STOP: Json = {"type": "message_stop"}


def decode(*pieces: bytes) -> list[Delta]:
    decoder = AnswerDecoder()
    return [delta for piece in pieces for delta in decoder.feed(piece)] + decoder.close()


def assemble(deltas: list[Delta]) -> Assembler:
    assembler = Assembler()
    for delta in deltas:
        assembler.feed(delta)
    return assembler


def test_a_streamed_answer_amounts_to_the_whole_one() -> None:
    assert assemble(decode(fixture("answer.sse"))).result() == ANSWER


def test_usage_at_the_end_keeps_what_only_the_start_said() -> None:
    stopping = [delta for delta in decode(fixture("answer.sse")) if isinstance(delta, Stopping)]
    assert stopping == [Stopping("tool_use", ANSWER.usage)]


def test_blocks_that_come_whole_are_whole_at_once() -> None:
    blocks = [
        {"type": "redacted_thinking", "data": "x"},
        {"type": "tool_use", "id": "t", "name": "R", "input": {"a": 1}},
    ]
    raw = b"".join(
        event({"type": "content_block_start", "index": i, "content_block": block})
        + event({"type": "content_block_stop", "index": i})
        for i, block in enumerate(blocks)
    )
    kept = Thinking(0, b'{"type":"redacted_thinking","data":"x"}')
    call = ToolCall("t", "R", '{"a": 1}')
    assert decode(raw)[:-1] == [
        BlockStarted(0, Thinking(0)),
        BlockStopped(0, kept),
        BlockStarted(1, call),
        BlockStopped(1),
    ]


def test_events_without_names_are_read_all_the_same() -> None:
    raw = b"".join(event(data, named=False) for data in (START, END, STOP))
    assert decode(raw) == [
        Started("msg_1", "m", Usage(input=1)),
        Stopping("end_turn", Usage(input=1, output=2)),
        Stopped(),
    ]


def test_unknown_events_and_deltas_are_passed_over() -> None:
    news: Json = {"type": "content_block_delta", "index": 0, "delta": {"type": "delta_of_tomorrow", "x": 1}}
    raw = event({"type": "event_of_tomorrow", "index": "odd"}) + b"event: odd\ndata: <xml/>\n\n" + event(news)
    assert decode(raw, b"data: [DONE]\n\n")[:-1] == [
        Other("event_of_tomorrow"),
        Other("odd"),
        Other("delta_of_tomorrow"),
        Other(""),
    ]


def test_an_error_inside_the_stream_is_the_last_word() -> None:
    failure: Json = {"type": "error", "error": {"type": "overloaded_error", "message": "Busy"}}
    assert decode(event(START) + event(failure) + event(STOP))[1:] == [StreamError("overloaded_error", "Busy")]


@pytest.mark.parametrize(
    "raw",
    [
        b"event: message_start\ndata: {\n\n",
        b"data: not json\n\n",
        b'event: content_block_delta\ndata: {"index":-1,"delta":{"type":"text_delta","text":"x"}}\n\n',
        b'event: content_block_start\ndata: {"index":0}\n\n',
        b'event: content_block_delta\ndata: {"index":0,"delta":{"type":"text_delta","text":5}}\n\n',
    ],
)
def test_a_known_event_that_cannot_be_read_ends_the_answer(raw: bytes) -> None:
    deltas = decode(event(START) + raw + event(END) + event(STOP))
    assert [type(delta) for delta in deltas] == [Started, StreamError]
    assert isinstance(deltas[1], StreamError)
    assert deltas[1].type == MALFORMED


def test_an_end_without_a_stop_needs_a_stop_reason() -> None:
    assert decode(event(START) + event(END))[-1] == Stopped()
    ended = decode(event(START))[-1]
    assert isinstance(ended, StreamError)
    assert ended.type == INCOMPLETE
    assert isinstance(decode()[-1], StreamError)


@given(st.one_of(answers(), noise), places)
def test_the_cut_never_matters(data: bytes, at: list[int]) -> None:
    assert decode(*cut(data, at)) == decode(data)


@given(st.one_of(st.binary(), noise))
def test_any_bytes_end_in_a_stop_or_an_error(data: bytes) -> None:
    *before, last = decode(data)
    assert isinstance(last, Stopped | StreamError)
    assert not any(isinstance(delta, Stopped | StreamError) for delta in before)


@given(answer_events())
def test_the_text_is_all_there(events: list[Json]) -> None:
    said = "".join(e["delta"]["text"] for e in events if e.get("delta", {}).get("type") == "text_delta")
    completion = assemble(decode(b"".join(map(event, events)))).result()
    assert completion is not None
    assert completion.text == said
    assert completion.usage == Usage(input=7, cache_read=90, output=42)
    assert "".join(d.text for d in decode(b"".join(map(event, events))) if isinstance(d, TextDelta)) == said


# --- writing -----------------------------------------------------------------------------------------------------

spoken = st.one_of(
    texts.filter(str.strip).map(Text),
    st.just(Text("long " * 400)),
    st.sampled_from(["{}", '{"a":[1.0,"é"]}', '{"file_path":"' + "x" * 700 + '"}']).map(
        lambda a: ToolCall("t", "Read", a)
    ),
)


@given(st.lists(spoken, max_size=4).map(tuple), st.sampled_from(["end_turn", "tool_use", None]), usages, places)
def test_what_is_encoded_assembles_again(
    parts: tuple[Text | ToolCall, ...], reason: str | None, usage: Usage, at: list[int]
) -> None:
    completion = Completion("m", parts, reason, usage, "msg_1")
    raw = b"".join(ANTHROPIC.encode_completion_stream(completion, usage))
    assert assemble(decode(*cut(raw, at))).result() == completion


def test_the_events_are_those_clients_insist_on() -> None:
    unspoken = (Thinking(9), Text(""), Text("\n"), Opaque("fallback"))
    completion = Completion("m", (*unspoken, Text("x" * 700), ToolCall("t", "Read", "")), "tool_use", None, "msg_1")
    usage = Usage(input=1, cache_read=2, cache_write_1h=3, output=40)
    pieces = list(ANTHROPIC.encode_completion_stream(completion, usage))
    assert all(piece.startswith(b"event: ") and piece.endswith(b"\n\n") for piece in pieces)
    events = messages.events(b"".join(pieces))
    assert [name for name, _ in events] == [
        "message_start",
        "content_block_start",
        *["content_block_delta"] * 3,
        "content_block_stop",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    start = events[0][1]["message"]
    assert (start["content"], start["role"], start["stop_reason"]) == ([], "assistant", None)
    assert start["usage"]["cache_creation"]["ephemeral_1h_input_tokens"] == 3
    assert start["usage"]["output_tokens"] == 1
    assert events[6][1]["content_block"] == {"type": "tool_use", "id": "t", "name": "Read", "input": {}}
    assert json.loads(events[7][1]["delta"]["partial_json"]) == {}
    assert events[-2][1]["delta"] == {"stop_reason": "tool_use", "stop_sequence": None}
    assert events[-2][1]["usage"]["output_tokens"] == 40
