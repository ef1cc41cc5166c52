"""The conversation as a draft model may see it.

Rules: no reasoning (a foreign signature is refused, and DeepSeek wants all of it or none) but what the draft model
itself has written and wants back; only blocks and fields every provider knows; and what an earlier turn became it stays
on every later turn, so that the draft provider's prefix cache works.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

from rlmc.domain.prompt import Recall
from rlmc.domain.shape import Shape
from rlmc.errors import UnknownShape
from rlmc.wire.parse import parse

Json = dict[str, Any]

_WHAT = "The request body"

_NOTHING = Raw()
_MEDIA = frozenset({"image", "document"})


class DraftBlock(msgspec.Struct, gc=False):
    """A block with its values as bytes: what is not needed is not decoded, what is kept is not re-written."""

    type: str
    text: Raw = _NOTHING
    id: Raw = _NOTHING
    name: Raw = _NOTHING
    input: Raw = _NOTHING
    tool_use_id: Raw = _NOTHING
    content: Raw = _NOTHING
    is_error: Raw = _NOTHING
    source: Raw = _NOTHING
    title: Raw = _NOTHING
    context: Raw = _NOTHING
    tool_name: str = ""
    cache_control: Raw = _NOTHING


class DraftMessage(msgspec.Struct, gc=False):
    role: str
    content: str | list[DraftBlock]


_TEXT = msgspec.json.Decoder(str)
_BLOCKS = msgspec.json.Decoder(list[DraftBlock])


class History:
    """Rewrites messages one after another. `tools_named` are those a tool search has brought in. `recall` is what the
    draft model itself thought before calls it made, where it wants that back."""

    def __init__(self, shape: Shape, recall: Recall | None = None) -> None:
        self._shape = shape
        self._recall = recall or {}
        self.messages: list[Json] = []
        self.tools_named: set[str] = set()

    def add(self, message: DraftMessage) -> None:
        content = message.content
        blocks = [_text(content)] if isinstance(content, str) else content
        if message.role == "system" and not self._shape.system_in_messages:
            self._fold([self._note(block) for block in blocks if block.type == "text" and not _blank(block.text)])
            return
        kept = [new for block in blocks if (new := self._block(message.role, block)) is not None]
        if message.role == "user":
            kept.sort(key=_results_first)
        elif self._recall and message.role == "assistant":
            kept = self._with_thoughts(kept)
        if kept:
            self.messages.append({"role": message.role, "content": kept})

    def _with_thoughts(self, blocks: list[Any]) -> list[Any]:
        """What the model thought stands before the first call it led to."""
        first = next((n for n, block in enumerate(blocks) if block["type"] == "tool_use"), None)
        if first is None:
            return blocks
        thoughts = self._recall.get(parse(_TEXT, blocks[first]["id"], _WHAT), ())
        return [*blocks[:first], *map(Raw, thoughts), *blocks[first:]] if thoughts else blocks

    def _fold(self, notes: list[Json]) -> None:
        """What the operator said in between goes to the end of the user's words before it."""
        if not notes:
            return
        if self.messages and self.messages[-1]["role"] == "user":
            self.messages[-1]["content"].extend(notes)
        else:
            self.messages.append({"role": "user", "content": notes})

    def _note(self, block: DraftBlock) -> Json:
        text = parse(_TEXT, block.text, _WHAT)
        return self._marked(block, {"type": "text", "text": f"<system-reminder>\n{text}\n</system-reminder>"})

    def _block(self, role: str, block: DraftBlock) -> Json | None:
        kind = block.type
        if kind == "text":
            return None if _blank(block.text) else self._marked(block, {"type": "text", "text": block.text})
        if kind == "tool_use" and role == "assistant":
            call = {
                "id": _given(block.id, "id"),
                "name": _given(block.name, "name"),
                "input": _given(block.input, "input"),
            }
            return self._marked(block, {"type": kind, **call})
        if kind == "tool_result" and role == "user":
            return self._tool_result(block)
        # Blocks of the server's own doing mean nothing to another provider.
        return self._shown(block) if role == "user" and kind not in {"thinking", "redacted_thinking"} else None

    def _tool_result(self, block: DraftBlock) -> Json:
        result: Json = {"type": "tool_result", "tool_use_id": _given(block.tool_use_id, "tool_use_id")}
        if _begins(block.content, b"["):
            inner = [new for item in parse(_BLOCKS, block.content, _WHAT) if (new := self._inner(item)) is not None]
            plain = len(inner) == 1 and inner[0].keys() == {"type", "text"}
            result["content"] = inner[0]["text"] if plain else inner
        elif len(block.content):
            result["content"] = block.content
        if block.is_error == Raw(b"true"):
            result["is_error"] = True
        return self._marked(block, result)

    def _inner(self, block: DraftBlock) -> Json | None:
        if block.type == "text":
            return None if _blank(block.text) else self._marked(block, {"type": "text", "text": block.text})
        if block.type == "tool_reference":
            self.tools_named.add(block.tool_name)
            return self._marked(block, {"type": "text", "text": f"Tool loaded: {block.tool_name}"})
        return self._shown(block)

    def _shown(self, block: DraftBlock) -> Json:
        """An image or document where the provider reads them; of anything else, a word that it was there."""
        if self._shape.media and block.type in _MEDIA:
            new: Json = {"type": block.type, "source": _given(block.source, "source")}
            new |= {name: value for name in ("title", "context") if len(value := getattr(block, name))}
            return self._marked(block, new)
        return self._marked(block, {"type": "text", "text": f"[{block.type} not shown]"})

    def _marked(self, block: DraftBlock, new: Json) -> Json:
        if self._shape.cache_control and len(block.cache_control) and block.cache_control != Raw(b"null"):
            new["cache_control"] = block.cache_control
        return new


def _given(value: Raw, name: str) -> Raw:
    """What a block must hold: without it no JSON would come of it."""
    if not len(value):
        raise UnknownShape(f"{_WHAT} holds a block without `{name}`")
    return value


def _text(text: str) -> DraftBlock:
    return DraftBlock("text", text=Raw(msgspec.json.encode(text)))


def _results_first(block: Json) -> bool:
    return bool(block["type"] != "tool_result")


def _blank(text: Raw) -> bool:
    """Whether a JSON string has nothing to read in it. Most show in their first character that they have."""
    first = bytes(memoryview(text)[1:2])
    if first.isascii() and first not in {b" ", b"\\", b'"', b""}:
        return False
    return not len(text) or not parse(_TEXT, text, _WHAT).strip()


def _begins(value: Raw, with_: bytes) -> bool:
    return bytes(memoryview(value)[:1]) == with_
