"""A request body to a `Prompt`: all of it that another protocol could carry.

Rules: what names things only the provider holds is refused, since nobody else could know what is meant; of what a
provider's own tools did, a word is left; reasoning never leaves.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Raw

from rlmc.domain.chat import Role, Text, ToolCall
from rlmc.domain.prompt import (
    Attachment,
    OutputFormat,
    Prompt,
    PromptMessage,
    PromptPart,
    Result,
    ToolDefinition,
)
from rlmc.errors import UnknownShape, WireError
from rlmc.wire.responses import request_shape as shape
from rlmc.wire.responses.request import choice_of, output_schema
from rlmc.wire.responses.request_shape import (
    CALLS,
    HOSTED_CALLS,
    HOSTED_OUTPUTS,
    INSTRUCTIONS,
    OUTPUTS,
    STORED,
    WHAT,
    Body,
    Choice,
    Item,
    arguments_of,
    output_parts,
    read_body,
    said,
    tools_of,
)
from rlmc.wire.responses.tools import Names

_EFFORTS = frozenset({"none", "minimal", "low", "medium", "high", "xhigh", "max"})
_DATA = "data:"
_BASE64 = ";base64,"


def read_prompt(raw: bytes) -> Prompt:
    body = read_body(raw)
    for name in STORED:
        if said(getattr(body, name)):
            raise WireError(f"`{name}` means something only at the client's own provider; no other can be asked")
    reading = _Reading()
    reading.declare(body.tools or [])
    items = [Item(role="user", content=body.input)] if isinstance(body.input, str) else body.input
    for item in items:
        reading.item(item)
    instructions = (body.instructions,) if body.instructions and body.instructions.strip() else ()
    choice, forced = choice_of(body.tool_choice), reading.forced(body.tool_choice)
    effort = body.reasoning.effort if body.reasoning else None
    return Prompt(
        model=body.model,
        stream=body.stream is True,
        messages=tuple(PromptMessage(role, tuple(parts)) for role, parts in reading.messages),
        system=(*instructions, *reading.system),
        max_tokens=body.max_output_tokens,
        tools=tuple(reading.tools.values()),
        tool_choice=None if choice == "tool" and not forced else choice,
        forced_tool=forced,
        parallel_tools=body.parallel_tool_calls is not False,
        output=_output(body),
        effort=effort if effort in _EFFORTS else None,
        temperature=_number(body.temperature),
        top_p=_number(body.top_p),
        cache_key=body.prompt_cache_key or None,
        user=body.safety_identifier or body.user or None,
    )


def _output(body: Body) -> OutputFormat | None:
    schema = output_schema(body)
    wanted = body.text.format if body.text else None
    if schema is None or wanted is None:
        return None
    return OutputFormat(schema, wanted.name or "answer", wanted.strict)


def _number(value: Raw) -> bytes:
    text = bytes(value)
    return b"" if text in (b"", b"null") else text


class _Reading:
    """Items one after another."""

    def __init__(self) -> None:
        self.messages: list[tuple[Role, list[PromptPart]]] = []
        self.system: list[str] = []
        self.tools: dict[str, ToolDefinition] = {}  # a tool that is declared again is as it was declared last
        self._names = Names()

    def declare(self, tools: list[shape.Tool]) -> None:
        for declared in self._names.declare(tools):
            tool, format_ = declared.tool, bytes(declared.tool.format)
            self.tools[declared.name] = ToolDefinition(
                declared.name,
                tool.description or "",
                declared.schema,
                custom=declared.custom,
                format=b"" if format_ == b"null" else format_,
                strict=tool.strict,
                namespace=declared.namespace,
                own_name=declared.own_name if declared.namespace else "",
            )

    def forced(self, choice: str | Choice | None) -> str:
        """The tool that must be called; empty where it is not among those offered."""
        if not isinstance(choice, Choice) or choice.type not in ("function", "custom"):
            return ""
        name = self._names.of_call(None, choice.name)
        if name in self.tools:
            return name
        return next((tool.name for tool in self.tools.values() if tool.own_name == choice.name), "")

    def item(self, item: Item) -> None:
        kind = item.type
        if kind == "message":
            self._message(item)
        elif kind in CALLS:
            name = self._names.of_call(item.namespace, item.name)
            self._last("assistant").append(ToolCall(item.call_id or "", name, arguments_of(item)))
        elif kind in OUTPUTS:
            self._last("user").append(Result(item.call_id or "", tuple(_result(item))))
        elif kind == "additional_tools":
            self.declare(tools_of(item))
        elif kind in HOSTED_CALLS:
            self._last("assistant").append(Text(f"[{kind} not shown]"))
        elif kind in HOSTED_OUTPUTS:
            self.declare(tools_of(item))  # such as a search for tools has found
            self._last("user").append(Text(f"[{kind} not shown]"))
        elif kind != "reasoning":
            raise WireError(f"an item of the type {kind[:40]!r} means something only at the client's own provider")

    def _last(self, role: Role) -> list[PromptPart]:
        if self.messages and self.messages[-1][0] == role:
            return self.messages[-1][1]
        parts: list[PromptPart] = []
        self.messages.append((role, parts))
        return parts

    def _message(self, item: Item) -> None:
        content = item.content
        parts: list[Text | Attachment] = (
            [Text(content)] if isinstance(content, str) else [_part(part) for part in content or ()]
        )
        if item.role in INSTRUCTIONS:
            if self.messages:
                self._last("system").extend(part for part in parts if isinstance(part, Text))
            else:
                self.system.extend(part.text for part in parts if isinstance(part, Text) and part.text.strip())
        elif item.role == "user":
            self._last("user").extend(parts)
        elif item.role == "assistant":
            self._last("assistant").extend(parts)
        else:
            raise UnknownShape(f"{WHAT} holds a message of the role {(item.role or '')[:40]!r}")


def _result(item: Item) -> list[Text | Attachment]:
    if isinstance(item.output, str):
        return [Text(item.output)] if item.output else []
    return [_part(part) for part in output_parts(item)]


def _part(part: shape.Part) -> Text | Attachment:
    if part.text is not None or part.refusal is not None:
        return Text(part.text or part.refusal or "")
    if part.file_id:
        raise WireError("a file given by its id is only to be had at the client's own provider")
    if part.type == "input_audio":
        raise WireError("audio cannot be carried to another model")
    if part.type == "input_image" and part.image_url:
        return _attachment("image", part.image_url, "")
    if part.type == "input_file" and part.file_url:
        return _attachment("document", part.file_url, part.filename or "")
    if part.type == "input_file" and part.file_data:
        data = (
            part.file_data if part.file_data.startswith(_DATA) else f"{_DATA}application/pdf{_BASE64}{part.file_data}"
        )
        return _attachment("document", data, part.filename or "")
    return Text(f"[{part.type} not shown]")


def _attachment(kind: Literal["image", "document"], where: str, name: str) -> Attachment:
    head, found, data = where.partition(_BASE64)
    if where.startswith(_DATA) and found:
        return Attachment(kind, head.removeprefix(_DATA), data=data, name=name)
    return Attachment(kind, url=where, name=name)
