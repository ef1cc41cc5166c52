"""A request body to a `ChatRequest`: the facts decisions are made on, the bytes untouched beside them.

Rules: results are the user's, so those of one round and what the user says after them are one message; what only the
provider itself can answer shows as an `Opaque` part with the field's name.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from rlmc.domain.chat import ChatRequest, Media, Opaque, Part, Role, Text, Thinking, ToolResult, ToolSpec
from rlmc.domain.frozen import dataclass
from rlmc.errors import UnknownShape
from rlmc.wire.arguments import CUSTOM_SCHEMA
from rlmc.wire.chat.calls import CallReader
from rlmc.wire.chat.choice import read_choice
from rlmc.wire.chat.request_shape import (
    INSTRUCTIONS,
    MESSAGES,
    RESULTS,
    WHAT,
    Body,
    Content,
    ResponseFormat,
    Tool,
    WireMessage,
    limit_of,
    read_body,
    said,
)
from rlmc.wire.growth import MOST_PLACES, Kept, read_on
from rlmc.wire.parse import parse
from rlmc.wire.plain_layout import PlainLayout, PlainStand
from rlmc.wire.under_way import Point, UnderWay

_HEAD = 4000

NO_SCHEMA = b'{"type":"object","properties":{}}'
"""Of a function that says nothing of its arguments: it takes none."""

_MEDIA = {"image_url": Media("image"), "file": Media("document")}


@dataclass(frozen=True, slots=True)
class _Reading:
    """What the next request can go on from. `start` is the layout's stand before the messages, `strange` are fields
    that ask for what no other model's answer has."""

    kept: Kept[_Place]
    start: PlainStand
    strange: tuple[str, ...]


def decode_request(raw: bytes, key: bytes = b"", before: Iterable[ChatRequest] = ()) -> ChatRequest:
    """The request. `key`, of at most 64 bytes, makes the digests of its layout its owner's own. `before` are requests
    it may go on from: what it shares with the first one that it does go on from is not read again."""
    found = read_on(before, key, _Reading, lambda one, reading: _gone_on(raw, key, one, reading))
    if found is not None:
        return found
    body, fields = read_body(raw)
    layout = PlainLayout(key)
    tools, schema = _begin(body, layout)
    start, conversation = layout.stand(), _Conversation(layout)
    places = conversation.add(body.messages, 0)
    strange = tuple(undraftable(body))
    reading = _Reading(Kept(raw, key, "messages", tuple(places)), start, strange)
    return _request(raw, body, fields, tools, schema, conversation, reading)


def _gone_on(raw: bytes, key: bytes, before: ChatRequest, reading: _Reading) -> ChatRequest | None:
    """The request behind what it shares with the one before; None where it does not go on from that."""
    grown = reading.kept.growth(raw)
    if grown is None:
        return None
    place, growth = grown
    conversation = _Conversation.behind(place, before)
    start, strange = reading.start, reading.strange
    if growth.around is None:
        new = parse(MESSAGES, growth.items, WHAT)
    else:
        body, fields = read_body(growth.around)
        new, strange = body.messages, tuple(undraftable(body))
        layout = PlainLayout(key)
        tools, schema = _begin(body, layout)
        start = layout.stand()
        if not start.equals(reading.start):
            return None
    places = [(growth.shared, place), *conversation.add(new, growth.shared)]
    reading = _Reading(Kept(raw, key, "messages", tuple(places[-MOST_PLACES:]), growth.frame), start, strange)
    if growth.around is not None:
        return _request(raw, body, fields, tools, schema, conversation, reading)
    conversation.strange(strange)
    return replace(
        before,
        raw=raw,
        messages=conversation.said.messages(),
        system_head=conversation.system_head,
        chars=conversation.layout.chars,
        layout=conversation.layout.done(),
        contents=conversation.said.contents(),
        reading=reading,
    )


def _begin(body: Body, layout: PlainLayout) -> tuple[tuple[ToolSpec, ...], bytes | None]:
    """What stands before the messages."""
    tools = tuple([_tool(tool, layout) for tool in body.tools or ()])
    schema = _schema(body.response_format or None)
    if schema is not None:
        layout.block("format", schema, chars=len(schema))
    return tools, schema


def _request(
    raw: bytes,
    body: Body,
    fields: frozenset[str],
    tools: tuple[ToolSpec, ...],
    schema: bytes | None,
    conversation: _Conversation,
    reading: _Reading,
) -> ChatRequest:
    conversation.strange(reading.strange)
    choice, _ = read_choice(body.tool_choice)
    return ChatRequest(
        raw=raw,
        model=body.model,
        stream=body.stream is True,
        max_tokens=limit_of(body),
        messages=conversation.said.messages(),
        tools=tools,
        tool_choice=choice,
        parallel_tools=body.parallel_tool_calls is not False,
        system_head=conversation.system_head,
        chars=conversation.layout.chars,
        output_schema=schema,
        fields=fields | {"stop_sequences"} if said(body.stop) else fields,
        layout=conversation.layout.done(),
        contents=conversation.said.contents(),
        reading=reading,
    )


def undraftable(body: Body) -> list[str]:
    """The fields that ask for what no other model's answer has."""
    found = [
        name
        for name in ("audio", "prediction", "logprobs", "web_search_options", "functions")
        if said(getattr(body, name))
    ]
    if type(body.n) is int and body.n > 1:
        found.append("n")
    if b'"audio"' in said(body.modalities):
        found.append("modalities")
    return found


def _tool(tool: Tool, layout: PlainLayout) -> ToolSpec:
    if tool.custom is not None:
        custom, description = tool.custom, tool.custom.description or ""
        said_of = (custom.name.encode(), description.encode(), bytes(custom.format))
        layout.block("custom", *said_of, chars=len(custom.name) + len(description) + len(custom.format))
        return ToolSpec(custom.name, CUSTOM_SCHEMA, custom=True)
    if tool.function is None:
        layout.block("hosted", tool.type.encode(), chars=0)
        return ToolSpec(tool.type, b"", server=True)
    function, description = tool.function, tool.function.description or ""
    schema = bytes(function.parameters)
    pieces = (function.name.encode(), description.encode(), schema, b"strict" if function.strict is True else b"")
    layout.block("tool", *pieces, chars=len(function.name) + len(description) + len(schema))
    return ToolSpec(function.name, schema if schema not in (b"", b"null") else NO_SCHEMA)


def _schema(wanted: ResponseFormat | None) -> bytes | None:
    """The schema the answer must follow; `{}` where JSON is asked for without one."""
    if wanted is None or wanted.type == "text":
        return None
    schema = bytes(wanted.json_schema.schema) if wanted.json_schema else b""
    return b"{}" if schema in (b"", b"null") else schema


@dataclass(frozen=True, slots=True)
class _Place:
    """Behind an item: how far the layout and the messages have come, and what else is known there."""

    stand: PlainStand
    point: Point
    head: tuple[str, ...]
    room: int
    results: bool
    legacy: int


class _Conversation:
    """Messages one after another. `head` is the system text before them, as far as a kind of call is known by it."""

    def __init__(self, layout: PlainLayout) -> None:
        self.said = UnderWay()
        self.layout = layout
        self._head: list[str] = []
        self._room = _HEAD
        self._results = False  # the last message holds results alone, so what follows may join it
        self._calls = CallReader()

    @classmethod
    def behind(cls, place: _Place, before: ChatRequest) -> _Conversation:
        found = cls(PlainLayout.behind(place.stand, before.layout))
        found.said = UnderWay.behind(place.point, before.messages)
        found._head, found._room, found._results = list(place.head), place.room, place.results
        found._calls = CallReader(place.legacy)
        return found

    @property
    def system_head(self) -> str:
        return "\n".join(self._head)[:_HEAD]

    def add(self, messages: list[WireMessage], count: int) -> list[tuple[int, _Place]]:
        """The places behind the last of them; `count` came before."""
        places = []
        late = len(messages) - MOST_PLACES
        for number, message in enumerate(messages):
            self._add(message)
            if number >= late:
                places.append((count + number + 1, self._place()))
        return places

    def strange(self, names: Iterable[str]) -> None:
        """Fields of the request that are a part of its last message."""
        for name in names:
            parts = self._open("user") if self.said.role is None else self.said.parts
            parts.append(Opaque(name))

    def _place(self) -> _Place:
        return _Place(
            self.layout.stand(),
            self.said.point(),
            tuple(self._head),
            self._room,
            self._results,
            self._calls.legacy,
        )

    def _add(self, message: WireMessage) -> None:
        role = message.role
        if role == "assistant":
            self._assistant(message)
        elif role in RESULTS:
            self._result(message)
        elif role == "user":
            parts = self.said.parts if self._results else self._open("user")
            self._results = False
            self._content("user", message, parts)
        elif role not in INSTRUCTIONS:
            raise UnknownShape(f"{WHAT} holds a message of the role {role[:40]!r}")
        elif self.said.role is not None:
            self._content(role, message, self._open("system"))
        else:
            self._system(message)

    def _open(self, role: Role) -> list[Part]:
        self._results = False
        self.layout.message()
        return self.said.open(role)

    def _system(self, message: WireMessage) -> None:
        content = message.content
        texts = [content] if isinstance(content, str) else [part.text or "" for part in content or ()]
        for text in texts:
            self.layout.block("system", text.encode(), chars=len(text))
            if self._room > 0:
                self._head.append(text[: self._room])
                self._room -= len(text) + 1

    def _assistant(self, message: WireMessage) -> None:
        parts = self._open("assistant")
        for reasoning in (message.reasoning_content, message.reasoning):
            if isinstance(reasoning, str):
                parts.append(Thinking(len(reasoning)))
                break
        self._content("assistant", message, parts)
        self._text("assistant", message.refusal or "", parts)
        if message.tool_calls or message.function_call is not None:
            for call in self._calls.calls(message):
                pieces = (call.id.encode(), call.name.encode(), call.arguments.encode())
                self.layout.block("call", *pieces, chars=len(call.name) + len(call.arguments))
                parts.append(call)

    def _result(self, message: WireMessage) -> None:
        parts = self.said.parts if self._results else self._open("user")
        self._results = True
        content = message.content
        call_id = self._calls.answered(message)
        if content is None or isinstance(content, str):
            text, pieces = content or "", []
        else:
            # Nearly always one text, and joining one string makes no copy of it.
            text = "\n".join([part.text for part in content if part.text])
            pieces = [piece for part in content if part.type != "text" for piece in _media_pieces(part)]
        parts.append(ToolResult(call_id, len(text), False, media=bool(pieces), text=text))
        self.layout.block("result", call_id.encode(), text.encode(), *pieces, chars=len(text))

    def _content(self, role: str, message: WireMessage, parts: list[Part]) -> None:
        content = message.content
        if isinstance(content, str):
            self._text(role, content, parts)
            return
        for part in content or ():
            if part.type == "text" or part.type == "refusal":
                self._text(role, part.text or part.refusal or "", parts)
            else:
                parts.append(_MEDIA.get(part.type) or Opaque(part.type))
                self.layout.block(role, *_media_pieces(part), chars=0)

    def _text(self, role: str, text: str, parts: list[Part]) -> None:
        if text:
            parts.append(Text(text))
            self.layout.block(role, text.encode(), chars=len(text))


def _media_pieces(part: Content) -> tuple[bytes, ...]:
    return part.type.encode(), bytes(part.image_url), bytes(part.file)
