"""One event of a streamed answer to what it means.

Rule: a known event that cannot be read is a `WireError`; an event of an unknown type is `Other`, whatever it holds.
"""

from __future__ import annotations

from typing import Any

import msgspec

from rlmc.domain.chat import (
    ArgumentsDelta,
    BlockStarted,
    BlockStopped,
    Delta,
    Other,
    Part,
    Started,
    Stopped,
    Stopping,
    StreamError,
    TextDelta,
    ThinkingDelta,
    ToolCall,
)
from rlmc.errors import WireError
from rlmc.wire.anthropic.blocks import NO_ARGUMENTS, Block, to_part
from rlmc.wire.anthropic.response import Failure
from rlmc.wire.anthropic.usage import UsageTrack
from rlmc.wire.parse import parse
from rlmc.wire.sse import Event

KNOWN = frozenset(
    {
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
        "ping",
        "error",
    }
)

# Some OpenAI-minded servers end any stream with this line.
END_MARK = b"[DONE]"

_WHAT = "An event of the answer"


class _Message(msgspec.Struct, gc=False):
    id: str = ""
    model: str = ""
    usage: Any = None


class _Change(msgspec.Struct, gc=False):
    """The `delta` of a block or of the message."""

    type: str = ""
    text: str = ""
    partial_json: str = ""
    thinking: str = ""
    stop_reason: str | None = None


class _Event(msgspec.Struct, gc=False):
    type: str = ""
    index: int = -1
    message: _Message | None = None
    content_block: Block | None = None
    delta: _Change | None = None
    usage: Any = None
    error: Failure | None = None


class _Kind(msgspec.Struct, gc=False):
    type: str = ""


_EVENT = msgspec.json.Decoder(_Event)
_KIND = msgspec.json.Decoder(_Kind)


def kind_of(event: Event) -> str:
    """The event's type, from its name or else its data; "" for a block of comments."""
    if event.name or not event.data or event.data == END_MARK:
        return event.name
    return parse(_KIND, event.data, _WHAT).type


class EventReader:
    """Reads one stream's events in order; it only remembers the usage so far."""

    def __init__(self) -> None:
        self._usage = UsageTrack()

    def read(self, event: Event) -> Delta | None:
        """None for comments."""
        if not event.data:
            return None
        kind = kind_of(event)
        if kind not in KNOWN:
            return Other(kind)
        return self._delta(kind, parse(_EVENT, event.data, _WHAT))

    def _delta(self, kind: str, event: _Event) -> Delta:
        change = event.delta
        if kind == "content_block_delta" and change is not None:
            return _block_delta(_index(event), change)
        if kind == "content_block_start" and event.content_block is not None:
            return BlockStarted(_index(event), _opening(event.content_block))
        if kind == "content_block_stop":
            return BlockStopped(_index(event))
        if kind == "message_start" and event.message is not None:
            message = event.message
            return Started(message.id, message.model, self._usage.update(message.usage))
        if kind == "message_delta":
            return Stopping(change.stop_reason if change else None, self._usage.update(event.usage))
        if kind == "message_stop":
            return Stopped()
        if kind == "error":
            failure = event.error or Failure()
            return StreamError(failure.type or "api_error", failure.message)
        if kind == "ping":
            return Other(kind)
        raise WireError(f"{_WHAT} ({kind}) lacks what it is about")


def _index(event: _Event) -> int:
    if event.index < 0:
        raise WireError(f"{_WHAT} names no block")
    return event.index


def _opening(block: Block) -> Part:
    part = to_part(block)
    # The arguments follow in pieces; some servers send them whole right here instead.
    if isinstance(part, ToolCall) and part.arguments == NO_ARGUMENTS:
        return ToolCall(part.id, part.name, "")
    return part


def _block_delta(index: int, change: _Change) -> Delta:
    if change.type == "text_delta":
        return TextDelta(index, change.text)
    if change.type == "input_json_delta":
        return ArgumentsDelta(index, change.partial_json)
    if change.type in {"thinking_delta", "signature_delta"}:
        return ThinkingDelta(index, len(change.thinking))
    return Other(change.type)
