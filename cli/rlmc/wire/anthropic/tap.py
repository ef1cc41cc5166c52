"""Watches an answer on its way through and keeps what the books need, without a hand on the bytes.

Rules: a tap never raises, and looks closely only at the few events that can matter; text is counted, not decoded.
"""

from __future__ import annotations

from rlmc.domain.chat import Started, Stopped, Stopping, StreamError
from rlmc.errors import WireError
from rlmc.wire.anthropic.events import EventReader
from rlmc.wire.anthropic.response import decode_completion
from rlmc.wire.codec import UsageTap
from rlmc.wire.inflate import Inflater
from rlmc.wire.sse import parse_block
from rlmc.wire.tap import EventTap, tap_on


class StreamTap(EventTap):
    def __init__(self, inflater: Inflater | None = None) -> None:
        super().__init__(inflater)
        self._reader = EventReader()

    def _event(self, block: bytes) -> None:
        # Inside a JSON string the quotes would be escaped: this is the event's type and nothing else.
        if b'"content_block_delta"' in block:
            # Roughly: the bytes between the quotes, without the backslashes of escapes.
            key = b'"text":' if b'"text_delta"' in block else b'"partial_json":'
            start = block.find(key)
            if start >= 0:
                start += len(key) + 1
                end = block.rfind(b'"')
                self.output_chars += max(0, end - start - block.count(b"\\", start, end))
        elif b"message" in block or b"error" in block:
            self._read(block)

    def _read(self, block: bytes) -> None:
        try:
            delta = self._reader.read(parse_block(block))
        except WireError:
            return
        match delta:
            case Started(_, model, usage):
                self.model, self.usage = model or self.model, usage or self.usage
            case Stopping(stop_reason, usage):
                self.stop_reason, self.usage = stop_reason or self.stop_reason, usage or self.usage
            case Stopped():
                self.complete = True
            case StreamError(kind, message):
                self.error = f"{kind}: {message}" if message else kind
            case _:
                pass


def usage_tap(*, stream: bool, encoding: str | None) -> UsageTap:
    return tap_on(encoding, stream=StreamTap if stream else None, decode=decode_completion)
