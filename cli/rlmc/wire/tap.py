"""What taps of all protocols share: the taps on an answer in one piece, on a stream, and on bytes that cannot be read.

Rules: a tap never raises, and changes nothing of what it watches.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable

from rlmc.domain.chat import Completion, Text, ToolCall, Usage
from rlmc.errors import WireError
from rlmc.wire.codec import UsageTap
from rlmc.wire.inflate import Inflater
from rlmc.wire.sse import MAX_EVENT, Blocks

# A body larger than this is no answer of a model.
_MOST = 64 * 1024 * 1024

_BOM_BEGIN = b"\xef"
_READABLE = frozenset({"identity", "gzip", "x-gzip", "deflate"})


class Tap:
    """What all share; alone it is the tap on an encoding that cannot be read, and sees nothing."""

    def __init__(self, inflater: Inflater | None = None) -> None:
        self.model: str | None = None
        self.usage: Usage | None = None
        self.stop_reason: str | None = None
        self.complete = False
        self.error: str | None = None
        self.output_chars = 0
        self._inflater = inflater

    def feed(self, data: bytes) -> None:
        if self._inflater is None:
            self._take(data)
        else:
            for piece in self._inflater.feed(data):
                self._take(piece)

    def close(self) -> None:
        """The bytes have ended; nothing to do where nothing was kept."""

    def _take(self, data: bytes) -> None:
        """Nothing is seen of what cannot be read."""


class EventTap(Tap, ABC):
    """For a stream: each event is looked at when it has come."""

    def __init__(self, inflater: Inflater | None = None) -> None:
        super().__init__(inflater)
        self._blocks = Blocks()
        self._begun = self._between = False  # kept here, as this is asked of every piece of every stream
        self._dead = False

    def close(self) -> None:
        if not self._dead:
            self._look(self._blocks.close())
        self._dead = True

    def _take(self, data: bytes) -> None:
        if self._dead:
            return
        end = data[-3:]
        if not self._begun and data:
            self._begun = True
            if not data.startswith(_BOM_BEGIN):
                self._blocks.begin()
                self._between = True
        if self._between and end[-2:] == b"\n\n" != end[:2] and b"\r" not in data and len(data) <= MAX_EVENT:
            self._events(data)  # most pieces are whole events
        else:
            self._look(self._blocks.feed(data))
            self._between = self._blocks.between

    def _look(self, blocks: Iterable[bytes]) -> None:
        try:
            for block in blocks:
                self._event(block)
        except WireError:
            self._dead = True  # an event too large to be one

    def _events(self, data: bytes) -> None:
        """Whole events, each with a blank line of two LF, in a stream without a CR so far."""
        for block in data[:-2].split(b"\n\n"):
            self._event(block)

    @abstractmethod
    def _event(self, block: bytes) -> None:
        """What of an event the books want, with its blank line or without; one that cannot be read is passed over."""


class BodyTap(Tap):
    """For an answer in one piece: read when it has all come."""

    def __init__(self, decode: Callable[[bytes], Completion], inflater: Inflater | None = None) -> None:
        super().__init__(inflater)
        self._decode = decode
        self._parts: list[bytes] = []
        self._size = 0

    def _take(self, data: bytes) -> None:
        self._size += len(data)
        if self._size <= _MOST:
            self._parts.append(data)
        else:
            self._parts.clear()

    def close(self) -> None:
        body = b"".join(self._parts)
        self._parts.clear()
        if not body:
            return
        try:
            completion = self._decode(body)
        except WireError as error:
            self.error = error.message
            return
        self.model, self.usage, self.stop_reason = completion.model, completion.usage, completion.stop_reason
        self.output_chars = sum(
            len(part.text) if isinstance(part, Text) else len(part.arguments)
            for part in completion.parts
            if isinstance(part, Text | ToolCall)
        )
        self.complete = True


def tap_on(
    encoding: str | None,
    *,
    stream: Callable[[Inflater | None], UsageTap] | None,
    decode: Callable[[bytes], Completion],
) -> UsageTap:
    """The tap on an answer sent in this encoding; `stream` makes the one for a stream, None for an answer in one piece,
    which `decode` reads."""
    name = (encoding or "identity").strip().lower()
    if name not in _READABLE:
        return Tap()
    inflater = None if name == "identity" else Inflater()
    return stream(inflater) if stream is not None else BodyTap(decode, inflater)
