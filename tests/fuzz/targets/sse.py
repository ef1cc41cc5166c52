"""The event stream decoder: against a naive one that needs all the bytes, and against itself with the bytes cut."""

from __future__ import annotations

import zlib

from tests.fuzz.target import Target, cut

from rlmc.errors import WireError
from rlmc.wire.sse import Event, EventDecoder

_LIMIT = 40


def run(data: bytes) -> bool:
    whole = _events(EventDecoder(), [data])
    assert [(event.name, event.data) for event in whole] == _naive(data)
    assert _events(EventDecoder(), cut(data)) == whole
    raw = b"".join(event.raw for event in whole)
    assert data.removeprefix(b"\xef\xbb\xbf").startswith(raw)
    if zlib.crc32(data) % 4 == 0:
        _bounded(data, whole)
    return bool(whole)


def _events(decoder: EventDecoder, pieces: list[bytes]) -> list[Event]:
    return [event for piece in pieces for event in decoder.feed(piece)] + list(decoder.close())


def _bounded(data: bytes, whole: list[Event]) -> None:
    """With a limit the same events come, up to the first that is too large."""
    decoder = EventDecoder(_LIMIT)
    seen: list[Event] = []
    try:
        for piece in cut(data):
            for event in decoder.feed(piece):
                seen.append(event)  # noqa: PERF402 - what came before the error counts
        seen += decoder.close()
    except WireError:
        assert seen == whole[: len(seen)]
        assert all(len(event.raw) <= _LIMIT for event in seen)
        assert len(data) > _LIMIT
    else:
        assert seen == whole


def _naive(data: bytes) -> list[tuple[str, bytes]]:
    """As the standard tells it, all at once."""
    lines = data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    found = []
    for block in lines.split(b"\n\n")[:-1]:
        name, values = b"", []
        for line in block.split(b"\n"):
            field, _, value = line.partition(b":")
            value = value[1:] if value.startswith(b" ") else value
            if field == b"data":
                values.append(value)
            elif field == b"event":
                name = value
        found.append((name.decode(errors="replace"), b"\n".join(values)))
    return found


TARGETS = (
    Target(
        "sse",
        run,
        (b"data: ", b"data:", b"data", b"event: ", b"event:x\n", b"id: 1\n", b": ping\n", b"retry: 5\n", b"\n\n",
         b"\r\r", b"\r\n\r\n", b"\n\r", b"\r", b"\xef\xbb\xbf", b"\xef\xbb", b"\x85", b"\x0b", b"\x0c", b"\x1c",
         b"data: " + b"x" * 45 + b"\n\n"),
        120,
    ),
)  # fmt: skip
