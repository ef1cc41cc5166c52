"""Watches an answer on its way through and keeps what the books need, without a hand on the bytes.

Rules: a tap never raises, and looks closely only at the few events that can matter; text is counted, not decoded.
"""

from __future__ import annotations

import re

from rlmc.domain.chat import Started, Stopped, Stopping, StreamError
from rlmc.errors import WireError
from rlmc.wire.anthropic.events import EventReader
from rlmc.wire.anthropic.response import decode_completion
from rlmc.wire.codec import UsageTap
from rlmc.wire.inflate import Inflater
from rlmc.wire.sse import parse_block
from rlmc.wire.tap import EventTap, tap_on

# A piece of text or of a call's arguments, as the provider itself writes it: in every letter, so that what is between
# the quotes is all of it. Most events of most answers are such.
_PIECES = re.compile(
    rb"event: content_block_delta\n(?:(?<=\n\nevent: content_block_delta\n)|(?<=\Aevent: content_block_delta\n))data: "
    rb'\{"type":"content_block_delta","index":\d+,"delta":'
    rb'\{"type":"(?:text_delta","text|input_json_delta","partial_json)":"([^"\\\n]*(?:\\[^\n][^"\\\n]*)*)"\}\}\n\n'
)
# With fewer events at once, one after another is as quick.
_MANY = 4


class StreamTap(EventTap):
    def __init__(self, inflater: Inflater | None = None) -> None:
        super().__init__(inflater)
        self._reader = EventReader()

    def _events(self, data: bytes) -> None:
        if data.count(b"\n\n") >= _MANY:
            parts = _PIECES.split(data)
            pieces, data = b"".join(parts[1::2]), b"".join(parts[::2])
            self.output_chars += len(pieces) - pieces.count(b"\\")
        if data:
            super()._events(data)

    def _event(self, block: bytes) -> None:
        # Inside a JSON string the quotes would be escaped: this is the event's type and nothing else.
        if b'"content_block_delta"' in block:
            # Roughly: the bytes between the quotes, without the backslashes of escapes.
            key = b'"partial_json":' if b'"input_json_delta"' in block else b'"text":'
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
