"""A request body to a `ChatRequest`: the facts decisions are made on, the bytes untouched beside them."""

from __future__ import annotations

from typing import Literal, get_args

from msgspec import UnsetType

from rlmc.domain.chat import ChatRequest, Message, Role, Text, ToolSpec
from rlmc.errors import UnknownShape
from rlmc.wire.anthropic.blocks import CacheMarker, to_part
from rlmc.wire.anthropic.request_shape import Body, Format, SystemBlock, Tool, ToolChoice, WireMessage, read_body
from rlmc.wire.anthropic.tools import runs_at_provider

_HEAD = 4000

Choice = Literal["auto", "any", "tool", "none"]

_ROLES: dict[str, Role] = {role: role for role in get_args(Role)}
_CHOICES: dict[str, Choice] = {choice: choice for choice in get_args(Choice)}


class _Tally:
    """What is summed up over the whole prompt."""

    __slots__ = ("chars", "markers", "ttls")

    def __init__(self) -> None:
        self.chars = 0
        self.markers = 0
        self.ttls: set[str] = set()

    def mark(self, marker: CacheMarker | UnsetType | None) -> None:
        if isinstance(marker, CacheMarker):
            self.markers += 1
            self.ttls.add("1h" if marker.ttl == "1h" else "5m")

    @property
    def ttl(self) -> Literal["5m", "1h"] | None:
        return "1h" if "1h" in self.ttls else "5m" if self.ttls else None


def decode_request(raw: bytes) -> ChatRequest:
    body, fields = read_body(raw)
    tally = _Tally()
    tally.mark(body.cache_control)
    system = _system(body.system, tally)
    tools = tuple(_tool(tool, tally) for tool in body.tools or ())
    messages = tuple(_message(message, tally) for message in body.messages)
    choice, parallel = _tool_choice(body)
    return ChatRequest(
        raw=raw,
        model=body.model,
        stream=body.stream is True,
        max_tokens=body.max_tokens if type(body.max_tokens) is int else None,
        messages=messages,
        tools=tools,
        tool_choice=choice,
        parallel_tools=parallel,
        system_head=system,
        chars=tally.chars,
        thinking=body.thinking.type if body.thinking else None,
        output_schema=_schema(body),
        safeguards=bytes(body.safeguards or b"") not in {b"", b"null", b"[]"},
        cache_ttl=tally.ttl,
        cache_markers=tally.markers,
        fields=fields,
    )


def _system(system: str | list[SystemBlock] | UnsetType | None, tally: _Tally) -> str:
    if not system:
        return ""
    if isinstance(system, str):
        tally.chars += len(system)
        return system[:_HEAD]
    head: list[str] = []
    room = _HEAD
    for block in system:
        tally.chars += len(block.text)
        tally.mark(block.cache_control)
        if room > 0:
            head.append(block.text[:room])
            room -= len(block.text) + 1
    return "\n".join(head)[:_HEAD]


def _tool(tool: Tool, tally: _Tally) -> ToolSpec:
    tally.chars += len(tool.name) + len(tool.description or "") + len(tool.input_schema)
    tally.mark(tool.cache_control)
    return ToolSpec(
        name=tool.name or tool.type or "",
        schema=bytes(tool.input_schema),
        server=runs_at_provider(tool.type),
        deferred=tool.defer_loading is True,
        read_only=tool.annotations is not None and tool.annotations.read_only is True,
    )


def _message(message: WireMessage, tally: _Tally) -> Message:
    role = _ROLES.get(message.role)
    if role is None:
        raise UnknownShape(f"The request body holds a message of the role {message.role[:40]!r}")
    content = message.content
    if isinstance(content, str):
        tally.chars += len(content)
        return Message(role, (Text(content),))
    for block in content:
        if block.cache_control is not None:
            tally.mark(block.cache_control)
        # Of each kind only its own fields are filled, so this is what the model reads of any of them.
        tally.chars += len(block.text) + len(block.thinking) + len(block.name)
        inner = block.content
        if isinstance(inner, str):
            tally.chars += len(inner)
        elif isinstance(inner, list):
            for item in inner:
                tally.chars += len(item.text)
                tally.mark(item.cache_control)
        if block.type == "tool_use":
            tally.chars += len(block.input)
    return Message(role, tuple([to_part(block) for block in content]))


def _tool_choice(body: Body) -> tuple[Choice | None, bool]:
    choice = body.tool_choice
    if not isinstance(choice, ToolChoice):
        return None, True
    kind = _CHOICES.get(choice.type)
    if kind is None:
        raise UnknownShape(f"The request body holds a tool_choice of the type {choice.type[:40]!r}")
    return kind, choice.disable_parallel_tool_use is not True


def _schema(body: Body) -> bytes | None:
    """The schema the answer must follow; `{}` where a format is asked for without one."""
    given = body.output_config.format if body.output_config else None
    format_ = given or (body.output_format or None)
    return (bytes(format_.schema) or b"{}") if isinstance(format_, Format) else None
