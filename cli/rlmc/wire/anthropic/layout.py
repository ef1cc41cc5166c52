"""A request's prompt as the API's cache matches it: block after block, in the order the model reads them.

Rules: all the model reads of a block counts and nothing else does: no cache marker, no tool that waits to be found by a
search, and of a message's text not whether it came as a string or as a block. Between the pieces stand bytes that no
JSON text can hold, so that no two prompts run together into the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

import msgspec
from msgspec import Raw, UnsetType

from rlmc.domain.frozen import dataclass
from rlmc.domain.layout import Layout, Lifetime, Mark
from rlmc.errors import UnknownShape
from rlmc.wire.anthropic.blocks import Block, CacheMarker, ResultBlock
from rlmc.wire.anthropic.request_shape import ATTRIBUTION, WHAT, Body, Mode, SystemBlock, Tool, ToolChoice, WireMessage
from rlmc.wire.parse import parse

_DIGEST_BYTES = 8

# None of these bytes occurs in UTF-8.
_BLOCK, _PIECE, _OPEN, _CLOSE = b"\xff", b"\xfe", b"\xfd", b"\xfc"

_TOOL = _BLOCK + b"tool"
_SYSTEM = _BLOCK + b"system"
_SPEED = _BLOCK + b"speed"
_SETTINGS = _BLOCK + b"settings"
_TEXT = _PIECE + b"text"

_CUSTOM = frozenset({None, "custom"})
_REASONING = frozenset({"thinking", "redacted_thinking"})
# What of a result is known well enough to be taken piece by piece.
_PLAIN_RESULT = frozenset({"text", "image", "tool_reference"})
_NO_PART_OF_THE_PROMPT = frozenset({"cache_control", "defer_loading"})
_NOTHING = frozenset({b"", b"null", b"[]"})


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
    run: str
    images: bool
    met: bool
    deferred: dict[str, tuple[int, Tool]]

    def equals(self, other: Stand) -> bool:
        """Whether both are of the same prompt, so that what comes next means the same behind either."""
        return self.hasher.digest() == other.hasher.digest() and _plain(self) == _plain(other)


class Walk:
    """One way through a prompt. `look` are the bytes that are being read, for blocks that take a second look: those of
    a request, or of its list of messages alone, from the message `first` on. `_run` is the kind of the last block where
    such blocks share a place.
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
        self._run = ""
        self._images = self._met = False
        self._deferred: dict[str, tuple[int, Tool]] = {}
        self._whole: _Whole | None = None

    @classmethod
    def begun(cls, body: Body, look: bytes, key: bytes, *, images: bool) -> Walk:
        """At the first message. `images`: there are some among the messages, which counts as a setting."""
        walk = cls(look, blake2b(key=key, digest_size=_DIGEST_BYTES))
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
        walk._run, walk._images, walk._met, walk._deferred = stand.run, stand.images, stand.met, stand.deferred
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
            run=self._run,
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
            self._tool(number, tool)
            self._close(tool.cache_control)

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

    def _tool(self, number: int, tool: Tool) -> None:
        self._chars += len(tool.name) + len(tool.description or "") + len(tool.input_schema)
        if tool.type in _CUSTOM:
            more = (tool.input_schema, tool.strict, tool.input_examples, tool.allowed_callers)
            self._update(_PIECE.join((_TOOL, tool.name.encode(), (tool.description or "").encode(), *more)))
        else:
            self._update(_TOOL)
            tools = self._second_look().tools
            if tools is None:
                raise UnknownShape("A tool's definition is not among what is read")
            self._object(tools[number])

    def _system(self, text: str, marker: CacheMarker | None) -> None:
        self._update(_SYSTEM)
        self._update(text.encode())
        self._chars += len(text)
        self._close(marker)

    # --- the conversation --------------------------------------------------------------------------------------------

    def message(self, message: WireMessage) -> None:
        self._messages.append(self._passed + len(self._digests))
        if self._images and not self._met:
            self._met = has_images((message,))
        role = _BLOCK + message.role.encode()
        if len(message.output_config) or len(message.clear_at):
            self._update(_PIECE.join((role, b"set", message.output_config, message.clear_at)))
        content = message.content
        update, text_head = self._update, role + _TEXT
        if isinstance(content, str):
            update(text_head)
            update(content.encode())
            self._chars += len(content)
            self._close(None)
            return
        for number, block in enumerate(content):
            kind, run = block.type, ""
            if kind == "text":
                text = block.text
                update(text_head)
                update(text.encode())
                self._chars += len(text)
                if len(block.citations) and (citations := _said(block.citations)):
                    update(_PIECE + citations)
            elif kind == "tool_use":
                run = kind
                update(_PIECE.join((role, b"call", block.id.encode(), block.name.encode(), block.input)))
                self._chars += len(block.name) + len(block.input)
            elif kind == "tool_result":
                run = kind
                self._result(role, block, number)
            elif kind in _REASONING:
                update(_PIECE.join((role, kind.encode(), block.thinking.encode(), block.signature, block.data)))
                self._chars += len(block.thinking)
            elif kind == "image":
                update(_PIECE.join((role, b"image", block.source)))
            else:
                self._strange(role, block, number)
            self._close(block.cache_control, run)

    def _result(self, role: bytes, block: Block, number: int) -> None:
        content = block.content
        head = _PIECE.join((role, b"failed" if block.is_error is True else b"result", block.tool_use_id.encode()))
        if isinstance(content, str):
            self._update(head + _TEXT)
            self._update(content.encode())
            self._chars += len(content)
        elif isinstance(content, list) and all(inner.type in _PLAIN_RESULT for inner in content):
            self._update(head + _PIECE)
            for inner in content:
                self._inner(inner)
        else:
            self._strange(role, block, number)

    def _inner(self, inner: ResultBlock) -> None:
        kind = inner.type
        if kind == "text":
            self._update(_TEXT)
            self._update(inner.text.encode())
            self._chars += len(inner.text)
        elif kind == "image":
            self._update(_PIECE.join((b"", b"image", inner.source)))
        else:
            self._update(_PIECE.join((b"", b"tool", inner.tool_name.encode())))
            if inner.tool_name in self._deferred:  # here the model reads it
                self._tool(*self._deferred[inner.tool_name])
        if inner.cache_control is not None:
            self._mark(inner.cache_control)

    def _strange(self, role: bytes, block: Block, number: int) -> None:
        """A block of a kind that is not read here: all of its fields count."""
        content = self._second_look().messages[len(self._messages) - 1].content
        self._update(role)
        if not isinstance(content, str):
            self._object(content[number])
        self._chars += len(block.text) + len(block.thinking) + len(block.name)
        inner = block.content
        if isinstance(inner, str):
            self._chars += len(inner)
        elif isinstance(inner, list):
            for item in inner:
                self._chars += len(item.text)
                if item.cache_control is not None:
                    self._mark(item.cache_control)

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

    # --- the end of each block ---------------------------------------------------------------------------------------

    def _close(self, marker: CacheMarker | None, run: str = "") -> None:
        """The block is complete. Neighbours of the same `run` share a place."""
        if not run or run != self._run:
            self._position += 1
        self._run = run
        if marker is not None:
            self._mark(marker)
        self._digests.append(self._digest())
        self._ends.append(self._chars)
        self._positions.append(self._position)

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
            if block.type == "image":
                return True
            inner = block.content
            if isinstance(inner, list) and any(item.type == "image" for item in inner):
                return True
    return False


def _plain(stand: Stand) -> tuple[object, ...]:
    return stand.blocks, stand.messages, stand.marks, stand.markers, stand.chars, stand.deferred


def _lifetime(marker: CacheMarker) -> Lifetime:
    return "1h" if marker.ttl == "1h" else "5m"
