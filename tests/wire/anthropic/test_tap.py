from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.wire import ANSWER, answers, cut, event, fixture, noise, places

from rlmc.domain.chat import Stopped, Stopping
from rlmc.wire.anthropic.stream import AnswerDecoder
from rlmc.wire.anthropic.tap import usage_tap
from rlmc.wire.codec import UsageTap


def watch(*pieces: bytes, stream: bool = True, encoding: str | None = None) -> UsageTap:
    tap = usage_tap(stream=stream, encoding=encoding)
    for piece in pieces:
        tap.feed(piece)
    tap.close()
    return tap


def seen(tap: UsageTap) -> tuple[object, ...]:
    return (tap.model, tap.usage, tap.stop_reason, tap.complete, tap.error, tap.output_chars)


def test_a_stream() -> None:
    tap = watch(fixture("answer.sse"))
    assert (tap.model, tap.usage, tap.stop_reason) == ("claude-opus-5-5", ANSWER.usage, "tool_use")
    assert (tap.complete, tap.error) == (True, None)
    assert tap.output_chars == len("I will read it.") + len('{"file_path":"/p/a.txt","limit":2.0}')


def test_a_body() -> None:
    tap = watch(fixture("answer.json"), stream=False)
    assert (tap.model, tap.usage, tap.stop_reason) == ("claude-opus-5-5", ANSWER.usage, "tool_use")
    assert (tap.complete, tap.error) == (True, None)
    assert tap.output_chars == len("I will read it.") + len('{"file_path":"/p/a.txt","limit":2.0}')


def test_usage_is_known_before_the_end() -> None:
    raw = fixture("answer.sse")
    tap = watch(raw[: raw.index(b"event: message_delta")])
    assert tap.usage is not None
    assert (tap.usage.cache_read, tap.usage.output) == (2000, 2)
    assert (tap.complete, tap.stop_reason) == (False, None)


def test_padded_and_escaped_text_is_counted_roughly() -> None:
    delta = b'{"type": "content_block_delta", "delta": {"type": "text_delta", "text":"a\\n\\"b\\""}, "index": 0}'
    assert watch(b"event: content_block_delta\ndata: " + delta + b"   \n\n").output_chars in range(4, 25)
    thought = {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "x" * 99}}
    assert watch(event(thought)).output_chars == 0


def test_text_that_looks_like_an_event_is_text() -> None:
    text = 'event: message_delta {"type":"message_delta","usage":{"output_tokens":999}} "content_block_delta"'
    delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}
    opening = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": text}}
    tap = watch(event(opening) + event(delta))
    assert (tap.usage, tap.complete) == (None, False)


def test_an_event_that_cannot_be_read_hides_no_others() -> None:
    tap = watch(b"event: message_delta\ndata: {\n\n" + fixture("answer.sse"))
    assert (tap.usage, tap.complete) == (ANSWER.usage, True)


@pytest.mark.parametrize("stream", [True, False])
def test_an_error_is_noted(stream: bool) -> None:
    failure = {"type": "error", "error": {"type": "overloaded_error", "message": "Busy"}}
    tap = watch(event(failure) if stream else json.dumps(failure).encode(), stream=stream)
    assert tap.error is not None
    assert "overloaded_error: Busy" in tap.error
    assert not tap.complete


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress), (" GZIP ", gzip.compress)]
)
def test_compressed_answers_are_read_from_a_copy(stream: bool, encoding: str, pack: Callable[[bytes], bytes]) -> None:
    raw = fixture("answer.sse" if stream else "answer.json")
    packed = pack(raw)
    plain = watch(raw, stream=stream)
    assert seen(watch(*cut(packed, [7, 100, 150]), stream=stream, encoding=encoding)) == seen(plain)
    torn = watch(packed[:-40], stream=stream, encoding=encoding)
    assert not torn.complete


@pytest.mark.parametrize("stream", [True, False])
def test_an_unknown_encoding_is_not_guessed_at(stream: bool) -> None:
    assert seen(watch(fixture("answer.sse"), stream=stream, encoding="br")) == (None, None, None, False, None, 0)


@given(answers(), places)
def test_a_tap_sees_what_a_decoder_sees(data: bytes, at: list[int]) -> None:
    decoder = AnswerDecoder()
    deltas = decoder.feed(data) + decoder.close()
    tap = watch(*cut(data, at))
    stopping = next(delta for delta in deltas if isinstance(delta, Stopping))
    assert (tap.usage, tap.stop_reason) == (stopping.usage, stopping.stop_reason)
    assert tap.complete == (Stopped() in deltas)


@given(
    st.one_of(st.binary(), noise),
    places,
    st.booleans(),
    st.sampled_from([None, "identity", "gzip", "deflate", "zstd"]),
    st.booleans(),
)
def test_no_bytes_can_make_it_raise(
    data: bytes, at: list[int], stream: bool, encoding: str | None, packed: bool
) -> None:
    data = zlib.compress(data) if packed else data
    once = watch(data, stream=stream, encoding=encoding)
    other = watch(*cut(data, at), stream=stream, encoding=encoding)
    # How far corrupt compressed bytes can be read depends on the cut; nothing else does.
    assert seen(other) == seen(once) or (encoding in {"gzip", "deflate"} and not packed)


def written(kind: str, text: str) -> bytes:
    """A piece of a block as the provider writes it, and as others might."""
    key = "text" if kind == "text_delta" else "partial_json"
    delta = {"type": kind, key: text}
    data = json.dumps({"type": "content_block_delta", "index": 0, "delta": delta}, separators=(",", ":"))
    return b"event: content_block_delta\ndata: " + data.encode() + b"\n\n"


_SAID = st.text(alphabet='ab"\\\n é{}:,', max_size=12)
_PIECE = st.builds(written, st.sampled_from(["text_delta", "input_json_delta"]), _SAID)
_OTHERS = st.sampled_from(
    [
        b"event: ping\ndata: {}\n\n",
        b": a comment\n\n",
        b"\n\n",
        b'event: content_block_delta\ndata: {"type":"content_block_delta", "index":0}\n\n',
        written("text_delta", "abc")[:-5],  # which runs into what follows
        b'event: message_stop\ndata: {"type":"message_stop"}\n\n',
    ]
)


@given(st.lists(st.one_of(_PIECE, _PIECE, _OTHERS), max_size=20), places)
def test_many_events_at_once_are_what_they_are_one_by_one(events: list[bytes], at: list[int]) -> None:
    data = event({"type": "ping"}) + b"".join(events)
    assert seen(watch(data)) == seen(watch(*cut(data, at))) == seen(watch(*[bytes((byte,)) for byte in data]))
