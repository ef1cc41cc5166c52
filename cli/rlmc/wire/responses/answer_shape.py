"""An answer of this protocol, whole or as the events of a stream tell of it.

Rule: read loosely, since many servers speak this protocol; what is missing is empty.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

from rlmc.domain.chat import Opaque, Part, Text, Thinking, ToolCall
from rlmc.wire.responses.tools import Names

CALLS = frozenset({"function_call", "custom_tool_call"})


class Content(msgspec.Struct, gc=False):
    type: str = ""
    text: str | None = None
    refusal: str | None = None


class Item(msgspec.Struct, gc=False):
    """An item of the output."""

    type: str = ""
    id: str | None = None
    call_id: str | None = None
    name: str | None = None
    namespace: str | None = None
    arguments: Any = None
    input: str | None = None
    content: list[Content] | None = None
    summary: list[Content] | None = None


class Incomplete(msgspec.Struct, gc=False):
    reason: str | None = None


class Answer(msgspec.Struct, gc=False):
    id: str | None = None
    model: str | None = None
    status: str | None = None
    output: list[Raw] | None = None
    error: Raw = Raw()
    incomplete_details: Incomplete | None = None
    usage: Any = None
    service_tier: Any = None


ANSWER = msgspec.json.Decoder(Answer)
ITEM = msgspec.json.Decoder(Item)

# An answer does not know what the request declared; a namespace is joined as it is there.
_NAMES = Names()


def opening(item: Item) -> Part:
    """The item as it is before anything of it is told."""
    if item.type == "message":
        return Text("")
    if item.type in CALLS:
        return ToolCall(item.call_id or item.id or "", _NAMES.of_call(item.namespace, item.name), "")
    return Thinking(0) if item.type == "reasoning" else Opaque(item.type)


def arguments_of(value: object) -> str:
    """Arguments as text; some servers give the object itself."""
    if isinstance(value, str):
        return value
    return "" if value is None else msgspec.json.encode(value).decode()


def text_of(item: Item) -> str:
    return "".join([part.text or part.refusal or "" for part in item.content or ()])


def refused(item: Item) -> bool:
    return any(part.refusal for part in item.content or ())


def thinking_of(item: Item, raw: bytes) -> Thinking:
    """A finished reasoning item: what can be read of it counts, and all of it is kept."""
    return Thinking(sum([len(part.text or "") for part in (*(item.summary or ()), *(item.content or ()))]), raw)


def stop_reason(answer: Answer, *, calls: bool, refusal: bool) -> str:
    if answer.status == "incomplete":
        reason = answer.incomplete_details.reason if answer.incomplete_details else None
        return "refusal" if reason == "content_filter" else "max_tokens"
    return "tool_use" if calls else "refusal" if refusal else "end_turn"
