"""A request's JSON as loosely typed values, checked the way the provider checks it.

Only what a model needs to answer is named; everything else is allowed and ignored. The checks are those that a proxy
could get wrong: message order, tool calls without results, too many cache markers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

Block = dict[str, Any]


class BadRequest(Exception):
    """The provider would answer 400 with this text."""


class Message(msgspec.Struct):
    role: Literal["user", "assistant", "system"]
    content: str | list[Block] = ""

    def blocks(self) -> list[Block]:
        """A plain string is the same as one text block."""
        if isinstance(self.content, str):
            return [{"type": "text", "text": self.content}] if self.content else []
        return self.content


class Body(msgspec.Struct):
    model: str
    messages: list[Message]
    max_tokens: int | None = None
    system: str | list[Block] = ""
    tools: list[Block] = []
    stream: bool = False
    thinking: Block | None = None
    tool_choice: Block | None = None
    output_config: Block | None = None
    cache_control: Block | None = None
    speed: str | None = None

    def system_blocks(self) -> list[Block]:
        if isinstance(self.system, str):
            return [{"type": "text", "text": self.system}] if self.system else []
        return self.system

    def thinking_mode(self) -> str | None:
        mode = (self.thinking or {}).get("type")
        return mode if isinstance(mode, str) else None

    def output_schema(self) -> Block | None:
        wanted = (self.output_config or {}).get("format")
        schema = wanted.get("schema") if isinstance(wanted, dict) else None
        return schema if isinstance(schema, dict) else None


_DECODER = msgspec.json.Decoder(Body)
_MARKERS = 4


def decode(raw: bytes, *, counting: bool = False) -> Body:
    """The request, or `BadRequest`. `counting`: count_tokens needs no max_tokens."""
    try:
        body = _DECODER.decode(raw)
    except msgspec.ValidationError as error:
        raise BadRequest(str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest(f"The request body is not valid JSON: {error}") from error
    if body.max_tokens is None and not counting:
        raise BadRequest("max_tokens: Field required")
    _check_messages(body.messages)
    _check_results(body.messages)
    _check_markers(body)
    return body


def _check_messages(messages: list[Message]) -> None:
    if not messages:
        raise BadRequest("messages: at least one message is required")
    if messages[0].role != "user":
        raise BadRequest("messages: first message must use the user role")
    if messages[-1].role == "assistant":
        raise BadRequest(
            "This model does not support assistant message prefill. The conversation must end with a user message."
        )
    for n, message in enumerate(messages):
        if message.role == "system" and messages[n - 1].role == "system":
            raise BadRequest(f"messages.{n}: role 'system' must follow a user message")


def _check_results(messages: list[Message]) -> None:
    """Every tool call has its result first thing in the next message, and no result is without its call."""
    waiting: list[str] = []
    for n, message in enumerate(messages):
        blocks = message.blocks()
        results = [str(b.get("tool_use_id")) for b in blocks if b.get("type") == "tool_result"]
        leading = [b.get("type") for b in blocks[: len(results)]]
        missing = [i for i in waiting if i not in results]
        if missing:
            raise BadRequest(
                f"messages.{n - 1}: `tool_use` ids were found without `tool_result` blocks immediately after: "
                f"{', '.join(missing)}"
            )
        foreign = [i for i in results if i not in waiting]
        if foreign:
            raise BadRequest(f"messages.{n}: unexpected `tool_use_id` found in `tool_result` blocks: {foreign[0]}")
        if any(kind != "tool_result" for kind in leading):
            raise BadRequest(f"messages.{n}: `tool_result` blocks must come before any other content")
        uses = [b for b in blocks if b.get("type") == "tool_use"]
        if any(not isinstance(b.get("input"), dict) for b in uses):
            raise BadRequest(f"messages.{n}: tool_use.input: Input should be an object")
        waiting = [str(b.get("id")) for b in uses] if message.role == "assistant" else []


def _check_markers(body: Body) -> None:
    lifetimes = [ttl for ttl in (marker_of(b) for b in _cacheable(body)) if ttl]
    if body.cache_control:
        lifetimes.append(_ttl(body.cache_control))
    if len(lifetimes) > _MARKERS:
        raise BadRequest(f"A maximum of {_MARKERS} blocks with cache_control may be provided. Found {len(lifetimes)}.")
    if "1h" in lifetimes[lifetimes.index("5m") if "5m" in lifetimes else len(lifetimes) :]:
        raise BadRequest("cache_control: a block with ttl='1h' must not come after a block with ttl='5m'")


def _cacheable(body: Body) -> Iterator[Block]:
    yield from body.tools
    yield from body.system_blocks()
    for message in body.messages:
        yield from message.blocks()


def marker_of(block: Block) -> Literal["5m", "1h"] | None:
    """The lifetime a block's cache marker asks for; None without a marker."""
    control = block.get("cache_control")
    return _ttl(control) if isinstance(control, dict) else None


def _ttl(control: Block) -> Literal["5m", "1h"]:
    return "1h" if control.get("ttl") == "1h" else "5m"
