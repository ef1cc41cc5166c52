"""One more cache marker in a client's request, so that what it sends once can be read from the cache later.

Rule: not a byte of the request changes but for the marker itself; where the API might refuse it, or it is not certain
where it belongs, there is none: `WireError`.
"""

from __future__ import annotations

import msgspec

from rlmc.domain.layout import Layout, Lifetime
from rlmc.errors import WireError
from rlmc.wire import splice
from rlmc.wire.anthropic.blocks import MOST_MARKERS
from rlmc.wire.parse import parse

_MARKERS: dict[Lifetime, bytes] = {
    "5m": b'"cache_control":{"type":"ephemeral"}',
    "1h": b'"cache_control":{"type":"ephemeral","ttl":"1h"}',
}
# Reasoning cannot carry a marker, and of newer kinds nobody here knows.
_MARKABLE = frozenset({"text", "image", "document", "tool_use", "tool_result"})


class _Block(msgspec.Struct, gc=False):
    type: str
    text: str = ""


_BLOCK = msgspec.json.Decoder(_Block)
_STRING = msgspec.json.Decoder(str)

_WHAT = "The request body"


def add_marker(raw: bytes, layout: Layout, block: int, ttl: Lifetime) -> bytes:
    """The request `raw`, whose layout is `layout`, with a marker at one of its messages' blocks."""
    place = layout.place(block)
    if place is None:
        raise _refused(block, "it is in no message")
    objection = _objection(layout, block, ttl)
    if objection:
        raise _refused(block, objection)
    message, number = place
    start, content = _content(raw, layout, message, block)
    if content.startswith(b'"'):
        if not parse(_STRING, content, _WHAT).strip():
            raise _refused(block, "it is blank")
        parts = (raw[:start], b'[{"type":"text","text":', content, b",", _MARKERS[ttl], b"}]")
        return b"".join((*parts, memoryview(raw)[start + len(content) :]))
    blocks = splice.item_spans(content)
    if number >= len(blocks):
        raise _refused(block, "the request is not the one laid out")
    first, end = blocks[number]
    _check(content[first:end], block)
    last = start + end - 1
    view = memoryview(raw)
    return b"".join((view[:last], b",", _MARKERS[ttl], view[last:]))


def _objection(layout: Layout, block: int, ttl: Lifetime) -> str | None:
    """What the API has against one more marker there, given those there are."""
    if layout.markers >= MOST_MARKERS:
        return f"there are {layout.markers} markers already"
    if layout.markers != len(layout.marks):
        return "a marker stands where its order is not known"
    if any(at == block for at, _ in layout.marks):
        return "it is marked already"
    if any(at < block and other == "5m" for at, other in layout.marks) and ttl == "1h":
        return "a shorter lifetime stands before it"
    if any(at > block and other == "1h" for at, other in layout.marks) and ttl == "5m":
        return "a longer lifetime stands behind it"
    return None


def _content(raw: bytes, layout: Layout, message: int, block: int) -> tuple[int, bytes]:
    """Where the content of a message begins, and its bytes."""
    start, end = splice.span(raw, "messages")
    messages = splice.item_spans(raw[start:end])
    if len(messages) != len(layout.messages):
        raise _refused(block, "the request is not the one laid out")
    first, last = messages[message]
    members = splice.spans(raw[start + first : start + last])
    if "content" not in members or "clear_at" in members:
        raise _refused(block, "its message takes no marker")
    content_first, content_last = members["content"]
    at = start + first + content_first
    return at, raw[at : start + first + content_last]


def _check(block: bytes, number: int) -> None:
    if "cache_control" in splice.spans(block):
        raise _refused(number, "it is marked already")
    read = parse(_BLOCK, block, _WHAT)
    if read.type not in _MARKABLE:
        raise _refused(number, f"a block of the type {read.type[:40]!r} takes no marker")
    if read.type == "text" and not read.text.strip():
        raise _refused(number, "it is blank")


def _refused(block: int, why: str) -> WireError:
    return WireError(f"No cache marker at block {block} of the prompt: {why}")
