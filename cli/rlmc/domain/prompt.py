"""A request in full, free of any protocol's spelling: what it takes to write it anew in another one.

Beside `ChatRequest`, which is a cheap view for deciding: this one holds all content and is only read where a request is
written for another protocol, or for a draft. What no protocol but the client's own can carry is not here; the table in
docs/translation.md says what is dropped and what is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from rlmc.domain.chat import Role, Text, ToolCall
from rlmc.domain.frozen import dataclass

Recall = Mapping[str, tuple[bytes, ...]]
"""Tool-call id -> the reasoning that came with the call, each block the JSON its writer's protocol has for it. Only
what the model that a request goes to wrote itself is ever in it."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """An image or a document: `data` is base64 of `media_type`, `url` where it is to be had, `text` a document that is
    plain text; exactly one of them is set. `name` is a title or a file name."""

    kind: Literal["image", "document"]
    media_type: str = ""
    data: str = ""
    url: str = ""
    text: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What a tool gave back, in full."""

    call_id: str
    content: tuple[Text | Attachment, ...]
    is_error: bool = False


PromptPart = Text | Attachment | ToolCall | Result


@dataclass(frozen=True, slots=True)
class PromptMessage:
    """`system` is what an operator said in the middle of a conversation. Calls stand only in `assistant` messages,
    results only in `user` ones."""

    role: Role
    parts: tuple[PromptPart, ...]


@dataclass(frozen=True, slots=True)
class ToolDefinition:
    """A tool the client runs. `schema` is the JSON Schema of its arguments. A `custom` tool takes one text: its calls
    have the arguments `{"input": …}` and its schema says so; `format` is the JSON of its grammar, empty without one.
    `name` is unique and legal everywhere; where it has a `namespace`, `own_name` is its name in there."""

    name: str
    description: str
    schema: bytes
    custom: bool = False
    format: bytes = b""
    strict: bool | None = None
    namespace: str = ""
    own_name: str = ""


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """The answer must be JSON that follows `schema`; any JSON object where that is `{}`."""

    schema: bytes
    name: str = "answer"
    strict: bool | None = None


@dataclass(frozen=True, slots=True)
class Prompt:
    """`stream` is as the client asked. `tool_choice` "tool" forces `forced_tool`. `effort` is one of none, minimal,
    low, medium, high, xhigh, max; None where nothing is said. `temperature`, `top_p` and `top_k` are JSON numbers as
    written, empty where unset. `cache_key` names the conversation for a provider's cache, `user` the user for its abuse
    checks."""

    model: str
    stream: bool
    messages: tuple[PromptMessage, ...]
    system: tuple[str, ...] = ()
    max_tokens: int | None = None
    tools: tuple[ToolDefinition, ...] = ()
    tool_choice: Literal["auto", "any", "tool", "none"] | None = None
    forced_tool: str = ""
    parallel_tools: bool = True
    output: OutputFormat | None = None
    effort: str | None = None
    stop: tuple[str, ...] = ()
    temperature: bytes = b""
    top_p: bytes = b""
    top_k: bytes = b""
    cache_key: str | None = None
    user: str | None = None
