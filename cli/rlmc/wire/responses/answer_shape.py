"""An answer of this protocol, whole or as the events of a stream tell of it."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

from rlmc.domain.chat import Opaque, Part, Text, Thinking, ToolCall
from rlmc.wire.arguments import custom_arguments
from rlmc.wire.responses.tools import Names


class Content(msgspec.Struct, gc=False):
    type: str = ""
    text: str | None = None
    refusal: str | None = None


class Item(msgspec.Struct, gc=False):
    """An item of the output."""

    type: str = ""
    id: str | None = None
    call_id: str | None = None
    name: str = ""
    namespace: str | None = None
    arguments: Any = None
    input: str | None = None
    content: list[Content] | None = None


class Incomplete(msgspec.Struct, gc=False):
    reason: str | None = None


class Answer(msgspec.Struct, gc=False):
    id: str = ""
    model: str = ""
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


def call_name(item: Item) -> str:
    return _NAMES.of_call(item.namespace, item.name)


def arguments_of(item: Item) -> str:
    """The arguments of a call; some servers give an object instead of its text."""
    if item.type == "custom_tool_call":
        return custom_arguments(item.input or "")
    if isinstance(item.arguments, str):
        return item.arguments
    return "" if item.arguments is None else msgspec.json.encode(item.arguments).decode()


def text_of(item: Item) -> str:
    return "".join(part.text or part.refusal or "" for part in item.content or ())


def refused(item: Item) -> bool:
    return any(part.refusal for part in item.content or ())


def part_of(item: Item, raw: bytes) -> Part:
    """The finished item as a part of a completion."""
    kind = item.type
    if kind == "message":
        return Text(text_of(item))
    if kind in ("function_call", "custom_tool_call"):
        return ToolCall(item.call_id or item.id or "", call_name(item), arguments_of(item))
    if kind == "reasoning":
        return Thinking(len(raw), bytes(raw))
    return Opaque(kind)


def stop_reason(answer: Answer, *, calls: bool, refusal: bool) -> str:
    if answer.status == "incomplete":
        reason = answer.incomplete_details.reason if answer.incomplete_details else None
        return "refusal" if reason == "content_filter" else "max_tokens"
    return "tool_use" if calls else "refusal" if refusal else "end_turn"
