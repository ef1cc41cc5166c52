"""A request body to a `Prompt`: all of it that another protocol could carry.

Rules: reasoning never leaves; what has no counterpart anywhere and only tunes the answer is passed over; what the
client could not do without, and what only one provider can resolve, is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Raw, UnsetType

from rlmc.domain.chat import Text
from rlmc.domain.prompt import Attachment, OutputFormat, Prompt, PromptMessage, PromptPart, Result, ToolDefinition
from rlmc.errors import UnknownShape, WireError
from rlmc.wire.arguments import CUSTOM_SCHEMA
from rlmc.wire.chat.calls import CallReader
from rlmc.wire.chat.choice import read_choice
from rlmc.wire.chat.request import NO_SCHEMA
from rlmc.wire.chat.request_shape import (
    INSTRUCTIONS,
    RESULTS,
    WHAT,
    Body,
    Content,
    JsonSchema,
    ResponseFormat,
    Tool,
    WireMessage,
    limit_of,
    read_body,
    said,
)
from rlmc.wire.parse import parse

_EFFORTS = frozenset({"none", "minimal", "low", "medium", "high", "xhigh", "max"})
_NULL = frozenset({b"", b"null"})
_DATA = "data:"
_BASE64 = ";base64,"


class _Image(msgspec.Struct, gc=False):
    url: str = ""


class _File(msgspec.Struct, gc=False):
    file_data: str | None = None
    file_id: str | None = None
    filename: str | None = None


class _Mode(msgspec.Struct, gc=False):
    type: str = ""


class _Grammar(msgspec.Struct, gc=False):
    type: str = ""
    grammar: dict[str, Raw] | None = None


_IMAGE = msgspec.json.Decoder(_Image | str)
_FILE = msgspec.json.Decoder(_File)
_MODE = msgspec.json.Decoder(_Mode)
_FORMAT = msgspec.json.Decoder(_Grammar)
_STOP = msgspec.json.Decoder(str | list[str])


def read_prompt(raw: bytes) -> Prompt:
    body, _ = read_body(raw)
    _refuse(body)
    system, conversation = _split(body.messages)
    history = CallReader()
    choice, forced = read_choice(body.tool_choice)
    return Prompt(
        model=body.model,
        stream=body.stream is True,
        messages=tuple([_message(message, history) for message in conversation]),
        system=tuple(text for message in system for text in _texts(message) if text.strip()),
        max_tokens=limit_of(body),
        tools=tuple(_tools(body.tools or [])),
        tool_choice=choice,
        forced_tool=forced,
        parallel_tools=body.parallel_tool_calls is not False,
        output=_output(body.response_format or None),
        effort=_effort(body),
        stop=_stop(body),
        temperature=_number(body.temperature),
        top_p=_number(body.top_p),
        top_k=_number(body.top_k),
        cache_key=_string(body.prompt_cache_key),
        user=_string(body.safety_identifier) or _string(body.user),
    )


def _refuse(body: Body) -> None:
    if type(body.n) is int and body.n > 1:
        raise WireError(f"`n` is {body.n}, and only one answer can be had of a model of another protocol")
    for name in ("audio", "functions"):
        if said(getattr(body, name)):
            raise WireError(f"`{name}` cannot be carried to a model of another protocol")


def _split(messages: list[WireMessage]) -> tuple[list[WireMessage], list[WireMessage]]:
    """The instructions at the beginning, and the conversation."""
    start = next((n for n, message in enumerate(messages) if message.role not in INSTRUCTIONS), len(messages))
    return messages[:start], messages[start:]


def _texts(message: WireMessage) -> list[str]:
    content = message.content
    return [content] if isinstance(content, str) else [part.text or "" for part in content or ()]


def _message(message: WireMessage, history: CallReader) -> PromptMessage:
    role = message.role
    if role == "user":
        return PromptMessage("user", tuple(_parts(message)))
    if role == "assistant":
        said_too = [Text(message.refusal)] if message.refusal else []
        return PromptMessage("assistant", (*_parts(message), *said_too, *history.calls(message)))
    if role in RESULTS:
        content = tuple(part for part in _parts(message) if isinstance(part, Text | Attachment))
        return PromptMessage("user", (Result(history.answered(message), content),))
    if role in INSTRUCTIONS:
        return PromptMessage("system", tuple(Text(text) for text in _texts(message)))
    raise UnknownShape(f"{WHAT} holds a message of the role {role[:40]!r}")


def _parts(message: WireMessage) -> Iterator[PromptPart]:
    content = message.content
    if isinstance(content, str):
        yield Text(content)
        return
    for part in content or ():
        yield _part(part)


def _part(part: Content) -> Text | Attachment:
    kind = part.type
    if kind in ("text", "refusal"):
        return Text(part.text or part.refusal or "")
    if kind == "image_url":
        image = parse(_IMAGE, part.image_url, WHAT)
        return _attachment("image", image if isinstance(image, str) else image.url)
    if kind == "file":
        file = parse(_FILE, part.file, WHAT)
        if not file.file_data:
            raise WireError("a file given by its id is only to be had at its own provider")
        data = file.file_data if file.file_data.startswith(_DATA) else f"data:application/pdf{_BASE64}{file.file_data}"
        return _attachment("document", data, file.filename or "")
    if kind == "input_audio":
        raise WireError("audio cannot be carried to a model of another protocol")
    return Text(f"[{kind} not shown]")


def _attachment(kind: Any, url: str, name: str = "") -> Attachment:
    head, found, data = url.partition(_BASE64)
    if url.startswith(_DATA) and found:
        return Attachment(kind, head.removeprefix(_DATA), data=data, name=name)
    return Attachment(kind, url=url, name=name)


def _tools(tools: list[Tool]) -> Iterator[ToolDefinition]:
    """The client's own; what runs at one provider is not to be had at another."""
    for tool in tools:
        if tool.custom is not None:
            custom = tool.custom
            yield ToolDefinition(
                custom.name, custom.description or "", CUSTOM_SCHEMA, custom=True, format=_grammar(custom.format)
            )
        elif tool.function is not None:
            function = tool.function
            schema = bytes(function.parameters)
            strict = function.strict if isinstance(function.strict, bool) else None
            yield ToolDefinition(
                function.name, function.description or "", NO_SCHEMA if schema in _NULL else schema, strict=strict
            )


def _grammar(raw: Raw) -> bytes:
    """A grammar's fields, which this protocol has one level deeper than the domain."""
    if bytes(raw) in _NULL:
        return b""
    format_ = parse(_FORMAT, raw, WHAT)
    if format_.grammar is None:
        return bytes(raw)
    return msgspec.json.encode({"type": format_.type, **format_.grammar})


def _output(wanted: ResponseFormat | None) -> OutputFormat | None:
    if wanted is None or wanted.type == "text":
        return None
    described = wanted.json_schema or JsonSchema()
    schema = bytes(described.schema)
    strict = described.strict if isinstance(described.strict, bool) else None
    return OutputFormat(b"{}" if schema in _NULL else schema, described.name or "answer", strict)


def _effort(body: Body) -> str | None:
    """OpenAI's word for it, or the switches of those who have none."""
    effort = _string(body.reasoning_effort)
    if effort in _EFFORTS:
        return effort
    mode = bytes(body.thinking) if not isinstance(body.thinking, UnsetType) else b""
    disabled = mode.startswith(b"{") and parse(_MODE, mode, WHAT).type == "disabled"
    return "none" if disabled or body.enable_thinking is False else None


def _stop(body: Body) -> tuple[str, ...]:
    raw = said(body.stop)
    if not raw:
        return ()
    stop = parse(_STOP, raw, WHAT)
    return (stop,) if isinstance(stop, str) else tuple(stop)


def _number(value: Raw | UnsetType) -> bytes:
    if isinstance(value, UnsetType):
        return b""
    raw = bytes(value)
    return b"" if raw in _NULL else raw


def _string(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
