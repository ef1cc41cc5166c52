"""Streams of servers that do not keep to the order of blocks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.support.wire import Json, event

from rlmc.domain.chat import (
    ArgumentsDelta,
    BlockStarted,
    BlockStopped,
    Delta,
    Stopped,
    Stopping,
    StreamError,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolCall,
)
from rlmc.wire.anthropic.stream import AnswerDecoder
from rlmc.wire.assemble import Assembler

END: list[Json] = [{"type": "message_delta", "delta": {"stop_reason": "tool_use"}}, {"type": "message_stop"}]


def start(index: int, block: Json) -> Json:
    return {"type": "content_block_start", "index": index, "content_block": block}


def call(index: int) -> Json:
    return start(index, {"type": "tool_use", "id": f"t{index}", "name": "Read", "input": {}})


def piece(index: int, json: str) -> Json:
    return {"type": "content_block_delta", "index": index, "delta": {"type": "input_json_delta", "partial_json": json}}


def word(index: int, text: str) -> Json:
    return {"type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": text}}


def stop(index: int) -> Json:
    return {"type": "content_block_stop", "index": index}


def decode(events: list[Json]) -> list[Delta]:
    decoder = AnswerDecoder()
    return decoder.feed(b"".join(map(event, events))) + decoder.close()


def test_calls_that_come_at_the_same_time_come_one_after_another() -> None:
    events = [call(0), call(1), piece(0, '{"a":'), piece(1, "{}"), stop(1), piece(0, "1}"), stop(0)]
    assert decode(events + END)[:-2] == [
        BlockStarted(0, ToolCall("t0", "Read", "")),
        ArgumentsDelta(0, '{"a":'),
        ArgumentsDelta(0, "1}"),
        BlockStopped(0),
        BlockStarted(1, ToolCall("t1", "Read", "")),
        ArgumentsDelta(1, "{}"),
        BlockStopped(1),
    ]


def test_blocks_nobody_ended_end_all_the_same() -> None:
    thinking = start(0, {"type": "thinking", "thinking": "Hm", "signature": None})
    assert decode([thinking, start(1, {"type": "text", "text": ""}), word(1, "a"), *END]) == [
        BlockStarted(0, Thinking(2)),
        BlockStopped(0, Thinking(2, b'{"type":"thinking","thinking":"Hm","signature":""}')),
        BlockStarted(1, Text("")),
        TextDelta(1, "a"),
        BlockStopped(1),
        Stopping("tool_use", None),
        Stopped(),
    ]


def test_numbers_ascend() -> None:
    block = {"type": "text", "text": ""}
    events = [start(0, block), word(0, "a"), stop(0), start(0, block), word(0, "b"), stop(0), call(7), stop(7)]
    deltas = decode(events + END)
    assert [delta.index for delta in deltas if isinstance(delta, BlockStarted | TextDelta)] == [0, 0, 1, 1, 7]
    assembler = Assembler()
    for delta in deltas:
        assembler.feed(delta)
    completion = assembler.result()
    assert completion is not None
    assert completion.parts == (Text("a"), Text("b"), ToolCall("t7", "Read", "{}"))


def test_a_text_that_never_opened_opens_itself() -> None:
    assert decode([word(3, "a"), piece(4, "{}"), stop(9), stop(3), piece(5, "{}"), stop(3), *END])[:3] == [
        BlockStarted(3, Text("")),
        TextDelta(3, "a"),
        BlockStopped(3),
    ]


kinds = st.one_of(
    st.builds(call, st.integers(0, 3)),
    st.builds(start, st.integers(0, 3), st.sampled_from([{"type": "text"}, {"type": "thinking"}, {"type": "news"}])),
    st.builds(piece, st.integers(0, 3), st.sampled_from(["", "{}"])),
    st.builds(word, st.integers(0, 3), st.sampled_from(["", "a"])),
    st.builds(stop, st.integers(0, 3)),
    st.just({"type": "ping"}),
)


@given(st.lists(kinds, max_size=20), st.sampled_from([END, END[1:], [], [{"type": "error"}]]))
def test_whatever_comes_is_in_order_afterwards(events: list[Json], end: list[Json]) -> None:
    under_way, last = None, -1
    for delta in decode(events + end):
        if isinstance(delta, BlockStarted):
            assert under_way is None
            assert delta.index > last
            under_way = last = delta.index
        elif isinstance(delta, TextDelta | ArgumentsDelta | ThinkingDelta | BlockStopped):
            assert delta.index == under_way
            under_way = None if isinstance(delta, BlockStopped) else under_way
        elif isinstance(delta, Stopping | Stopped | StreamError):
            assert under_way is None


def test_very_many_blocks_at_once_are_no_harm() -> None:
    events = [call(n) for n in range(1_500)] + [stop(n) for n in range(1_500)]
    deltas = decode(events + END)
    assert sum(isinstance(delta, BlockStopped) for delta in deltas) == 1_500
