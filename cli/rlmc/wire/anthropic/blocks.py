"""Content blocks of the Messages API, as typed as decisions need them.

Rule: a block's kind alone decides what it is. Unknown kinds stay as `Opaque`, unknown fields are passed over.
"""

from __future__ import annotations

from typing import Any

import msgspec

from rlmc.domain.chat import Media, Opaque, Part, Text, Thinking, ToolCall, ToolResult
from rlmc.wire.parse import text_of

NO_ARGUMENTS = "{}"

MOST_MARKERS = 4
"""As many cache markers the API takes in one request."""


class CacheMarker(msgspec.Struct, gc=False):
    ttl: Any = None


class ResultBlock(msgspec.Struct, gc=False):
    """A block inside a tool result."""

    type: str
    text: str = ""
    tool_name: str = ""
    source: msgspec.Raw = msgspec.Raw()
    cache_control: CacheMarker | None = None


class Block(msgspec.Struct, gc=False):
    """Any content block, of a request or of an answer."""

    type: str
    text: str = ""
    citations: msgspec.Raw = msgspec.Raw()
    thinking: str = ""
    signature: msgspec.Raw = msgspec.Raw()
    data: msgspec.Raw = msgspec.Raw()
    source: msgspec.Raw = msgspec.Raw()
    id: str = ""
    name: str = ""
    input: msgspec.Raw = msgspec.Raw(b"{}")
    tool_use_id: str = ""
    content: str | list[ResultBlock] | dict[str, msgspec.Raw] | None = None
    is_error: Any = None
    cache_control: CacheMarker | None = None


def to_part(block: Block) -> Part:
    kind = block.type
    if kind == "text":
        return Text(block.text)
    if kind == "tool_use":
        return ToolCall(block.id, block.name, text_of(block.input, "a tool call's input"))
    if kind == "tool_result":
        return _tool_result(block)
    if kind in {"thinking", "redacted_thinking"}:
        return Thinking(len(block.thinking))
    if kind == "image":
        return Media("image")
    if kind == "document":
        return Media("document")
    return Opaque(kind)


def answer_part(block: Block) -> Part:
    """A block of an answer: of reasoning, all its writer wants back is kept."""
    if block.type == "thinking":
        return thought(block.thinking, _string(block.signature))
    if block.type == "redacted_thinking":
        return Thinking(0, msgspec.json.encode({"type": block.type, "data": _string(block.data)}))
    return to_part(block)


def thought(text: str, signature: msgspec.Raw | str) -> Thinking:
    """A signature may be empty but is never absent: who wants the block back insists on the field."""
    kept = {"type": "thinking", "thinking": text, "signature": signature}
    return Thinking(len(text), msgspec.json.encode(kept))


def _string(value: msgspec.Raw) -> msgspec.Raw | str:
    return value if bytes(memoryview(value)[:1]) == b'"' else ""


def _tool_result(block: Block) -> ToolResult:
    content = block.content
    failed = block.is_error is True
    if isinstance(content, str):
        return ToolResult(block.tool_use_id, len(content), failed, text=content)
    if not isinstance(content, list):
        return ToolResult(block.tool_use_id, 0, failed)
    return ToolResult(
        block.tool_use_id,
        sum(len(inner.text) for inner in content),
        failed,
        media=any(inner.type in {"image", "document"} for inner in content),
        references=tuple(inner.tool_name for inner in content if inner.type == "tool_reference"),
        # Nearly always one text block, and joining one string makes no copy of it.
        text="\n".join([inner.text for inner in content if inner.text]),
    )
