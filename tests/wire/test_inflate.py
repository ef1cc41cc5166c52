from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.wire import cut, places

from rlmc.wire import inflate
from rlmc.wire.inflate import Inflater


def raw_deflate(data: bytes) -> bytes:
    engine = zlib.compressobj(wbits=-15)
    return engine.compress(data) + engine.flush()


def unpack(inflater: Inflater, pieces: list[bytes]) -> bytes:
    return b"".join(out for piece in pieces for out in inflater.feed(piece))


@given(st.binary(max_size=3_000), places, st.sampled_from([gzip.compress, zlib.compress, raw_deflate]))
def test_every_format_unpacks_however_it_is_cut(data: bytes, at: list[int], pack: Callable[[bytes], bytes]) -> None:
    assert unpack(Inflater(), cut(pack(data), at)) == data


def test_members_may_follow_each_other() -> None:
    assert unpack(Inflater(), [gzip.compress(b"a") + gzip.compress(b"b")]) == b"ab"


def test_a_bomb_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inflate, "_MOST", 1_000_000)
    inflater = Inflater()
    assert len(unpack(inflater, [gzip.compress(bytes(50_000_000))])) <= 1_000_000
    assert inflater.failed


@pytest.mark.parametrize(
    ("begin", "more"),
    [
        (b"\x1f\x8b\x08\x08" + bytes(6), b"a" * 1_000),
        (b"", gzip.compress(b"") * 50),
        (b"\x78\x9c", b"\x00\x00\x00\xff\xff" * 200),
    ],
    ids=["a name without an end", "empty members", "empty blocks"],
)
def test_what_unpacks_to_nothing_is_not_kept(begin: bytes, more: bytes) -> None:
    inflater = Inflater()
    tracemalloc.start()
    try:
        assert unpack(inflater, [begin]) == b""
        for _ in range(4_000):
            assert unpack(inflater, [more]) == b""
        assert not inflater.failed
        assert tracemalloc.get_traced_memory()[0] < 400_000
    finally:
        tracemalloc.stop()


@given(st.lists(st.binary(max_size=50), max_size=5))
def test_any_bytes_do_no_harm(pieces: list[bytes]) -> None:
    unpack(Inflater(), pieces)
