from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.responses_wire import (
    added,
    answer,
    answers,
    argued,
    call,
    completed,
    created,
    done,
    event,
    message,
    noise,
    reasoning,
    said,
)
from tests.support.wire import cut, places

from rlmc.domain.chat import Stopped, Stopping, StreamError, Usage
from rlmc.wire.codec import UsageTap
from rlmc.wire.responses.stream import AnswerDecoder
from rlmc.wire.responses.tap import usage_tap

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
    text, read = message("Hi \n"), call("a", "Read", '{"a": 1}')
    raw = (
        created(),
        done(0, reasoning("hm " * 9)),
        added(1, text),
        said(1, "Hi \n"),
        done(1, text),
        added(2, read),
        argued(2, '{"a": 1}'),
        done(2, read),
        completed(text, read),
    )
    assert seen(watch(*raw)) == ("m", BILLED, "tool_use", True, None, len('Hi n{"a": 1}'))


def test_an_end_that_does_not_repeat_the_output() -> None:
    assert watch(created(), added(0, call("a", "Read")), completed()).stop_reason == "tool_use"
    assert watch(created(), done(0, call("a", "Read")), completed()).stop_reason == "tool_use"


def test_a_body() -> None:
    assert seen(watch(json.dumps(answer(message("Hi"))).encode(), stream=False)) == (
        *("m", BILLED, "end_turn", True, None),
        2,
    )
    failed = watch(b'{"error":{"message":"no"}}', stream=False)
    assert failed.error is not None
    assert not failed.complete


def test_text_that_looks_like_an_event_is_text() -> None:
    for text in ('{"type": "response.completed"}', '"type":"error"', '"error": {"message": "x"}'):
        tap = watch(created(), said(0, text), done(0, message(text)))
        assert (tap.usage, tap.stop_reason, tap.complete, tap.error) == (None, None, False, None)


def test_errors_show() -> None:
    failed = answer(status="failed", error={"code": "rate_limit_exceeded", "message": "slow"})
    tap = watch(created(), said(0, "Hi"), event("response.failed", response=failed), completed())
    assert (tap.error, tap.complete, tap.output_chars) == ("rate_limit_error: slow", False, 2)
    assert watch(event("error", code="server_error", message="oops")).error == "api_error: oops"
    assert watch(b'data: {"error": {"message": "busy", "code": 503}}\n\n').error == "overloaded_error: busy"


def test_an_answer_that_breaks_off() -> None:
    tap = watch(created(), said(0, "Hi"), b"data: [DONE]\n\n")
    assert seen(tap) == ("m", None, None, False, None, 2)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br"])
def test_encodings(encoding: str) -> None:
    raw = created() + completed()
    packers: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "deflate": zlib.compress}
    packed = packers[encoding](raw) if encoding in packers else b"\x00" + raw
    assert watch(packed, encoding=encoding).usage == (BILLED if encoding in packers else None)


@given(st.one_of(answers, noise), places)
def test_the_cut_never_matters(data: bytes, at: list[int]) -> None:
    assert seen(watch(*cut(data, at))) == seen(watch(data))


@given(answers)
def test_a_tap_agrees_with_the_decoder(data: bytes) -> None:
    decoder = AnswerDecoder()
    deltas = decoder.feed(data) + decoder.close()
    tap = watch(data)
    (stopping,) = [delta for delta in deltas if isinstance(delta, Stopping)]
    assert (tap.model, tap.usage, tap.stop_reason, tap.complete) == ("m", stopping.usage, stopping.stop_reason, True)


@given(noise)
def test_a_tap_sees_the_end_a_decoder_sees(data: bytes) -> None:
    decoder = AnswerDecoder()
    deltas = decoder.feed(data) + decoder.close()
    if isinstance(deltas[-1], Stopped):
        assert watch(data).complete
    else:
        assert isinstance(deltas[-1], StreamError)


@given(st.binary(max_size=200), st.booleans(), st.sampled_from([None, "gzip", "br"]))
def test_any_bytes(data: bytes, stream: bool, encoding: str | None) -> None:
    watch(data, stream=stream, encoding=encoding)
