"""A request body to a `ChatRequest`: the facts decisions are made on, the bytes untouched beside them.

Rules: items are flat here, so what the model does between two words of the user's is one message, and so are the
results after it; what only the provider itself can answer shows as an `Opaque` part with its name.
"""

from __future__ import annotations

from typing import Literal

from rlmc.domain.chat import (
    ChatRequest,
    Media,
    Message,
    Opaque,
    Part,
    Role,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    ToolSpec,
)
from rlmc.errors import UnknownShape
from rlmc.wire.plain_layout import PlainLayout
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

_HEAD = 4000

Chosen = Literal["auto", "any", "tool", "none"]

HOSTED = "hosted_tools"
"""Among a request's fields where it offers tools that run at the provider."""
KEPT = "kept_answers"
"""Among a request's fields where the provider keeps the answer, as it does unless told not to: the client may go on
from it by its id."""

_CHOICES: dict[str, Chosen] = {"auto": "auto", "required": "any", "none": "none"}
_MEDIA = {"input_image": Media("image"), "input_file": Media("document")}


def decode_request(raw: bytes, key: bytes = b"") -> ChatRequest:
    """The request. `key`, of at most 64 bytes, makes the digests of its layout its owner's own."""
    body = shape.read_body(raw)
    layout = PlainLayout(key)
    reading = _Reading(layout)
    reading.declare(body.tools or [])
    schema = output_schema(body)
    if schema is not None:
        layout.block("format", schema, chars=len(schema))
    if body.instructions:
        reading.system(body.instructions)
    items = [Item(role="user", content=body.input)] if isinstance(body.input, str) else body.input
    for item in items:
        reading.item(item)
    for name in NOT_A_TURN:
        if said(getattr(body, name)):
            reading.strange(name)
    fields = names_of(raw)
    if reading.hosted:
        fields |= {HOSTED}
    if bytes(body.store) != b"false":
        fields |= {KEPT}
    return ChatRequest(
        raw=raw,
        model=body.model,
        stream=body.stream is True,
        max_tokens=body.max_output_tokens,
        messages=tuple([Message(role, tuple(parts)) for role, parts in reading.messages]),
        tools=tuple(reading.tools.values()),
        tool_choice=choice_of(body.tool_choice),
        parallel_tools=body.parallel_tool_calls is not False,
        system_head="\n".join(reading.head)[:_HEAD],
        chars=layout.chars,
        output_schema=schema,
        fields=fields,
        layout=layout.done(),
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


class _Reading:
    """Items one after another. `head` is the system text before the conversation, `hosted` whether there are tools that
    run at the provider."""

    def __init__(self, layout: PlainLayout) -> None:
        self.messages: list[tuple[Role, list[Part]]] = []
        self.tools: dict[str, ToolSpec] = {}  # a tool that is declared again is as it was declared last
        self.head: list[str] = []
        self.hosted = False
        self._layout = layout
        self._names = Names()
        self._room = _HEAD

    def declare(self, tools: list[shape.Tool]) -> None:
        for tool in self._names.declare(tools):
            description, format_ = tool.tool.description or "", bytes(tool.tool.format)
            pieces = (tool.name.encode(), description.encode(), tool.schema, format_)
            self._layout.block(tool.tool.type, *pieces, chars=len(tool.name) + len(description) + len(tool.schema))
            own = tool.own_name if tool.namespace else ""
            self.tools[tool.name] = ToolSpec(
                tool.name, tool.schema, custom=tool.custom, namespace=tool.namespace, own_name=own
            )
        for other in tools:
            if other.type not in ("function", "custom", "namespace"):
                self._layout.block("hosted", other.type.encode(), chars=0)
                self.hosted = True
                if other.type in OWN_ITEMS:
                    # The client runs it, and waits for items that no other model writes.
                    self.tools[f"{other.type}:"] = ToolSpec(other.type, b"", server=True)

    def system(self, text: str) -> None:
        self._layout.block("system", text.encode(), chars=len(text))
        if self._room > 0:
            self.head.append(text[: self._room])
            self._room -= len(text) + 1

    def strange(self, name: str) -> None:
        parts = self.messages[-1][1] if self.messages else self._last("user")
        parts.append(Opaque(name))

    def item(self, item: Item) -> None:
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
            self._layout.block("reasoning", summary, sealed.encode(), chars=len(sealed) // 4)
        elif kind == "additional_tools":
            self.declare(shape.tools_of(item))
        else:
            self._last("user" if kind.endswith("_output") else "assistant").append(Opaque(kind))
            self._layout.block(kind, (item.call_id or "").encode(), chars=0)

    def _last(self, role: Role) -> list[Part]:
        """The parts of the message under way, if it is of this role; else of a new one."""
        if self.messages and self.messages[-1][0] == role:
            return self.messages[-1][1]
        self._layout.message()
        parts: list[Part] = []
        self.messages.append((role, parts))
        return parts

    def _message(self, item: Item) -> None:
        role = item.role or ""
        content = item.content
        if role in INSTRUCTIONS:
            if not self.messages:
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
                self._layout.block(role, *_media_pieces(part), chars=0)

    def _text(self, role: str, text: str, parts: list[Part]) -> None:
        if text:
            parts.append(Text(text))
            self._layout.block(role, text.encode(), chars=len(text))

    def _call(self, item: Item) -> None:
        name, arguments = self._names.of_call(item.namespace, item.name), arguments_of(item)
        self._last("assistant").append(ToolCall(item.call_id or "", name, arguments))
        pieces = ((item.call_id or "").encode(), name.encode(), arguments.encode())
        self._layout.block("call", *pieces, chars=len(name) + len(arguments))

    def _output(self, item: Item) -> None:
        call_id, media = item.call_id or "", []
        if isinstance(item.output, str):
            text = item.output
        else:
            output = output_parts(item)
            text = "\n".join([part.text for part in output if part.text])
            media = [piece for part in output if part.text is None for piece in _media_pieces(part)]
        self._last("user").append(ToolResult(call_id, len(text), False, media=bool(media), text=text))
        self._layout.block("result", call_id.encode(), text.encode(), *media, chars=len(text))


def _media_pieces(part: shape.Part) -> tuple[bytes, ...]:
    said_ = (part.type, part.image_url or "", part.file_data or "", part.file_url or "", part.file_id or "")
    return tuple(piece.encode() for piece in said_)
