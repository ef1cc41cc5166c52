"""A streamed answer: bytes, cut anywhere, to deltas.

Rule: a decoder never raises, whatever breaks is its last delta (`StreamError`).
"""

from __future__ import annotations

from collections.abc import Iterable

from rlmc.domain.chat import Delta, Stopped, Stopping, StreamError
from rlmc.errors import WireError
from rlmc.wire.anthropic.block_order import BlockOrder
from rlmc.wire.anthropic.events import EventReader
from rlmc.wire.sse import Event, EventDecoder

MALFORMED = "malformed_stream"
INCOMPLETE = "incomplete_stream"


class AnswerDecoder:
    """Bytes to deltas, up to the stop or the first failure; whatever comes after either is passed over."""

    def __init__(self) -> None:
        self._events = EventDecoder()
        self._reader = EventReader()
        self._order = BlockOrder(self._reader.thought)
        self._over = False
        self._stopping = False

    def feed(self, data: bytes) -> list[Delta]:
        return self._read(self._events.feed(data))

    def close(self) -> list[Delta]:
        """The bytes have ended. Without a stop of its own the answer is whole only if it had a stop reason."""
        out = self._read(self._events.close())
        if not self._over:
            self._over = True
            self._order.add(
                Stopped() if self._stopping else StreamError(INCOMPLETE, "The answer ended before it was complete."),
                out,
            )
        return out

    def _read(self, events: Iterable[Event]) -> list[Delta]:
        out: list[Delta] = []
        if self._over:
            return out
        try:
            for event in events:
                delta = self._reader.read(event)
                if delta is None:
                    continue
                self._order.add(delta, out)
                self._stopping = self._stopping or (isinstance(delta, Stopping) and delta.stop_reason is not None)
                if isinstance(delta, Stopped | StreamError):
                    self._over = True
                    break
        except WireError as error:
            self._over = True
            self._order.add(StreamError(MALFORMED, error.message), out)
        return out
