"""A streamed answer: bytes, cut anywhere, to deltas.

Rule: a decoder never raises, whatever breaks is its last delta (`StreamError`). Only a terminal event ends an answer.
"""

from __future__ import annotations

from collections.abc import Iterable

from rlmc.domain.chat import Delta, StreamError
from rlmc.errors import WireError
from rlmc.wire.responses.events import ItemReader
from rlmc.wire.sse import Event, EventDecoder

MALFORMED = "malformed_stream"
INCOMPLETE = "incomplete_stream"

# Some servers end any stream with this line.
_END_MARK = b"[DONE]"


class AnswerDecoder:
    """Bytes to deltas, up to the end or the first failure; whatever comes after either is passed over."""

    def __init__(self) -> None:
        self._events = EventDecoder()
        self._reader = ItemReader()
        self._over = False

    def feed(self, data: bytes) -> list[Delta]:
        return self._read(self._events.feed(data))

    def close(self) -> list[Delta]:
        """The bytes have ended."""
        out = self._read(self._events.close())
        if not self._over:
            self._over = True
            out.append(StreamError(INCOMPLETE, "The answer ended before it was complete."))
        return out

    def _read(self, events: Iterable[Event]) -> list[Delta]:
        out: list[Delta] = []
        if self._over:
            return out
        try:
            for event in events:
                data = event.data.strip()
                if not data or data == _END_MARK:
                    continue
                out += self._reader.read(data)
                if self._reader.over:
                    self._over = True
                    break
        except WireError as error:
            self._over = True
            out.append(StreamError(MALFORMED, error.message))
        return out
