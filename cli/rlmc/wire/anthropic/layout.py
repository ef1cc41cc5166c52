"""A request's prompt as the API's cache matches it: block after block, in the order the model reads them.

Rules: all the model reads of a block counts and nothing else does: no cache marker, no tool that waits to be found by a
search, and of a message's text not whether it came as a string or as a block. Between the pieces stand bytes that no
JSON text can hold, so that no two prompts run together into the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw, UnsetType

from rlmc.domain.frozen import dataclass
from rlmc.domain.layout import Layout, Lifetime, Mark
from rlmc.errors import UnknownShape
from rlmc.wire.anthropic.blocks import Block, CacheMarker, ResultBlock
from rlmc.wire.anthropic.request_shape import ATTRIBUTION, WHAT, Body, Mode, SystemBlock, Tool, ToolChoice, WireMessage
from rlmc.wire.chain import DIGEST_BYTES, chain
from rlmc.wire.parse import parse

# None of these bytes occurs in UTF-8.
_BLOCK, _PIECE, _OPEN, _CLOSE = b"\xff", b"\xfe", b"\xfd", b"\xfc"

_TOOL = _BLOCK + b"tool"
_SYSTEM = _BLOCK + b"system"
_SPEED = _BLOCK + b"speed"
_SETTINGS = _BLOCK + b"settings"
_TEXT = _PIECE + b"text"

# Neighbours of one of these kinds share a place.
_SHARED_PLACE = frozenset({"tool_use", "tool_result"})
_CUSTOM = frozenset({None, "custom"})
_REASONING = frozenset({"thinking", "redacted_thinking"})
# What of a result is known well enough to be taken piece by piece.
_PLAIN_RESULT = frozenset({"text", "image", "tool_reference"})
_NO_PART_OF_THE_PROMPT = frozenset({"cache_control", "defer_loading"})
_NOTHING = frozenset({b"", b"null", b"[]"})


class _Heads(NamedTuple):
    """How the blocks of a message begin, by their kinds."""

    role: bytes
    text: bytes
    call: bytes
    result: bytes
    failed: bytes


@lru_cache(maxsize=8)
def _heads(role: str) -> _Heads:
    head = _BLOCK + role.encode()
    return _Heads(head, head + _TEXT, *[head + _PIECE + kind for kind in (b"call", b"result", b"failed")])


class _WholeMessage(msgspec.Struct, gc=False):
    content: str | list[dict[str, Raw]]


class _Whole(msgspec.Struct, gc=False):
    messages: list[_WholeMessage]
    tools: list[dict[str, Raw]] | None = None


_WHOLE = msgspec.json.Decoder(_Whole)
_LIST = msgspec.json.Decoder(list[Raw])
_OBJECT = msgspec.json.Decoder(dict[str, Raw])


@dataclass(frozen=True, slots=True)
class Stand:
    """How far a walk has come: how many blocks and messages it has passed, and the rest of its state. `images` is
    whether there are any among all the messages, `met` whether one was met so far."""

    hasher: Any
    blocks: int
    messages: int
    marks: tuple[Mark, ...]
    markers: int
    chars: int
    position: int
    kind: str
    images: bool
    met: bool
    deferred: dict[str, tuple[int, Tool]]

    def equals(self, other: Stand) -> bool:
        """Whether both are of the same prompt, so that what comes next means the same behind either."""
        return self.hasher.digest() == other.hasher.digest() and _plain(self) == _plain(other)


class Walk:
    """One way through a prompt. `look` are the bytes that are being read, for blocks that take a second look: those of
    a request, or of its list of messages alone, from the message `first` on. `_kind` is that of the last block.

    What counts a piece of the prompt says how many characters the model reads of it.
    """

    def __init__(self, look: bytes, hasher: Any) -> None:
        self._raw, self._first = look, 0
        self._hasher = hasher
        self._update, self._digest = hasher.update, hasher.digest  # a digest ends nothing: more may follow
        self._before, self._passed = Layout(), 0  # blocks of another walk, and how many of them are of this one, too
        self._digests: list[bytes] = []
        self._ends: list[int] = []
        self._positions: list[int] = []
        self._marks: dict[int, Lifetime] = {}
        self._messages: list[int] = []
        self._markers = 0
        self._chars = 0
        self._position = -1
        self._kind = ""
        self._images = self._met = False
        self._deferred: dict[str, tuple[int, Tool]] = {}
        self._whole: _Whole | None = None

    @classmethod
    def begun(cls, body: Body, look: bytes, key: bytes, *, images: bool) -> Walk:
        """At the first message. `images`: there are some among the messages, which counts as a setting."""
        walk = cls(look, chain(key))
        walk._images = images
        walk._tools(body.tools or [])
        walk._speed(_said(body.speed))
        walk._system_text(body.system or "")
        walk._settings(body)
        return walk

    @classmethod
    def behind(cls, stand: Stand, layout: Layout, look: bytes) -> Walk:
        """Where another walk stood on its way to this layout."""
        walk = cls(look, stand.hasher.copy())
        walk._before, walk._passed, walk._first = layout, stand.blocks, stand.messages
        walk._marks = dict(stand.marks)
        walk._markers, walk._chars, walk._position = stand.markers, stand.chars, stand.position
        walk._kind, walk._images, walk._met, walk._deferred = stand.kind, stand.images, stand.met, stand.deferred
        return walk

    def stand(self) -> Stand:
        return Stand(
            hasher=self._hasher.copy(),
            blocks=self._passed + len(self._digests),
            messages=self._first + len(self._messages),
            marks=tuple(self._marks.items()),
            markers=self._markers,
            chars=self._chars,
            position=self._position,
            kind=self._kind,
            images=self._images,
            met=self._met,
            deferred=self._deferred,
        )

    def layout(self, marker: CacheMarker | None) -> Layout:
        """`marker` is the request's own, which stands at the last block."""
        marks, before, passed = dict(self._marks), self._before, self._passed
        blocks = passed + len(self._digests)
        if marker is not None and blocks:
            marks.setdefault(blocks - 1, _lifetime(marker))
        return Layout(
            digests=(*before.digests[:passed], *self._digests),
            chars=(*before.chars[:passed], *self._ends),
            positions=(*before.positions[:passed], *self._positions),
            marks=tuple(marks.items()),
            messages=(*before.messages[: self._first], *self._messages),
            markers=self._markers + (marker is not None),
        )

    # --- before the conversation -------------------------------------------------------------------------------------

    def _tools(self, tools: list[Tool]) -> None:
        for number, tool in enumerate(tools):
            if tool.defer_loading is True:
                self._deferred[tool.name] = number, tool
                self._markers += tool.cache_control is not None
                continue
            self._close(self._tool(number, tool), tool.cache_control)

    def _speed(self, speed: bytes) -> None:
        """What a change of leaves nothing but the tools in the cache."""
        if speed:
            self._update(_SPEED + speed)

    def _system_text(self, system: str | list[SystemBlock]) -> None:
        if isinstance(system, str):
            if system:
                self._system(system, None)
            return
        for number, block in enumerate(system):
            if number == 0 and block.text.startswith(ATTRIBUTION):
                # The API takes it off before a model sees it, and what it says changes.
                self._markers += block.cache_control is not None
            else:
                self._system(block.text, block.cache_control)

    def _settings(self, body: Body) -> None:
        """What is no block, and leaves the tools and the system text in the cache when it changes."""
        choice, thinking = body.tool_choice, body.thinking
        pieces: list[bytes] = [_SETTINGS, b"", b"", b"", b"", b"", b"images" if self._images else b""]
        if isinstance(choice, ToolChoice):
            alone = b"one" if choice.disable_parallel_tool_use is True else b"many"
            pieces[1] = b" ".join((alone, choice.type.encode(), choice.name))
        if isinstance(thinking, Mode):
            pieces[2:4] = thinking.type.encode(), thinking.budget_tokens
        pieces[4:6] = _said(body.output_config), _said(body.output_format)
        self._update(_PIECE.join(pieces))

    def _tool(self, number: int, tool: Tool) -> int:
        if tool.type in _CUSTOM:
            more = (tool.input_schema, tool.strict, tool.input_examples, tool.allowed_callers)
            self._update(_PIECE.join((_TOOL, tool.name.encode(), (tool.description or "").encode(), *more)))
        else:
            self._update(_TOOL)
            tools = self._second_look().tools
            if tools is None:
                raise UnknownShape("A tool's definition is not among what is read")
            self._object(tools[number])
        return len(tool.name) + len(tool.description or "") + len(tool.input_schema)

    def _system(self, text: str, marker: CacheMarker | None) -> None:
        self._update(_SYSTEM + text.encode())
        self._close(len(text), marker)

    def _close(self, chars: int, marker: CacheMarker | None) -> None:
        """A block of so many characters is complete."""
        if marker is not None:
            self._mark(marker)
        self._chars += chars
        self._position += 1
        self._digests.append(self._digest()[:DIGEST_BYTES])
        self._ends.append(self._chars)
        self._positions.append(self._position)

    # --- the conversation --------------------------------------------------------------------------------------------

    def messages(self, messages: Iterable[WireMessage]) -> None:
        """Past the next ones. A prompt has thousands of blocks: what nearly all of them are is counted right here."""
        update, digest, passed = self._update, self._digest, self._passed
        digests, ends, positions = self._digests, self._ends, self._positions
        chars, position, last = self._chars, self._position, self._kind
        for message in messages:
            self._messages.append(passed + len(digests))
            if self._images and not self._met:
                self._met = has_images((message,))
            role, text_head, call_head, result_head, failed_head = _heads(message.role)
            if message.output_config or message.clear_at:
                update(_PIECE.join((role, b"set", message.output_config, message.clear_at)))
            content = message.content
            blocks = [Block("text", content)] if isinstance(content, str) else content
            for number, block in enumerate(blocks):
                kind = block.type
                if kind == "text":
                    text = block.text
                    update(text_head + text.encode())
                    chars += len(text)
                    if block.citations and (citations := _said(block.citations)):
                        update(_PIECE + citations)
                elif kind == "tool_use":
                    update(_PIECE.join((call_head, block.id.encode(), block.name.encode(), block.input)))
                    chars += len(block.name) + len(block.input)
                elif kind == "tool_result":
                    head, inner = failed_head if block.is_error is True else result_head, block.content
                    if isinstance(inner, str):
                        update(_PIECE.join((head, block.tool_use_id.encode(), b"text", inner.encode())))
                        chars += len(inner)
                    elif isinstance(inner, list) and all(one.type in _PLAIN_RESULT for one in inner):
                        update(_PIECE.join((head, block.tool_use_id.encode(), b"")))
                        chars += sum([self._inner(one) for one in inner])
                    else:
                        chars += self._strange(role, block, number)
                elif kind in _REASONING:
                    update(_PIECE.join((role, kind.encode(), block.thinking.encode(), block.signature, block.data)))
                    chars += len(block.thinking)
                elif kind == "image":
                    update(_PIECE.join((role, b"image", block.source)))
                else:
                    chars += self._strange(role, block, number)
                if block.cache_control is not None:
                    self._mark(block.cache_control)
                if kind != last or kind not in _SHARED_PLACE:
                    position += 1
                    last = kind
                digests.append(digest()[:DIGEST_BYTES])
                ends.append(chars)
                positions.append(position)
        self._chars, self._position, self._kind = chars, position, last

    def _inner(self, inner: ResultBlock) -> int:
        kind, chars = inner.type, 0
        if kind == "text":
            self._update(_TEXT + inner.text.encode())
            chars = len(inner.text)
        elif kind == "image":
            self._update(_PIECE.join((b"", b"image", inner.source)))
        else:
            self._update(_PIECE.join((b"", b"tool", inner.tool_name.encode())))
            if inner.tool_name in self._deferred:  # here the model reads it
                chars = self._tool(*self._deferred[inner.tool_name])
        if inner.cache_control is not None:
            self._mark(inner.cache_control)
        return chars

    def _strange(self, role: bytes, block: Block, number: int) -> int:
        """A block of a kind that is not read here: all of its fields count."""
        content = self._second_look().messages[len(self._messages) - 1].content
        self._update(role)
        if not isinstance(content, str):
            self._object(content[number])
        chars = len(block.text) + len(block.thinking) + len(block.name)
        inner = block.content
        if isinstance(inner, str):
            chars += len(inner)
        elif isinstance(inner, list):
            for item in inner:
                chars += len(item.text)
                if item.cache_control is not None:
                    self._mark(item.cache_control)
        return chars

    def _object(self, fields: dict[str, Raw], *, within: bool = False) -> None:
        """A block's fields in the order of their names, without its marker. Those it holds can have markers too."""
        self._update(_OPEN)
        for name in sorted(fields.keys() - _NO_PART_OF_THE_PROMPT):
            value = bytes(fields[name])
            self._update(_PIECE.join((b"", name.encode(), b"")))
            if name == "content" and value.startswith(b"[") and not within:
                for item in parse(_LIST, value, WHAT):
                    if bytes(item).startswith(b"{"):
                        self._object(parse(_OBJECT, item, WHAT), within=True)
                    else:
                        self._update(_PIECE + item)
            else:
                self._update(value)
        self._update(_CLOSE)

    def _second_look(self) -> _Whole:
        if self._whole is None:
            whole = self._raw if self._raw.lstrip().startswith(b"{") else b'{"messages":%b}' % self._raw
            self._whole = parse(_WHOLE, whole, WHAT)
        return self._whole

    def _mark(self, marker: CacheMarker) -> None:
        """A marker of the block that is being read; of several the last is the block's own."""
        self._markers += 1
        self._marks[self._passed + len(self._digests)] = _lifetime(marker)


def _said(value: Raw | UnsetType) -> bytes:
    """What a value says; nothing, null and an empty list are the same."""
    if isinstance(value, UnsetType):
        return b""
    said = bytes(value)
    return b"" if said in _NOTHING else said


def has_images(messages: Iterable[WireMessage]) -> bool:
    for message in messages:
        if isinstance(message.content, str):
            continue
        for block in message.content:
            kind = block.type
            if kind == "text" or kind == "tool_use":  # as most are
                continue
            if kind == "image":
                return True
            inner = block.content
            if isinstance(inner, list) and any(item.type == "image" for item in inner):
                return True
    return False


def _plain(stand: Stand) -> tuple[object, ...]:
    return stand.blocks, stand.messages, stand.marks, stand.markers, stand.chars, stand.deferred


def _lifetime(marker: CacheMarker) -> Lifetime:
    return "1h" if marker.ttl == "1h" else "5m"
