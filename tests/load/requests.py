"""The requests of the load beside those of the bench: large ones, and one whose answer is long."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import msgspec
from tests.bench.requests import MODEL

_FLOOD = b'"user_flood_'
_MESSAGE = "do the next step "


@functools.cache
def large_body(size: int) -> bytes:
    """A streamed turn of about `size` bytes: one user who has pasted a lot."""
    return _request("user_bench_pause_0", _MESSAGE * (size // len(_MESSAGE) - 20))


def flood_body(pieces: int) -> bytes:
    """A small request for an answer of so many pieces; see `upstream.flood_size`."""
    return _request(f"user_flood_{pieces}", _MESSAGE)


def flood_of(body: Sequence[bytes]) -> int | None:
    """How many pieces a request is for, None where it is no flood. It stands in the first bytes of the body."""
    head = body[0][:400] if body else b""
    at = head.find(_FLOOD)
    return None if at < 0 else int(head[at + len(_FLOOD) : head.index(b'"', at + len(_FLOOD))])


def _request(user_id: str, text: str) -> bytes:
    return msgspec.json.encode(
        {
            "model": MODEL,
            "max_tokens": 1024,
            "metadata": {"user_id": user_id},
            "stream": True,
            "messages": [{"role": "user", "content": [{"type": "text", "text": text}]}],
        }
    )
