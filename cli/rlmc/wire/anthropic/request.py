"""A request body to a `ChatRequest`: the facts decisions are made on, the bytes untouched beside them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Literal, get_args

from msgspec import UnsetType

from rlmc.domain.chat import ChatRequest, Contents, Message, Role, Text, ToolSpec
from rlmc.domain.frozen import dataclass
from rlmc.domain.layout import Layout, Lifetime
from rlmc.errors import UnknownShape
from rlmc.wire.anthropic.blocks import CacheMarker, to_part
from rlmc.wire.anthropic.layout import Stand, Walk, has_images
from rlmc.wire.anthropic.request_shape import (
    MESSAGES,
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
from rlmc.wire.growth import MOST_PLACES, Kept, read_on
from rlmc.wire.parse import parse

_HEAD = 4000

Choice = Literal["auto", "any", "tool", "none"]

_ROLES: dict[str, Role] = {role: role for role in get_args(Role)}
_CHOICES: dict[str, Choice] = {choice: choice for choice in get_args(Choice)}


@dataclass(frozen=True, slots=True)
class _Place:
    """Behind a message: how far the layout has come, and what the messages up to there hold."""

    stand: Stand
    contents: Contents


@dataclass(frozen=True, slots=True)
class _Reading:
    """What the next request can go on from. `start` is the layout's stand at the first message, `marker` the request's
    own cache marker."""

    kept: Kept[_Place]
    start: Stand
    marker: CacheMarker | None


def decode_request(raw: bytes, key: bytes = b"", before: Iterable[ChatRequest] = ()) -> ChatRequest:
    """The request. `key`, of at most 64 bytes, makes the digests of its layout its owner's own. `before` are requests
    it may go on from: what it shares with the first one that it does go on from is not read again."""
    found = read_on(before, key, _Reading, lambda one, reading: _gone_on(raw, key, one, reading))
    if found is not None:
        return found
    body, fields = read_body(raw)
    walk = Walk.begun(body, raw, key, images=has_images(body.messages))
    start, marker = walk.stand(), body.cache_control or None
    messages, places = _conversation(body.messages, walk, Contents())
    reading = _Reading(Kept(raw, key, "messages", tuple(places)), start, marker)
    return _request(raw, body, fields, tuple(messages), walk.layout(marker), places, reading)


def _gone_on(raw: bytes, key: bytes, before: ChatRequest, reading: _Reading) -> ChatRequest | None:
    """The request behind what it shares with the one before; None where it does not go on from that."""
    grown = reading.kept.growth(raw)
    if grown is None:
        return None
    place, growth = grown
    stand, start, marker, body = place.stand, reading.start, reading.marker, None
    if growth.around is None:
        new = parse(MESSAGES, growth.items, WHAT)
    else:
        body, fields = read_body(growth.around)
        new, marker = body.messages, body.cache_control or None
        start = Walk.begun(body, growth.around, key, images=stand.images).stand()
        if not start.equals(reading.start):
            return None
    if (stand.met or has_images(new)) is not stand.images:
        return None
    walk = Walk.behind(stand, before.layout, growth.items)
    said, places = _conversation(new, walk, place.contents)
    places = [(growth.shared, place), *places]
    layout, messages = walk.layout(marker), (*before.messages[: growth.shared], *said)
    kept = Kept(raw, key, "messages", tuple(places[-MOST_PLACES:]), growth.frame)
    if body is not None:
        return _request(raw, body, fields, messages, layout, places, _Reading(kept, start, marker))
    return replace(
        before,
        raw=raw,
        messages=messages,
        chars=layout.chars[-1] if layout.chars else 0,
        cache_ttl=_longest(layout),
        cache_markers=layout.markers,
        layout=layout,
        contents=places[-1][1].contents,
        reading=_Reading(kept, start, marker),
    )


def _conversation(
    messages: Sequence[WireMessage], walk: Walk, contents: Contents
) -> tuple[list[Message], list[tuple[int, _Place]]]:
    """The messages, and the places behind the last ones, of those the walk goes past now."""
    read = [_message(message) for message in messages]
    late = max(0, len(messages) - MOST_PLACES)
    walk.messages(messages[:late])
    places: list[tuple[int, _Place]] = []
    seen = 0
    for number in range(late, len(messages)):
        walk.messages(messages[number : number + 1])
        contents, seen = contents.with_(read[seen : number + 1]), number + 1
        stand = walk.stand()
        places.append((stand.messages, _Place(stand, contents)))
    return read, places


def _request(
    raw: bytes,
    body: Body,
    fields: frozenset[str],
    messages: tuple[Message, ...],
    layout: Layout,
    places: list[tuple[int, _Place]],
    reading: _Reading,
) -> ChatRequest:
    choice, parallel = _tool_choice(body)
    return ChatRequest(
        raw=raw,
        model=body.model,
        stream=body.stream is True,
        max_tokens=body.max_tokens if type(body.max_tokens) is int else None,
        messages=messages,
        tools=tuple([_tool(tool) for tool in body.tools or ()]),
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
        contents=places[-1][1].contents if places else Contents(),
        reading=reading,
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
