from __future__ import annotations

import gzip
import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.chat_wire import answers, chunk, event, noise, piece, stream
from tests.support.wire import cut, places

from rlmc.domain.chat import Stopped, Stopping, StreamError, Usage
from rlmc.wire.chat.stream import AnswerDecoder
from rlmc.wire.chat.tap import usage_tap
from rlmc.wire.codec import UsageTap

USAGE = {"prompt_tokens": 97, "completion_tokens": 42, "prompt_tokens_details": {"cached_tokens": 90}}
BILLED = Usage(input=7, cache_read=90, output=42)


def watch(*pieces: bytes, stream: bool = True, encoding: str | None = None) -> UsageTap:
    tap = usage_tap(stream=stream, encoding=encoding)
    for data in pieces:
        tap.feed(data)
    tap.close()
    return tap


def seen(tap: UsageTap) -> tuple[object, ...]:
    return (tap.model, tap.usage, tap.stop_reason, tap.complete, tap.error, tap.output_chars)


def test_a_stream() -> None:
    raw = stream(
        chunk({"role": "assistant", "content": ""}, usage=None),
        chunk({"reasoning_content": "hm " * 9}),
        chunk({"content": "Hi \n"}),
        chunk({"tool_calls": [piece(id="a", name="Read", arguments='{"a": 1}')]}),
        chunk({}, "stop"),
        {"choices": [], "usage": USAGE},
    )
    tap = watch(raw)
    assert (tap.model, tap.usage, tap.stop_reason, tap.complete, tap.error) == ("m", BILLED, "tool_use", True, None)
    assert tap.output_chars == len('Hi n{"a": 1}')


def test_a_body() -> None:
    message = {"role": "assistant", "content": "Hi"}
    whole = {"model": "m", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": USAGE}
    tap = watch(json.dumps(whole).encode(), stream=False)
    assert seen(tap) == ("m", BILLED, "end_turn", True, None, 2)
    failed = watch(b'{"error":{"message":"no"}}', stream=False)
    assert failed.error is not None
    assert not failed.complete


def test_usage_in_every_chunk_is_the_last() -> None:
    every = [chunk({"content": "a"}, usage=USAGE | {"completion_tokens": n}) for n in (1, 2, 3)]
    tap = watch(stream(*every, done=False))
    assert tap.usage == Usage(input=7, cache_read=90, output=3)
    assert not tap.complete


def test_a_null_before_what_is_said_hides_nothing() -> None:
    both = chunk({"content": "a"}, usage=USAGE)
    both["choices"] = [{"index": 1, "delta": {}, "finish_reason": None, "usage": None}, *both["choices"]]
    both["choices"][1]["finish_reason"] = "length"
    tap = watch(event(chunk({})), event(both))
    assert (tap.usage, tap.stop_reason) == (BILLED, "max_tokens")


def test_text_that_looks_like_a_chunk_is_text() -> None:
    for text in ('"usage": {"prompt_tokens": 5}', '{"error": "x"}', '"finish_reason": "stop"', "[DONE]"):
        tap = watch(stream(chunk({"content": text}), done=False))
        assert (tap.usage, tap.stop_reason, tap.complete, tap.error) == (None, None, False, None)


def test_errors_show() -> None:
    tap = watch(event(chunk({"content": "a"})), event({"error": {"message": "busy", "code": 503}}), event("[DONE]"))
    assert tap.error == "overloaded_error: busy"
    assert watch(event(chunk({}, "error"))).error is not None
    assert watch(event(chunk({})) + b'event: error\ndata: {"message":"oops"}\n\n').error == "api_error: oops"


def test_an_end_without_the_mark() -> None:
    assert watch(stream(chunk({"content": "a"}, "stop"), done=False)).complete
    assert not watch(stream(chunk({"content": "a"}), done=False)).complete
    called = chunk({"tool_calls": [piece(id="a", name="Read", arguments="{}")]}, "stop")
    assert watch(stream(called, done=False)).stop_reason == "tool_use"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br"])
def test_encodings(encoding: str) -> None:
    import zlib

    raw = stream(chunk({"content": "a"}, "stop", usage=USAGE))
    packers: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "deflate": zlib.compress}
    packed = packers[encoding](raw) if encoding in packers else b"\x00" + raw
    assert watch(packed, encoding=encoding).usage == (BILLED if encoding in packers else None)


@given(st.one_of(answers(), noise), places)
def test_the_cut_never_matters(data: bytes, at: list[int]) -> None:
    assert seen(watch(*cut(data, at))) == seen(watch(data))


said = st.sampled_from(
    ["hi", " there", "x: y", "[DONE]", "event: x", 'a "q"', "b\\", "\n", "tool_calls", "_call", '"content":"x"', "é"]
)
alike = st.lists(
    st.builds(
        lambda text, model, end: event(
            {"model": model, "choices": [{"delta": {"content": text}, "finish_reason": end}]}
        ),
        said,
        st.sampled_from(["m", "m", "m", "n"]),
        st.sampled_from([None] * 8 + ["stop"]),
    ),
    max_size=12,
)


@given(alike, places)
def test_chunks_that_are_alike_are_counted_as_they_are_one_by_one(chunks: list[bytes], at: list[int]) -> None:
    whole = b"".join(chunks)
    byte_by_byte = [whole[n : n + 1] for n in range(len(whole))]
    assert seen(watch(*chunks)) == seen(watch(whole)) == seen(watch(*cut(whole, at))) == seen(watch(*byte_by_byte))


@given(st.one_of(answers(), noise))
def test_a_tap_agrees_with_the_decoder(data: bytes) -> None:
    decoder = AnswerDecoder()
    deltas = decoder.feed(data) + decoder.close()
    tap = watch(data)
    if isinstance(deltas[-1], Stopped):
        stopping = next(delta for delta in deltas if isinstance(delta, Stopping))
        assert (tap.usage, tap.stop_reason, tap.complete) == (stopping.usage, stopping.stop_reason, True)
    else:
        assert isinstance(deltas[-1], StreamError)


@given(st.binary(max_size=200), st.booleans(), st.sampled_from([None, "gzip", "br"]))
def test_any_bytes(data: bytes, stream: bool, encoding: str | None) -> None:
    watch(data, stream=stream, encoding=encoding)
