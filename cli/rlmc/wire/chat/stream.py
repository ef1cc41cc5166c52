"""A streamed answer: bytes, cut anywhere, to deltas.

Rule: a decoder never raises, whatever breaks is its last delta (`StreamError`). An answer is complete with `[DONE]`, or
with a reason for its end where the bytes then end too.
"""

from __future__ import annotations

from collections.abc import Iterable

from rlmc.domain.chat import Delta, Stopped, StreamError
from rlmc.errors import WireError
from rlmc.wire.chat.answer_shape import ANSWER, error_in, first_choice
from rlmc.wire.chat.chunks import ChunkReader
from rlmc.wire.chat.finish import FAILED
from rlmc.wire.openai.errors import failure_in
from rlmc.wire.parse import parse
from rlmc.wire.sse import Event, EventDecoder

MALFORMED = "malformed_stream"
INCOMPLETE = "incomplete_stream"

DONE = b"[DONE]"


class AnswerDecoder:
    """Bytes to deltas, up to the end or the first failure; whatever comes after either is passed over."""

    def __init__(self) -> None:
        self._events = EventDecoder()
        self._reader = ChunkReader()
        self._over = False

    def feed(self, data: bytes) -> list[Delta]:
        return self._read(self._events.feed(data))

    def close(self) -> list[Delta]:
        """The bytes have ended."""
        out = self._read(self._events.close())
        if not self._over:
            out += self._end(complete=self._reader.finished is not None)
        return out

    def _read(self, events: Iterable[Event]) -> list[Delta]:
        out: list[Delta] = []
        if self._over:
            return out
        try:
            for event in events:
                if event.data:
                    out += self._event(event)
                if out and isinstance(out[-1], Stopped | StreamError):
                    break
        except WireError as error:
            self._over = True
            out.append(StreamError(MALFORMED, error.message))
        return out

    def _event(self, event: Event) -> list[Delta]:
        data = event.data.strip()
        if data == DONE:
            return self._end(complete=True)
        if event.name == "error" and b'"error"' not in data:
            return self._failed(data)
        answer = parse(ANSWER, data, "An event of the answer")
        error = error_in(answer, data)
        if error:
            return self._failed(error)
        choice = first_choice(answer)
        out = self._reader.read(answer, choice)
        kind = FAILED.get(self._reader.finished or "")
        if kind is not None:
            self._over = True
            out.append(StreamError(kind, f"The provider ended the answer with {self._reader.finished!r}."))
        return out

    def _failed(self, error: bytes) -> list[Delta]:
        self._over = True
        failure = failure_in(error)
        return [StreamError(failure.kind, failure.message)]

    def _end(self, *, complete: bool) -> list[Delta]:
        self._over = True
        if complete and self._reader.started:
            return [*self._reader.end(), Stopped()]
        return [StreamError(INCOMPLETE, "The answer ended before it was complete.")]
