"""Watches an answer on its way through and keeps what the books need, without a hand on the bytes.

Rules: a tap never raises, and looks closely only at the few events that can matter; text is counted, not decoded.
"""

from __future__ import annotations

import re

from rlmc.domain.chat import Started, Stopped, Stopping, StreamError
from rlmc.errors import WireError
from rlmc.wire.codec import UsageTap
from rlmc.wire.inflate import Inflater
from rlmc.wire.responses.events import ItemReader
from rlmc.wire.responses.response import decode_completion
from rlmc.wire.sse import parse_block
from rlmc.wire.tap import EventTap, tap_on

# Inside a JSON string the quotes would be escaped: these are types of events, or an error, and nothing else.
_TELLING = re.compile(
    rb'"type"\s*:\s*"(?:response\.(?:created|output_item\.|completed|incomplete|failed|cancelled|done)|error")'
    rb'|"error"\s*:\s*[{"]'
)
_SAID = re.compile(
    rb'"type"\s*:\s*"response\.(?:output_text|refusal|function_call_arguments|custom_tool_call_input)\.delta"'
)
_DELTA = re.compile(rb'"delta"\s*:\s*"((?:[^"\\]|\\.)*+)"')


class StreamTap(EventTap):
    def __init__(self, inflater: Inflater | None = None) -> None:
        super().__init__(inflater)
        self._reader = ItemReader()

    def _event(self, block: bytes) -> None:
        if _SAID.search(block):
            found = _DELTA.search(block)
            if found:
                self.output_chars += len(found[1]) - found[1].count(b"\\")
        elif _TELLING.search(block):
            self._read(block)

    def _read(self, block: bytes) -> None:
        if self._reader.over:
            return
        try:
            deltas = self._reader.read(parse_block(block).data)
        except WireError:
            return
        for delta in deltas:
            match delta:
                case Started(_, model, usage):
                    self.model, self.usage = model or self.model, usage or self.usage
                case Stopping(stop_reason, usage):
                    self.stop_reason, self.usage = stop_reason, usage or self.usage
                case Stopped():
                    self.complete = True
                case StreamError(kind, message):
                    self.error = f"{kind}: {message}"


def usage_tap(*, stream: bool, encoding: str | None) -> UsageTap:
    return tap_on(encoding, stream=StreamTap if stream else None, decode=decode_completion)
