"""A request body to a `ChatRequest`: the facts decisions are made on, the bytes untouched beside them."""

from __future__ import annotations

from typing import Literal, get_args

from msgspec import UnsetType

from rlmc.domain.chat import ChatRequest, Message, Role, Text, ToolSpec
from rlmc.domain.layout import Layout, Lifetime
from rlmc.errors import UnknownShape
from rlmc.wire.anthropic.blocks import to_part
from rlmc.wire.anthropic.layout import lay_out
from rlmc.wire.anthropic.request_shape import (
    OUTPUT_CONFIG,
    OUTPUT_FORMAT,
    WHAT,
    Body,
    SystemBlock,
    Tool,
    ToolChoice,
    WireMessage,
    read_body,
)
from rlmc.wire.anthropic.tools import runs_at_provider
from rlmc.wire.parse import parse

_HEAD = 4000

Choice = Literal["auto", "any", "tool", "none"]

_ROLES: dict[str, Role] = {role: role for role in get_args(Role)}
_CHOICES: dict[str, Choice] = {choice: choice for choice in get_args(Choice)}


def decode_request(raw: bytes, key: bytes = b"") -> ChatRequest:
    """The request. `key`, of at most 64 bytes, makes the digests of its layout its owner's own."""
    body, fields = read_body(raw)
    tools = tuple(_tool(tool) for tool in body.tools or ())
    messages = tuple(_message(message) for message in body.messages)
    choice, parallel = _tool_choice(body)
    layout = lay_out(body, raw, key)
    return ChatRequest(
        raw=raw,
        model=body.model,
        stream=body.stream is True,
        max_tokens=body.max_tokens if type(body.max_tokens) is int else None,
        messages=messages,
        tools=tools,
        tool_choice=choice,
        parallel_tools=parallel,
        system_head=_system_head(body.system),
        chars=layout.chars[-1] if layout.chars else 0,
        thinking=body.thinking.type if body.thinking else None,
        output_schema=_schema(body),
        safeguards=bytes(body.safeguards or b"") not in {b"", b"null", b"[]"},
        cache_ttl=_longest(layout),
        cache_markers=layout.markers,
        fields=fields,
        layout=layout,
    )


def _longest(layout: Layout) -> Lifetime | None:
    lifetimes = {lifetime for _, lifetime in layout.marks}
    return "1h" if "1h" in lifetimes else "5m" if lifetimes else None


def _system_head(system: str | list[SystemBlock] | UnsetType | None) -> str:
    if not system:
        return ""
    if isinstance(system, str):
        return system[:_HEAD]
    head: list[str] = []
    room = _HEAD
    for block in system:
        if room <= 0:
            break
        head.append(block.text[:room])
        room -= len(block.text) + 1
    return "\n".join(head)[:_HEAD]


def _tool(tool: Tool) -> ToolSpec:
    return ToolSpec(
        name=tool.name or tool.type or "",
        schema=bytes(tool.input_schema),
        server=runs_at_provider(tool.type),
        deferred=tool.defer_loading is True,
        read_only=tool.annotations is not None and tool.annotations.read_only is True,
    )


def _message(message: WireMessage) -> Message:
    role = _ROLES.get(message.role)
    if role is None:
        raise UnknownShape(f"The request body holds a message of the role {message.role[:40]!r}")
    content = message.content
    if isinstance(content, str):
        return Message(role, (Text(content),))
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
    config = parse(OUTPUT_CONFIG, body.output_config, WHAT) if body.output_config else None
    format_ = config.format if config else None
    if format_ is None and body.output_format:
        format_ = parse(OUTPUT_FORMAT, body.output_format, WHAT)
    return (bytes(format_.schema) or b"{}") if format_ else None
