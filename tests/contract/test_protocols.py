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

from rlmc.domain.chat import ChatRequest, Completion, Failure, Part, StreamError, Text, ToolCall, Usage
from rlmc.domain.layout import Layout
from rlmc.domain.prompt import Prompt, PromptMessage, Result, ToolDefinition
from rlmc.domain.shape import Shape
from rlmc.errors import WireError
from rlmc.wire import PROTOCOLS
from rlmc.wire.assemble import Assembler
from rlmc.wire.codec import Codec
from rlmc.wire.retell import Retelling
from rlmc.wire.tidy import tidy

every_codec = pytest.mark.parametrize("codec", PROTOCOLS.values(), ids=PROTOCOLS.keys())

texts = st.sampled_from([(), (Text("Yes."),), (Text("é" * 700),)])
calls = st.sampled_from([ToolCall("c1", "Read", '{"a":[1,"é"]}'), ToolCall("c2", "X", "{}")])


def answer(parts: tuple[Part, ...]) -> Completion:
    """As any protocol can tell it: words before calls, and where there are calls, they are why it ended."""
    called = any(isinstance(part, ToolCall) for part in parts)
    return Completion("m", parts, "tool_use" if called else "end_turn", None, "msg_1")


completions = st.builds(
    lambda said, called: answer((*said, *called)), texts, st.lists(calls, max_size=2, unique_by=lambda call: call.id)
)
places = st.lists(st.integers(0, 4_000), max_size=12)


def pieces(data: bytes, at: list[int]) -> list[bytes]:
    marks = sorted({0, len(data), *(place for place in at if place < len(data))})
    return [data[start:end] for start, end in pairwise(marks)]


def told(usage: Usage) -> tuple[int, int, int, int]:
    """Of a usage, what every protocol has words for."""
    return (usage.input, usage.cache_read, usage.cache_write_5m + usage.cache_write_1h, usage.output)


def assembled(codec: Codec, data: list[bytes]) -> Completion:
    assembler = Assembler()
    for deltas in run(codec.stream_decoder(), data):
        for delta in deltas:
            assembler.feed(delta)
    found = assembler.result()
    assert found is not None
    return found


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
        lambda: codec.draft_body(ChatRequest(data, "m", False, None, ()), "m", Shape(), {}),
        lambda: codec.read_prompt(data),
        lambda: codec.decode_failure(400, data),
        lambda: run(codec.stream_decoder(), [data]),
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
    assert (back.model, back.parts, back.stop_reason) == (completion.model, completion.parts, completion.stop_reason)
    assert back.usage is not None
    assert told(back.usage) == told(usage)


@every_codec
@given(completion=completions, usage=usages, at=places)
def test_a_streamed_answer_survives_any_cut(codec: Codec, completion: Completion, usage: Usage, at: list[int]) -> None:
    raw = b"".join(codec.encode_completion_stream(completion, usage))
    back = assembled(codec, pieces(raw, at))
    assert (back.parts, back.stop_reason) == (completion.parts, completion.stop_reason)
    assert back.usage is not None
    assert told(back.usage) == told(usage)


@every_codec
@pytest.mark.parametrize("other", PROTOCOLS.values(), ids=PROTOCOLS.keys())
@given(completion=completions, at=places)
def test_an_answer_is_told_again_in_every_protocol(
    codec: Codec, other: Codec, completion: Completion, at: list[int]
) -> None:
    usage = Usage(input=5, cache_read=7, output=11)
    raw = b"".join(codec.encode_completion_stream(completion, usage))
    writer = other.answer_writer(model="m", message_id="msg_1", usage=Usage(input=1))
    retelling = Retelling(codec.stream_decoder(), writer, mint=lambda n: f"call_{n}")
    back = assembled(other, run(retelling, pieces(raw, at)))
    ids = [f"call_{n}" for n in range(len(completion.tool_calls))]
    assert [call.id for call in back.tool_calls] == ids == retelling.calls
    assert [(call.name, call.arguments) for call in back.tool_calls] == [
        (call.name, call.arguments) for call in completion.tool_calls
    ]
    assert (back.text, back.stop_reason) == (completion.text, completion.stop_reason)
    assert back.usage is not None
    assert told(back.usage) == told(usage)


@every_codec
@given(completion=completions, usage=usages, at=places, stream=st.booleans())
def test_a_tap_reads_the_usage_either_way(
    codec: Codec, completion: Completion, usage: Usage, at: list[int], stream: bool
) -> None:
    whole = codec.encode_completion(completion, usage)
    raw = b"".join(codec.encode_completion_stream(completion, usage)) if stream else whole
    tap = codec.usage_tap(stream=stream, encoding=None)
    run(tap, pieces(raw, at))
    assert (tap.complete, tap.error) == (True, None)
    assert tap.usage is not None
    assert told(tap.usage) == told(usage)
    assert (tap.model, tap.stop_reason) == (completion.model, completion.stop_reason)


CONVERSATION = Prompt(
    model="asked",
    stream=True,
    system=("Be brief.",),
    tools=(ToolDefinition("Read", "Reads.", b'{"type":"object","properties":{}}'),),
    tool_choice="auto",
    max_tokens=100,
    messages=(
        PromptMessage("user", (Text("hi"),)),
        PromptMessage("assistant", (Text("So."), ToolCall("c1", "Read", '{"a":1}'), ToolCall("c2", "Read", "{}"))),
        PromptMessage("user", (Result("c1", (Text("one"),)), Result("c2", (Text("two"),)), Text("Well?"))),
    ),
)


@every_codec
def test_a_conversation_survives(codec: Codec) -> None:
    raw = codec.write_prompt(CONVERSATION, "m", Shape(), {}, stream=True, reason=True)
    back = codec.read_prompt(raw)
    assert (back.model, back.stream, back.system, back.max_tokens) == ("m", True, ("Be brief.",), 100)
    assert tidy(back.messages) == CONVERSATION.messages
    assert [(tool.name, tool.description, tool.schema) for tool in back.tools] == [
        (tool.name, tool.description, tool.schema) for tool in CONVERSATION.tools
    ]
    request = codec.decode_request(raw)
    assert [message.role for message in request.messages] == ["user", "assistant", "user"]
    assert [tool.name for tool in request.tools] == ["Read"]


@every_codec
@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (400, "invalid_request_error", None),
        (400, "invalid_request_error", "context_length_exceeded"),
        (401, "authentication_error", None),
        (429, "rate_limit_error", None),
        (500, "api_error", None),
    ],
)
def test_a_failure_survives(codec: Codec, status: int, kind: str, code: str | None) -> None:
    back = codec.decode_failure(status, codec.encode_failure(status, Failure(kind, "It broke.", code)))
    assert back.kind == kind
    assert "It broke." in back.message
    assert code is None or back.code == code


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
