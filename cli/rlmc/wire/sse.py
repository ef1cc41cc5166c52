"""Event streams: bytes cut anywhere to events, and events to bytes.

Rule: the cut never matters. An event is known only when the blank line after it is, so a CR at the end of the data so
far waits for a possible LF. What is left over at the end without a blank line is no event.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from rlmc.errors import WireError

MAX_EVENT = 64 * 1024 * 1024

_BOM = b"\xef\xbb\xbf"
# Atomic groups: a CRLF must not be taken for two line ends.
_BLANK_LINE = re.compile(rb"(?>\r\n|\n|\r)(?>\r\n|\n|\r)")


class Event(NamedTuple):
    """One event. `data` is empty for a block of comments alone; `raw` is the block as it came, blank line included."""

    name: str
    data: bytes
    raw: bytes


class Blocks:
    """Cuts a stream into blocks, each with the blank line that ends it.

    The iterators must be read to their end. A block beyond the limit raises `WireError`, after all blocks before it.
    """

    def __init__(self, limit: int = MAX_EVENT) -> None:
        self._limit = limit
        self._parts: list[bytes] = []  # the unfinished block; joined once its end has come, to stay linear
        self._size = 0
        self._tail = b""
        self._fresh = True
        self._cr = False

    @property
    def between(self) -> bool:
        """Whether a block begins with the next byte, in a stream that has not had a CR so far. Bytes in which each
        block ends with two LF, and nothing stands behind, need not be fed then."""
        return not (self._fresh or self._parts or self._cr)

    def begin(self) -> None:
        """The stream has begun with whole blocks that were not fed."""
        self._fresh = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        if self._fresh:
            data = self._without_bom(data)
        if not data:
            return
        self._cr = self._cr or b"\r" in data
        if self._parts:
            if not self._ends_in(self._tail + data):
                self._keep(data)
                return
            data = b"".join((*self._parts, data))
            self._parts.clear()
            self._size = 0
        start = 0
        while (end := self._end(data, start)) > 0:
            if end - start > self._limit:
                raise WireError(f"an event of the stream is larger than {self._limit} bytes")
            yield data[start:end]
            start = end
        self._keep(data[start:] if start else data)

    def close(self) -> Iterator[bytes]:
        """At the end of the stream a waiting CR is a line end."""
        rest = b"".join(self._parts)
        self._parts.clear()
        if self._cr and not self._fresh and rest and (match := _BLANK_LINE.search(rest)) and match.end() == len(rest):
            yield rest

    def _without_bom(self, data: bytes) -> bytes:
        data = b"".join((*self._parts, data))
        self._parts.clear()
        self._size = 0
        if len(data) < len(_BOM) and _BOM.startswith(data):
            self._parts.append(data)
            return b""
        self._fresh = False
        return data.removeprefix(_BOM)

    def _keep(self, data: bytes) -> None:
        if not data:
            return
        self._parts.append(data)
        self._size += len(data)
        self._tail = data[-3:]  # one byte shows a second line end beginning; three, one that waits for its LF
        if self._size > self._limit:
            raise WireError(f"an event of the stream is larger than {self._limit} bytes")

    def _ends_in(self, data: bytes) -> bool:
        return (_BLANK_LINE.search(data) is not None) if self._cr else b"\n\n" in data

    def _end(self, data: bytes, start: int) -> int:
        """Where the block that begins at `start` ends; 0 if it has not ended yet."""
        if not self._cr:
            at = data.find(b"\n\n", start)
            return at + 2 if at >= 0 else 0
        match = _BLANK_LINE.search(data, start)
        if match is None or (match.end() == len(data) and data.endswith(b"\r")):
            return 0
        return match.end()


class EventDecoder:
    """Bytes to events; the iterators must be read to their end."""

    def __init__(self, limit: int = MAX_EVENT) -> None:
        self._blocks = Blocks(limit)

    def feed(self, data: bytes) -> Iterator[Event]:
        for block in self._blocks.feed(data):
            yield parse_block(block)

    def close(self) -> Iterator[Event]:
        for block in self._blocks.close():
            yield parse_block(block)


def parse_block(block: bytes) -> Event:
    name = b""
    data: list[bytes] = []
    for line in block.splitlines():
        field, _, value = line.partition(b":")
        if field == b"data":
            data.append(value.removeprefix(b" "))
        elif field == b"event":
            name = value.removeprefix(b" ")
    return Event(name.decode("utf-8", "replace"), data[0] if len(data) == 1 else b"\n".join(data), block)


def encode_event(name: str, data: bytes) -> bytes:
    """`data` is JSON without line ends, as every encoder here writes it."""
    return b"".join((b"event: ", name.encode(), b"\ndata: ", data, b"\n\n"))
