from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.wire import answers, cut, noise, places

from rlmc.errors import WireError
from rlmc.wire.sse import Event, EventDecoder, encode_event


def read(pieces: list[bytes], limit: int = 1_000_000) -> Iterator[Event]:
    decoder = EventDecoder(limit)
    for piece in pieces:
        yield from decoder.feed(piece)
    yield from decoder.close()


def decode(pieces: list[bytes]) -> list[Event]:
    return list(read(pieces))


def told(data: bytes) -> list[tuple[str, bytes]]:
    return [(event.name, event.data) for event in decode([data])]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_every_line_end_means_the_same(end: bytes) -> None:
    lines = [
        b"event: a",
        b"data: 1",
        b"",
        b": comment",
        b"data:2",
        b"data: 3",
        b"data",
        b"",
        b"id: 7",
        b"data:  4",
        b"",
        b"",
    ]
    assert told(end.join(lines)) == [("a", b"1"), ("", b"2\n3\n"), ("", b" 4")]


def test_a_byte_order_mark_at_the_start_is_no_part_of_the_first_event() -> None:
    assert told(b"\xef\xbb\xbfdata: 1\n\n") == [("", b"1")]


def test_an_event_without_its_blank_line_is_none() -> None:
    assert told(b"data: 1\n\ndata: 2\n") == [("", b"1")]


def test_a_block_of_comments_comes_as_an_event_without_data() -> None:
    assert decode([b": ping\n\n"]) == [Event("", b"", b": ping\n\n")]


def test_an_event_beyond_the_limit_is_refused_after_those_before_it() -> None:
    data = b"data: 1\n\n" + b"data: " + b"x" * 50 + b"\n\n"
    for pieces in ([data], [data[:20], data[20:]]):
        seen: list[Event] = []
        with pytest.raises(WireError, match="larger than 40"):
            seen.extend(event for event in read(pieces, 40))
        assert [event.data for event in seen] == [b"1"]


def test_an_unfinished_event_does_not_grow_beyond_the_limit() -> None:
    with pytest.raises(WireError):
        list(read([b"x"] * 41, 40))
    assert list(read([b"x"] * 40, 40)) == []


@given(st.one_of(answers(), noise), places)
def test_the_cut_never_matters(data: bytes, at: list[int]) -> None:
    assert decode(cut(data, at)) == decode([data])


@given(
    st.lists(st.sampled_from([b"a", b"\r", b"\n", b"data: x", b":", b"\xef\xbb\xbf", b"\xef"]), max_size=12).map(
        b"".join
    )
)
def test_byte_by_byte_is_the_same_for_any_line_ends(data: bytes) -> None:
    assert decode([bytes([byte]) for byte in data]) == decode([data])


@given(answers())
def test_no_byte_of_a_stream_is_lost(data: bytes) -> None:
    assert b"".join(event.raw for event in decode([data])) == data.removeprefix(b"\xef\xbb\xbf")


@given(st.from_regex(r"[a-z_]{1,20}", fullmatch=True), st.binary().filter(lambda b: b"\n" not in b and b"\r" not in b))
def test_what_is_encoded_decodes(name: str, data: bytes) -> None:
    assert told(encode_event(name, data)) == [(name, data)]
