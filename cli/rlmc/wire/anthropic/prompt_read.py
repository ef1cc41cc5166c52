"""A request body to a `Prompt`: all of it that another protocol could carry.

Rules: what is the client's own doing alone (attribution, markers, betas) stays behind; reasoning never leaves; what
only Anthropic's server can resolve is left out where it is the model's, and refused where it is the user's.
"""

from __future__ import annotations

from typing import Literal, get_args

import msgspec
from msgspec import Raw

from rlmc.domain.chat import Text, ToolCall
from rlmc.domain.prompt import Attachment, OutputFormat, Prompt, PromptMessage, PromptPart, Result, ToolDefinition
from rlmc.errors import UnknownShape, WireError
from rlmc.wire.anthropic.request_shape import ATTRIBUTION
from rlmc.wire.anthropic.tools import runs_at_provider
from rlmc.wire.parse import parse, text_of

_WHAT = "The request body"


class _Source(msgspec.Struct, gc=False):
    type: str = ""
    media_type: str = ""
    data: str = ""
    url: str = ""
    content: Raw = Raw()


class _Block(msgspec.Struct, gc=False):
    type: str
    text: str = ""
    id: str = ""
    name: str = ""
    input: Raw = Raw(b"{}")
    tool_use_id: str = ""
    content: Raw = Raw()
    is_error: bool | None = None
    source: _Source | None = None
    title: str | None = None
    tool_name: str = ""


class _Message(msgspec.Struct, gc=False):
    role: str
    content: str | list[_Block]


class _System(msgspec.Struct, gc=False):
    text: str = ""


class _Tool(msgspec.Struct, gc=False):
    name: str = ""
    type: str | None = None
    description: str | None = None
    input_schema: Raw = Raw()
    strict: bool | None = None
    defer_loading: bool | None = None


class _Choice(msgspec.Struct, gc=False):
    type: str = "auto"
    name: str = ""
    disable_parallel_tool_use: bool | None = None


class _Format(msgspec.Struct, gc=False):
    schema: Raw = Raw()


class _OutputConfig(msgspec.Struct, gc=False):
    effort: str | None = None
    format: _Format | None = None


class _Mode(msgspec.Struct, gc=False):
    type: str = ""
    budget_tokens: int | None = None


class _Metadata(msgspec.Struct, gc=False):
    user_id: str | None = None


class _Body(msgspec.Struct, gc=False):
    model: str
    messages: list[_Message]
    system: str | list[_System] | None = None
    tools: list[_Tool] | None = None
    tool_choice: _Choice | None = None
    max_tokens: int | None = None
    stream: bool | None = None
    thinking: _Mode | None = None
    output_config: _OutputConfig | None = None
    output_format: _Format | None = None
    stop_sequences: list[str] | None = None
    temperature: Raw = Raw()
    top_p: Raw = Raw()
    top_k: Raw = Raw()
    metadata: _Metadata | None = None


class _Owner(msgspec.Struct, gc=False):
    session_id: str | None = None


_BODY = msgspec.json.Decoder(_Body)
_BLOCKS = msgspec.json.Decoder(list[_Block])
_TEXT = msgspec.json.Decoder(str)
_OWNER = msgspec.json.Decoder(_Owner)

Choice = Literal["auto", "any", "tool", "none"]
_CHOICES: dict[str, Choice] = {choice: choice for choice in get_args(Choice)}
_MEDIA = frozenset({"image", "document"})
_REASONING = frozenset({"thinking", "redacted_thinking"})
_NULL = frozenset({b"", b"null"})
_OFF = frozenset({"disabled", "between_tools"})


def read_prompt(raw: bytes) -> Prompt:
    body = parse(_BODY, raw, _WHAT)
    history = _History()
    messages = tuple(history.message(message) for message in body.messages)
    tools = tuple(_tools(body.tools or [], history.named))
    choice = body.tool_choice or _Choice("")
    kind = _choice(choice.type)
    if kind == "tool" and choice.name not in {tool.name for tool in tools}:
        kind = None  # one that only Anthropic has, or that is not loaded: it can be offered, and forced, nowhere else
    config = body.output_config or _OutputConfig()
    user = body.metadata.user_id if body.metadata else None
    return Prompt(
        model=body.model,
        stream=body.stream is True,
        messages=messages,
        system=_system(body.system),
        max_tokens=body.max_tokens,
        tools=tools,
        tool_choice=kind,
        forced_tool=choice.name if kind == "tool" else "",
        parallel_tools=choice.disable_parallel_tool_use is not True,
        output=_output(config.format or body.output_format),
        effort=_effort(body.thinking, config),
        stop=tuple(body.stop_sequences or ()),
        temperature=_number(body.temperature),
        top_p=_number(body.top_p),
        top_k=_number(body.top_k),
        cache_key=_session(user),
        user=user,
    )


class _History:
    """Reads messages one after another; `named` are the tools a tool search has brought in."""

    def __init__(self) -> None:
        self.named: set[str] = set()

    def message(self, message: _Message) -> PromptMessage:
        if message.role not in ("user", "assistant", "system"):
            raise UnknownShape(f"{_WHAT} holds a message of the role {message.role[:40]!r}")
        content = message.content
        blocks = [_Block("text", text=content)] if isinstance(content, str) else content
        parts = [part for block in blocks if (part := self._part(message.role, block)) is not None]
        if message.role == "user":
            parts.sort(key=lambda part: not isinstance(part, Result))
        return PromptMessage(message.role, tuple(parts))  # type: ignore[arg-type]  # one of the three above

    def _part(self, role: str, block: _Block) -> PromptPart | None:
        kind = block.type
        if kind == "text":
            return Text(block.text)
        if role == "assistant":
            # Blocks of the server's own doing mean nothing to another provider.
            return (
                ToolCall(block.id, block.name, text_of(block.input, "a call's input")) if kind == "tool_use" else None
            )
        if role == "system" or kind in _REASONING:
            return None
        if kind == "tool_result":
            return Result(block.tool_use_id, tuple(self._inner(block.content)), block.is_error is True)
        return _media(block) if kind in _MEDIA else Text(f"[{kind} not shown]")

    def _inner(self, content: Raw) -> list[Text | Attachment]:
        said = bytes(content)
        if said in _NULL:
            return []
        if said.startswith(b'"'):
            return [Text(parse(_TEXT, content, _WHAT))]
        found: list[Text | Attachment] = []
        for block in parse(_BLOCKS, content, _WHAT):
            if block.type == "text":
                found.append(Text(block.text))
            elif block.type == "tool_reference":
                self.named.add(block.tool_name)
                found.append(Text(f"Tool loaded: {block.tool_name}"))
            else:
                found.append(_media(block) if block.type in _MEDIA else Text(f"[{block.type} not shown]"))
        return found


def _media(block: _Block) -> Text | Attachment:
    kind, source, name = block.type, block.source or _Source(), block.title or ""
    shown = "image" if kind == "image" else "document"
    if source.type == "base64":
        return Attachment(shown, source.media_type, data=source.data, name=name)  # type: ignore[arg-type]
    if source.type == "url":
        return Attachment(shown, source.media_type, url=source.url, name=name)  # type: ignore[arg-type]
    if source.type == "text":
        return Attachment("document", "text/plain", text=source.data, name=name)
    if source.type == "content":
        said = bytes(source.content)
        inner = (
            [_Block("text", text=parse(_TEXT, said, _WHAT))] if said.startswith(b'"') else parse(_BLOCKS, said, _WHAT)
        )
        return Attachment("document", "text/plain", text="\n".join(part.text for part in inner), name=name)
    # A file of the user's at Anthropic, or a kind too new to say.
    raise WireError(
        f"{_WHAT} holds a block of type {kind} whose source ({source.type or 'none'}) only Anthropic can read"
    )


def _system(system: str | list[_System] | None) -> tuple[str, ...]:
    texts = [system] if isinstance(system, str) else [block.text for block in system or []]
    kept = [text.partition("\n")[2] if text.startswith(ATTRIBUTION) else text for text in texts]
    return tuple(text for text in kept if text.strip())


def _tools(tools: list[_Tool], named: set[str]) -> list[ToolDefinition]:
    """The client's tools, without those a tool search has not brought in yet, and those that only Anthropic defines."""
    found = []
    for tool in tools:
        if runs_at_provider(tool.type) or tool.type not in (None, "custom"):
            continue
        if tool.defer_loading is True and tool.name not in named:
            continue
        schema = bytes(tool.input_schema)
        found.append(
            ToolDefinition(
                tool.name,
                tool.description or "",
                b'{"type":"object"}' if schema in _NULL else schema,
                strict=tool.strict,
            )
        )
    return found


def _choice(kind: str) -> Choice | None:
    if not kind:
        return None
    if kind in _CHOICES:
        return _CHOICES[kind]
    raise UnknownShape(f"{_WHAT} holds a tool_choice of the type {kind[:40]!r}")


def _output(wanted: _Format | None) -> OutputFormat | None:
    if wanted is None:
        return None
    schema = bytes(wanted.schema)
    return OutputFormat(b"{}" if schema in _NULL else schema)


def _effort(mode: _Mode | None, config: _OutputConfig) -> str | None:
    if mode is not None and mode.type in _OFF:
        return "none"
    if config.effort is not None:
        return config.effort
    if mode is not None and mode.type == "enabled" and mode.budget_tokens is not None:
        return "low" if mode.budget_tokens < 2_000 else "medium" if mode.budget_tokens < 16_000 else "high"
    return None


def _number(value: Raw) -> bytes:
    said = bytes(value)
    return b"" if said in _NULL else said


def _session(user: str | None) -> str | None:
    """Claude Code puts its session's id into the user's."""
    if user is None or not user.startswith("{"):
        return None
    try:
        return parse(_OWNER, user.encode("utf-8", "replace"), "The user's id").session_id
    except WireError:
        return None
