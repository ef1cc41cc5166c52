"""A request body to a `ChatRequest`: the facts decisions are made on, the bytes untouched beside them.

Rules: results are the user's, so those of one round and what the user says after them are one message; what only the
provider itself can answer shows as an `Opaque` part with the field's name.
"""

from __future__ import annotations

from rlmc.domain.chat import ChatRequest, Media, Message, Opaque, Part, Role, Text, Thinking, ToolResult, ToolSpec
from rlmc.errors import UnknownShape
from rlmc.wire.arguments import CUSTOM_SCHEMA
from rlmc.wire.chat.calls import CallReader
from rlmc.wire.chat.choice import read_choice
from rlmc.wire.chat.request_shape import (
    INSTRUCTIONS,
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
from rlmc.wire.plain_layout import PlainLayout

_HEAD = 4000

NO_SCHEMA = b'{"type":"object","properties":{}}'
"""Of a function that says nothing of its arguments: it takes none."""

_MEDIA = {"image_url": Media("image"), "file": Media("document")}


def decode_request(raw: bytes, key: bytes = b"") -> ChatRequest:
    """The request. `key`, of at most 64 bytes, makes the digests of its layout its owner's own."""
    body, fields = read_body(raw)
    layout = PlainLayout(key)
    tools = tuple([_tool(tool, layout) for tool in body.tools or ()])
    schema = _schema(body.response_format or None)
    if schema is not None:
        layout.block("format", schema, chars=len(schema))
    conversation = _Conversation(layout)
    for message in body.messages:
        conversation.add(message)
    for name in undraftable(body):
        conversation.strange(name)
    choice, _ = read_choice(body.tool_choice)
    return ChatRequest(
        raw=raw,
        model=body.model,
        stream=body.stream is True,
        max_tokens=limit_of(body),
        messages=tuple([Message(role, tuple(parts)) for role, parts in conversation.messages]),
        tools=tools,
        tool_choice=choice,
        parallel_tools=body.parallel_tool_calls is not False,
        system_head="\n".join(conversation.head)[:_HEAD],
        chars=layout.chars,
        output_schema=schema,
        fields=fields | {"stop_sequences"} if said(body.stop) else fields,
        layout=layout.done(),
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


class _Conversation:
    """Messages one after another. `head` is the system text before them, as far as a kind of call is known by it."""

    def __init__(self, layout: PlainLayout) -> None:
        self.messages: list[tuple[Role, list[Part]]] = []
        self.head: list[str] = []
        self._layout = layout
        self._room = _HEAD
        self._results = False  # the last message holds results alone, so what follows may join it
        self._calls = CallReader()

    def add(self, message: WireMessage) -> None:
        role = message.role
        if role == "assistant":
            self._assistant(message)
        elif role in RESULTS:
            self._result(message)
        elif role == "user":
            parts = self.messages[-1][1] if self._results else self._open("user")
            self._results = False
            self._content("user", message, parts)
        elif role not in INSTRUCTIONS:
            raise UnknownShape(f"{WHAT} holds a message of the role {role[:40]!r}")
        elif self.messages:
            self._content(role, message, self._open("system"))
        else:
            self._system(message)

    def strange(self, name: str) -> None:
        parts = self.messages[-1][1] if self.messages else self._open("user")
        parts.append(Opaque(name))

    def _open(self, role: Role) -> list[Part]:
        self._results = False
        self._layout.message()
        parts: list[Part] = []
        self.messages.append((role, parts))
        return parts

    def _system(self, message: WireMessage) -> None:
        content = message.content
        texts = [content] if isinstance(content, str) else [part.text or "" for part in content or ()]
        for text in texts:
            self._layout.block("system", text.encode(), chars=len(text))
            if self._room > 0:
                self.head.append(text[: self._room])
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
                self._layout.block("call", *pieces, chars=len(call.name) + len(call.arguments))
                parts.append(call)

    def _result(self, message: WireMessage) -> None:
        parts = self.messages[-1][1] if self._results else self._open("user")
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
        self._layout.block("result", call_id.encode(), text.encode(), *pieces, chars=len(text))

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
                self._layout.block(role, *_media_pieces(part), chars=0)

    def _text(self, role: str, text: str, parts: list[Part]) -> None:
        if text:
            parts.append(Text(text))
            self._layout.block(role, text.encode(), chars=len(text))


def _media_pieces(part: Content) -> tuple[bytes, ...]:
    return part.type.encode(), bytes(part.image_url), bytes(part.file)
