"""A streamed answer: bytes, cut anywhere, to deltas; and a finished answer to the events of a stream.

Rules: a decoder never raises, whatever breaks is its last delta (`StreamError`). The events written are the ones
clients insist on: named, arguments in pieces, usage at both ends, a proper stop.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from rlmc.domain.chat import Completion, Delta, Stopped, Stopping, StreamError, Text, ToolCall, Usage
from rlmc.errors import WireError
from rlmc.wire.anthropic.blocks import NO_ARGUMENTS
from rlmc.wire.anthropic.events import EventReader
from rlmc.wire.anthropic.response import message_head, visible
from rlmc.wire.anthropic.usage import write_prompt, write_usage
from rlmc.wire.sse import Event, EventDecoder, encode_event

# Characters a piece: few events for a long answer, yet a client that shows text as it comes sees it grow.
_PIECE = 300

MALFORMED = "malformed_stream"
INCOMPLETE = "incomplete_stream"


class AnswerDecoder:
    """Bytes to deltas, up to the stop or the first failure; whatever comes after either is passed over."""

    def __init__(self) -> None:
        self._events = EventDecoder()
        self._reader = EventReader()
        self._over = False
        self._stopping = False

    def feed(self, data: bytes) -> list[Delta]:
        return self._read(self._events.feed(data))

    def close(self) -> list[Delta]:
        """The bytes have ended. Without a stop of its own the answer is whole only if it had a stop reason."""
        out = self._read(self._events.close())
        if not self._over:
            self._over = True
            out.append(
                Stopped() if self._stopping else StreamError(INCOMPLETE, "The answer ended before it was complete.")
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
                out.append(delta)
                self._stopping = self._stopping or (isinstance(delta, Stopping) and delta.stop_reason is not None)
                if isinstance(delta, Stopped | StreamError):
                    self._over = True
                    break
        except WireError as error:
            self._over = True
            out.append(StreamError(MALFORMED, error.message))
        return out


def encode_completion_stream(completion: Completion, usage: Usage) -> Iterator[bytes]:
    """One event at a time."""
    start = {**message_head(completion), "usage": write_usage(usage, min(1, usage.output))}
    yield _event({"type": "message_start", "message": start})
    for index, part in enumerate(visible(completion.parts)):
        yield _event({"type": "content_block_start", "index": index, "content_block": _opening(part)})
        for delta in _deltas(part):
            yield _event({"type": "content_block_delta", "index": index, "delta": delta})
        yield _event({"type": "content_block_stop", "index": index})
    yield _event(
        {
            "type": "message_delta",
            "delta": {"stop_reason": completion.stop_reason, "stop_sequence": None},
            "usage": {**write_prompt(usage), "output_tokens": usage.output},
        }
    )
    yield _event({"type": "message_stop"})


def _opening(part: Text | ToolCall) -> dict[str, object]:
    if isinstance(part, Text):
        return {"type": "text", "text": ""}
    return {"type": "tool_use", "id": part.id, "name": part.name, "input": {}}


def _deltas(part: Text | ToolCall) -> Iterator[dict[str, object]]:
    if isinstance(part, Text):
        for piece in _pieces(part.text):
            yield {"type": "text_delta", "text": piece}
    else:
        for piece in _pieces(part.arguments.strip() or NO_ARGUMENTS):
            yield {"type": "input_json_delta", "partial_json": piece}


def _pieces(text: str) -> Iterator[str]:
    for start in range(0, len(text), _PIECE):
        yield text[start : start + _PIECE]


def _event(data: dict[str, object]) -> bytes:
    return encode_event(str(data["type"]), msgspec.json.encode(data))
