"""What every protocol must keep, whatever its spelling: one test over the table of codecs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.strategies import usages

from rlmc.domain.chat import ChatRequest, Completion, StreamError, Text, ToolCall, Usage
from rlmc.domain.draft_shape import DraftShape
from rlmc.domain.layout import Layout
from rlmc.errors import WireError
from rlmc.wire import PROTOCOLS
from rlmc.wire.assemble import Assembler
from rlmc.wire.codec import Codec

every_codec = pytest.mark.parametrize("codec", PROTOCOLS.values(), ids=PROTOCOLS.keys())

completions = st.builds(
    Completion,
    model=st.just("m"),
    parts=st.lists(
        st.sampled_from(
            [Text("Yes."), Text("é" * 700), ToolCall("c1", "Read", '{"a":[1,"é"]}'), ToolCall("c2", "X", "{}")]
        ),
        max_size=4,
    ).map(tuple),
    stop_reason=st.sampled_from(["end_turn", "tool_use"]),
    usage=st.none(),
    id=st.just("msg_1"),
)
places = st.lists(st.integers(0, 4_000), max_size=12)


def pieces(data: bytes, at: list[int]) -> list[bytes]:
    marks = sorted({0, len(data), *(place for place in at if place < len(data))})
    return [data[start:end] for start, end in pairwise(marks)]


def run(worker: Any, data: list[bytes]) -> list[Any]:
    return [worker.feed(piece) for piece in data] + [worker.close()]


def test_the_table_names_its_codecs() -> None:
    assert {codec.name for codec in PROTOCOLS.values()} == set(PROTOCOLS)


@every_codec
@given(data=st.binary(max_size=200))
def test_any_bytes_are_a_value_or_a_wire_error(codec: Codec, data: bytes) -> None:
    decoders: list[Callable[[], object]] = [
        lambda: codec.decode_request(data),
        lambda: codec.decode_completion(data),
        lambda: codec.replace_model(data, "m"),
        lambda: codec.append_user_text(data, "t"),
        lambda: codec.prewarm_body(data),
        lambda: codec.add_marker(data, Layout((b"",), (0,), (0,), (), (0,)), 0, "5m"),
        lambda: codec.draft_body(ChatRequest(data, "m", False, None, ()), "m", DraftShape()),
        lambda: run(codec.stream_decoder(), [data]),
        lambda: run(codec.rewriter(drop_prefix="x"), [data]),
    ]
    for decode in decoders:
        with suppress(WireError):
            assert decode() is not None
    for encoding in (None, "gzip", "deflate", "br"):
        for stream in (True, False):
            run(codec.usage_tap(stream=stream, encoding=encoding), [data])


@every_codec
@given(completion=completions, usage=usages)
def test_a_whole_answer_survives(codec: Codec, completion: Completion, usage: Usage) -> None:
    back = codec.decode_completion(codec.encode_completion(completion, usage))
    assert (back.model, back.parts, back.stop_reason, back.usage) == (
        completion.model,
        completion.parts,
        completion.stop_reason,
        usage,
    )


@every_codec
@given(completion=completions, usage=usages, at=places)
def test_a_streamed_answer_survives_any_cut(codec: Codec, completion: Completion, usage: Usage, at: list[int]) -> None:
    raw = b"".join(codec.encode_completion_stream(completion, usage))
    for answer in (raw, b"".join(run(codec.rewriter(), pieces(raw, at)))):
        assembler = Assembler()
        for deltas in run(codec.stream_decoder(), pieces(answer, at)):
            for delta in deltas:
                assembler.feed(delta)
        back = assembler.result()
        assert back is not None
        assert (back.parts, back.stop_reason, back.usage) == (completion.parts, completion.stop_reason, usage)


@every_codec
@given(completion=completions, usage=usages, at=places, stream=st.booleans())
def test_a_tap_reads_the_usage_either_way(
    codec: Codec, completion: Completion, usage: Usage, at: list[int], stream: bool
) -> None:
    whole = codec.encode_completion(completion, usage)
    raw = b"".join(codec.encode_completion_stream(completion, usage)) if stream else whole
    tap = codec.usage_tap(stream=stream, encoding=None)
    run(tap, pieces(raw, at))
    assert (tap.usage, tap.complete, tap.error) == (usage, True, None)
    assert (tap.model, tap.stop_reason) == (completion.model, completion.stop_reason)


@every_codec
def test_a_torn_stream_is_no_answer(codec: Codec) -> None:
    raw = list(codec.encode_completion_stream(Completion("m", (Text("x" * 900),), "end_turn", None), Usage()))
    torn = b"".join(raw[: len(raw) // 2])
    deltas = [delta for some in run(codec.stream_decoder(), [torn]) for delta in some]
    assert isinstance(deltas[-1], StreamError)
    tap = codec.usage_tap(stream=True, encoding=None)
    run(tap, [torn])
    assert not tap.complete
    assert tap.output_chars > 0


@every_codec
def test_events_around_an_answer_are_no_part_of_it(codec: Codec) -> None:
    answer = b"".join(codec.encode_completion_stream(Completion("m", (Text("x"),), "end_turn", None), Usage()))
    decoder, assembler = codec.stream_decoder(), Assembler()
    for delta in decoder.feed(codec.ping() + answer) + decoder.close():
        assembler.feed(delta)
    completion = assembler.result()
    assert completion is not None
    assert completion.text == "x"
    failed = codec.stream_decoder().feed(codec.encode_stream_error(529, "Busy"))
    assert failed == [StreamError("overloaded_error", "Busy")]
    assert b"No such thing" in codec.encode_error(404, "No such thing")
