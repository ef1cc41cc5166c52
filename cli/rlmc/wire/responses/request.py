"""A request body to a `ChatRequest`: the facts decisions are made on, the bytes untouched beside them.

Rules: items are flat here, so what the model does between two words of the user's is one message, and so are the
results after it; what only the provider itself can answer shows as an `Opaque` part with its name.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from rlmc.domain.chat import (
    ChatRequest,
    Media,
    Opaque,
    Part,
    Role,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    ToolSpec,
)
from rlmc.domain.frozen import dataclass
from rlmc.errors import UnknownShape
from rlmc.wire.growth import MOST_PLACES, Kept, read_on
from rlmc.wire.parse import parse
from rlmc.wire.plain_layout import PlainLayout, PlainStand
from rlmc.wire.responses import request_shape as shape
from rlmc.wire.responses.request_shape import (
    CALLS,
    INSTRUCTIONS,
    NOT_A_TURN,
    OUTPUTS,
    WHAT,
    Body,
    Choice,
    Item,
    arguments_of,
    names_of,
    output_parts,
    said,
)
from rlmc.wire.responses.tools import OWN_ITEMS, Names
from rlmc.wire.under_way import Point, UnderWay

_HEAD = 4000

Chosen = Literal["auto", "any", "tool", "none"]

HOSTED = "hosted_tools"
"""Among a request's fields where it offers tools that run at the provider."""
KEPT = "kept_answers"
"""Among a request's fields where the provider keeps the answer, as it does unless told not to: the client may go on
from it by its id."""

_CHOICES: dict[str, Chosen] = {"auto": "auto", "required": "any", "none": "none"}
_MEDIA = {"input_image": Media("image"), "input_file": Media("document")}


@dataclass(frozen=True, slots=True)
class _Reading:
    """What the next request can go on from. `start` is the place before the items, `strange` are fields that ask for
    what no other model's answer has."""

    kept: Kept[_Place]
    start: _Place
    strange: tuple[str, ...]


def decode_request(raw: bytes, key: bytes = b"", before: Iterable[ChatRequest] = ()) -> ChatRequest:
    """The request. `key`, of at most 64 bytes, makes the digests of its layout its owner's own. `before` are requests
    it may go on from: what it shares with the first one that it does go on from is not read again."""
    found = read_on(before, key, _Reading, lambda one, reading: _gone_on(raw, key, one, reading))
    if found is not None:
        return found
    body = shape.read_body(raw)
    conversation = _begin(body, key)
    start = conversation.place()
    items = [Item(role="user", content=body.input)] if isinstance(body.input, str) else body.input
    places = conversation.add(items, 0)
    reading = _Reading(Kept(raw, key, "input", tuple(places)), start, _strange(body))
    return _request(raw, body, names_of(raw), conversation, reading)


def _gone_on(raw: bytes, key: bytes, before: ChatRequest, reading: _Reading) -> ChatRequest | None:
    """The request behind what it shares with the one before; None where it does not go on from that."""
    grown = reading.kept.growth(raw)
    if grown is None:
        return None
    place, growth = grown
    conversation = _Conversation.behind(place, before)
    start, strange, body = reading.start, reading.strange, None
    if growth.around is None:
        new = parse(shape.ITEMS, growth.items, WHAT)
    else:
        body = shape.read_body(growth.around)
        if isinstance(body.input, str):
            return None
        new, strange, start = body.input, _strange(body), _begin(body, key).place()
        if not start.equals(reading.start):
            return None
    places = [(growth.shared, place), *conversation.add(new, growth.shared)]
    reading = _Reading(Kept(raw, key, "input", tuple(places[-MOST_PLACES:]), growth.frame), start, strange)
    if body is not None and growth.around is not None:
        return _request(raw, body, names_of(growth.around), conversation, reading)
    conversation.strange(strange)
    tools = tuple(conversation.tools.values())
    fields = before.fields - {HOSTED} | ({HOSTED} if conversation.hosted else set())
    return replace(
        before,
        raw=raw,
        messages=conversation.said.messages(),
        tools=before.tools if tools == before.tools else tools,
        system_head=conversation.system_head,
        chars=conversation.layout.chars,
        fields=fields,
        layout=conversation.layout.done(),
        contents=conversation.said.contents(),
        reading=reading,
    )


def _begin(body: Body, key: bytes) -> _Conversation:
    """With what stands before the items."""
    conversation = _Conversation(PlainLayout(key))
    conversation.declare(body.tools or [])
    schema = output_schema(body)
    if schema is not None:
        conversation.layout.block("format", schema, chars=len(schema))
    if body.instructions:
        conversation.system(body.instructions)
    return conversation


def _strange(body: Body) -> tuple[str, ...]:
    return tuple([name for name in NOT_A_TURN if said(getattr(body, name))])


def _request(
    raw: bytes, body: Body, fields: frozenset[str], conversation: _Conversation, reading: _Reading
) -> ChatRequest:
    conversation.strange(reading.strange)
    if conversation.hosted:
        fields |= {HOSTED}
    if bytes(body.store) != b"false":
        fields |= {KEPT}
    return ChatRequest(
        raw=raw,
        model=body.model,
        stream=body.stream is True,
        max_tokens=body.max_output_tokens,
        messages=conversation.said.messages(),
        tools=tuple(conversation.tools.values()),
        tool_choice=choice_of(body.tool_choice),
        parallel_tools=body.parallel_tool_calls is not False,
        system_head=conversation.system_head,
        chars=conversation.layout.chars,
        output_schema=output_schema(body),
        fields=fields,
        layout=conversation.layout.done(),
        contents=conversation.said.contents(),
        reading=reading,
    )


def choice_of(choice: str | Choice | None) -> Chosen | None:
    if choice is None:
        return None
    if isinstance(choice, str):
        found = _CHOICES.get(choice)
        if found is None:
            raise UnknownShape(f"{WHAT} holds the tool_choice {choice[:40]!r}")
        return found
    if choice.type == "allowed_tools":
        return "any" if choice.mode == "required" else "auto"
    return "tool"


def output_schema(body: Body) -> bytes | None:
    """The schema the answer must follow; `{}` where JSON is asked for without one."""
    wanted = body.text.format if body.text else None
    if wanted is None or wanted.type == "text":
        return None
    schema = bytes(wanted.schema)
    return b"{}" if schema in (b"", b"null") else schema


@dataclass(frozen=True, slots=True)
class _Place:
    """Behind an item: how far the layout and the messages have come, and what else is known there."""

    stand: PlainStand
    point: Point
    tools: dict[str, ToolSpec]
    names: Names
    head: tuple[str, ...]
    room: int
    hosted: bool

    def equals(self, other: _Place) -> bool:
        """Whether both are of the same prompt and the same tools."""
        mine, others = ((one.tools, one.head, one.room, one.hosted) for one in (self, other))
        return mine == others and self.stand.equals(other.stand)


class _Conversation:
    """Items one after another. `tools` are those declared so far, `hosted` whether there are some that run at the
    provider."""

    def __init__(self, layout: PlainLayout) -> None:
        self.said = UnderWay()
        self.layout = layout
        self.tools: dict[str, ToolSpec] = {}  # a tool that is declared again is as it was declared last
        self.hosted = False
        self._head: list[str] = []  # the system text before the conversation
        self._names = Names()
        self._room = _HEAD

    @classmethod
    def behind(cls, place: _Place, before: ChatRequest) -> _Conversation:
        found = cls(PlainLayout.behind(place.stand, before.layout))
        found.said = UnderWay.behind(place.point, before.messages)
        found.tools, found.hosted, found._names = dict(place.tools), place.hosted, place.names.copy()
        found._head, found._room = list(place.head), place.room
        return found

    @property
    def system_head(self) -> str:
        return "\n".join(self._head)[:_HEAD]

    def place(self) -> _Place:
        stand, point, names = self.layout.stand(), self.said.point(), self._names.copy()
        return _Place(stand, point, dict(self.tools), names, tuple(self._head), self._room, self.hosted)

    def add(self, items: list[Item], count: int) -> list[tuple[int, _Place]]:
        """The places behind the last of them; `count` came before."""
        places = []
        late = len(items) - MOST_PLACES
        for number, item in enumerate(items):
            self._add(item)
            if number >= late:
                places.append((count + number + 1, self.place()))
        return places

    def declare(self, tools: list[shape.Tool]) -> None:
        for tool in self._names.declare(tools):
            description, format_ = tool.tool.description or "", bytes(tool.tool.format)
            pieces = (tool.name.encode(), description.encode(), tool.schema, format_)
            self.layout.block(tool.tool.type, *pieces, chars=len(tool.name) + len(description) + len(tool.schema))
            own = tool.own_name if tool.namespace else ""
            self.tools[tool.name] = ToolSpec(
                tool.name, tool.schema, custom=tool.custom, namespace=tool.namespace, own_name=own
            )
        for other in tools:
            if other.type not in ("function", "custom", "namespace"):
                self.layout.block("hosted", other.type.encode(), chars=0)
                self.hosted = True
                if other.type in OWN_ITEMS:
                    # The client runs it, and waits for items that no other model writes.
                    self.tools[f"{other.type}:"] = ToolSpec(other.type, b"", server=True)

    def system(self, text: str) -> None:
        self.layout.block("system", text.encode(), chars=len(text))
        if self._room > 0:
            self._head.append(text[: self._room])
            self._room -= len(text) + 1

    def strange(self, names: Iterable[str]) -> None:
        """Fields of the request that are a part of its last message."""
        for name in names:
            parts = self._last("user") if self.said.role is None else self.said.parts
            parts.append(Opaque(name))

    def _add(self, item: Item) -> None:
        kind = item.type
        if kind == "message":
            self._message(item)
        elif kind in CALLS:
            self._call(item)
        elif kind in OUTPUTS:
            self._output(item)
        elif kind == "reasoning":
            summary, sealed = bytes(item.summary), item.encrypted_content or ""
            self._last("assistant").append(Thinking(len(summary) if len(summary) > 2 else 0))
            self.layout.block("reasoning", summary, sealed.encode(), chars=len(sealed) // 4)
        elif kind == "additional_tools":
            self.declare(shape.tools_of(item))
        else:
            self._last("user" if kind.endswith("_output") else "assistant").append(Opaque(kind))
            self.layout.block(kind, (item.call_id or "").encode(), chars=0)

    def _last(self, role: Role) -> list[Part]:
        """The parts of the message under way, if it is of this role; else of a new one."""
        if self.said.role == role:
            return self.said.parts
        self.layout.message()
        return self.said.open(role)

    def _message(self, item: Item) -> None:
        role = item.role or ""
        content = item.content
        if role in INSTRUCTIONS:
            if self.said.role is None:
                texts = [content] if isinstance(content, str) else [part.text or "" for part in content or ()]
                for text in texts:
                    self.system(text)
                return
            role = "system"
        elif role not in ("user", "assistant"):
            raise UnknownShape(f"{WHAT} holds a message of the role {role[:40]!r}")
        parts = self._last(role)  # type: ignore[arg-type]  # one of the three by now
        if isinstance(content, str):
            self._text(role, content, parts)
            return
        for part in content or ():
            if part.text is not None or part.refusal is not None:
                self._text(role, part.text or part.refusal or "", parts)
            else:
                parts.append(_MEDIA.get(part.type) or Opaque(part.type))
                self.layout.block(role, *_media_pieces(part), chars=0)

    def _text(self, role: str, text: str, parts: list[Part]) -> None:
        if text:
            parts.append(Text(text))
            self.layout.block(role, text.encode(), chars=len(text))

    def _call(self, item: Item) -> None:
        name, arguments = self._names.of_call(item.namespace, item.name), arguments_of(item)
        self._last("assistant").append(ToolCall(item.call_id or "", name, arguments))
        pieces = ((item.call_id or "").encode(), name.encode(), arguments.encode())
        self.layout.block("call", *pieces, chars=len(name) + len(arguments))

    def _output(self, item: Item) -> None:
        call_id, media = item.call_id or "", []
        if isinstance(item.output, str):
            text = item.output
        else:
            output = output_parts(item)
            text = "\n".join([part.text for part in output if part.text])
            media = [piece for part in output if part.text is None for piece in _media_pieces(part)]
        self._last("user").append(ToolResult(call_id, len(text), False, media=bool(media), text=text))
        self.layout.block("result", call_id.encode(), text.encode(), *media, chars=len(text))


def _media_pieces(part: shape.Part) -> tuple[bytes, ...]:
    said_ = (part.type, part.image_url or "", part.file_data or "", part.file_url or "", part.file_id or "")
    return tuple(piece.encode() for piece in said_)
