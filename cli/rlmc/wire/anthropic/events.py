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
    Thinking,
    ThinkingDelta,
    ToolCall,
)
from rlmc.errors import WireError
from rlmc.wire.anthropic.blocks import NO_ARGUMENTS, Block, answer_part, thought, to_part
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
    signature: str | None = None
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
_TEXT = msgspec.json.Decoder(str)


def kind_of(event: Event) -> str:
    """The event's type, from its name or else its data; "" for a block of comments."""
    if event.name or not event.data or event.data == END_MARK:
        return event.name
    return parse(_KIND, event.data, _WHAT).type


class EventReader:
    """Reads one stream's events in order; it remembers the usage so far, and a thought until it is complete."""

    def __init__(self) -> None:
        self._usage = UsageTrack()
        # The pieces of it and of its signature, or all of it where it came at once.
        self._thoughts: dict[int, tuple[list[str], list[str]] | Thinking] = {}

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
            return self._block_delta(_index(event), change)
        if kind == "content_block_start" and event.content_block is not None:
            return self._block_started(_index(event), event.content_block)
        if kind == "content_block_stop":
            return BlockStopped(_index(event), self.thought(event.index))
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

    def _block_started(self, index: int, block: Block) -> BlockStarted:
        if block.type == "thinking":
            self._thoughts[index] = [block.thinking], [_signature(block)]
            return BlockStarted(index, Thinking(len(block.thinking)))
        if block.type == "redacted_thinking":
            part = answer_part(block)
            self._thoughts[index] = part if isinstance(part, Thinking) else Thinking(0)
            return BlockStarted(index, Thinking(0))
        return BlockStarted(index, _opening(block))

    def thought(self, index: int) -> Thinking | None:
        """All of a block so far, where it is one of reasoning; it is over then."""
        found = self._thoughts.pop(index, None)
        if isinstance(found, Thinking) or found is None:
            return found
        pieces, signature = found
        return thought("".join(pieces), "".join(signature))

    def _block_delta(self, index: int, change: _Change) -> Delta:
        if change.type == "text_delta":
            return TextDelta(index, change.text)
        if change.type == "input_json_delta":
            return ArgumentsDelta(index, change.partial_json)
        if change.type in {"thinking_delta", "signature_delta"}:
            found = self._thoughts.get(index)
            if isinstance(found, tuple):
                found[0].append(change.thinking)
                found[1].append(change.signature or "")
            return ThinkingDelta(index, len(change.thinking))
        return Other(change.type)


def _index(event: _Event) -> int:
    if event.index < 0:
        raise WireError(f"{_WHAT} names no block")
    return event.index


def _signature(block: Block) -> str:
    """Mostly empty here: it follows at the block's end."""
    return parse(_TEXT, block.signature, _WHAT) if bytes(block.signature).startswith(b'"') else ""


def _opening(block: Block) -> Part:
    part = to_part(block)
    # The arguments follow in pieces; some servers send them whole right here instead.
    if isinstance(part, ToolCall) and part.arguments == NO_ARGUMENTS:
        return ToolCall(part.id, part.name, "")
    return part
