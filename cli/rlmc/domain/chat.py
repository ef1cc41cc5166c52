"""One request and one answer of a chat model, free of any protocol's spelling.

A `ChatRequest` is a *view* for deciding: the original bytes ride along in `raw` and are what is sent to the verify
model. Nothing here is ever re-serialised on its way there.

What a long prompt has thousands of and nobody changes is a struct: one is made in a fifth of a dataclass' time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from typing import Literal

import msgspec

from rlmc.domain.frozen import dataclass
from rlmc.domain.layout import Layout

Role = Literal["user", "assistant", "system"]


class Text(msgspec.Struct, frozen=True, gc=False):
    text: str


@dataclass(frozen=True, slots=True)
class Thinking:
    """A reasoning block. Only the model that wrote it may ever see it again: `block` is the JSON that this model's own
    protocol has for it, kept of answers alone and never looked into; empty where it was not kept."""

    chars: int
    block: bytes = b""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call the model asks for. `arguments` is the JSON text as the model wrote it, valid or not."""

    id: str
    name: str
    arguments: str


class ToolResult(msgspec.Struct, frozen=True, gc=False):
    """What the client's tool gave back. `chars` counts text only; `references` are tools found by a tool search.
    `text` is all of its text, blocks joined by a line break."""

    call_id: str
    chars: int
    is_error: bool
    media: bool = False
    references: tuple[str, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class Media:
    kind: Literal["image", "document"]


@dataclass(frozen=True, slots=True)
class Opaque:
    """A block this version does not know, or one only its own provider can read (server tools, compaction …)."""

    type: str


Part = Text | Thinking | ToolCall | ToolResult | Media | Opaque


class Message(msgspec.Struct, frozen=True, gc=False):
    role: Role
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Contents:
    """What occurs among the messages of a request: images or documents in what is not the system's, opaque parts."""

    media: bool = False
    opaque: bool = False

    def with_(self, messages: Iterable[Message]) -> Contents:
        """Of these messages as well."""
        media, opaque = self.media, self.opaque
        for message in messages:
            for part in message.parts:
                if isinstance(part, Text):  # as most are
                    continue
                if isinstance(part, Opaque):
                    opaque = True
                elif isinstance(part, Media) or (isinstance(part, ToolResult) and part.media):
                    media = media or message.role != "system"
        return Contents(media, opaque)


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool of the request. `schema` is its raw JSON Schema; a `server` tool runs at the provider. A `custom` one
    takes one text, which its calls have as `{"input": …}`. `name` is unique in the request; where a tool has a
    `namespace`, `own_name` is its name in there."""

    name: str
    schema: bytes
    server: bool = False
    deferred: bool = False
    read_only: bool = False
    custom: bool = False
    namespace: str = ""
    own_name: str = ""


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What a client asks, as far as decisions need it.

    `system_head` is the start of the system text (at most 4,000 characters), enough to recognise a kind of call.
    `chars` is the size of everything the model reads, in characters. `cache_ttl` is the longest lifetime among the
    request's cache markers, None without any. `thinking` is the protocol's mode word, None when absent. `layout` is
    the prompt as a cache sees it. `contents` is what its messages hold, where their reader has counted, and `reading`
    what that reader can go on from when the conversation does.
    """

    raw: bytes
    model: str
    stream: bool
    max_tokens: int | None
    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: Literal["auto", "any", "tool", "none"] | None = None
    parallel_tools: bool = True
    system_head: str = ""
    chars: int = 0
    thinking: str | None = None
    output_schema: bytes | None = None
    safeguards: bool = False
    cache_ttl: Literal["5m", "1h"] | None = None
    cache_markers: int = 0
    fields: frozenset[str] = frozenset()
    layout: Layout = field(default_factory=Layout)
    contents: Contents | None = None
    reading: object = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Usage:
    """Billed tokens of one call, in the four classes (writes by lifetime). The classes are disjoint.

    `input` is the uncached rest of the prompt; the whole prompt is `prompt`. `output` includes `thinking`.
    `others` are model calls the provider made on the way and bills apart (compaction, advisor): (model, usage).
    `unpriced` names fees present in the answer for which this version knows no price.
    """

    input: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    output: int = 0
    thinking: int = 0
    web_searches: int = 0
    others: tuple[tuple[str, Usage], ...] = ()
    unpriced: tuple[str, ...] = ()

    @property
    def prompt(self) -> int:
        return self.input + self.cache_read + self.cache_write_5m + self.cache_write_1h


@dataclass(frozen=True, slots=True)
class Failure:
    """An error as a provider tells it. `kind` is in Anthropic's spelling (`rate_limit_error`, …), whatever the
    protocol; `code` is a finer word of the OpenAI protocols (`context_length_exceeded`, …), None without one."""

    kind: str
    message: str
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """A finished answer. `usage` is None when the provider sent none. `stop_reason` is in Anthropic's spelling,
    whatever the protocol."""

    model: str
    parts: tuple[Part, ...]
    stop_reason: str | None
    usage: Usage | None
    id: str = ""

    @property
    def text(self) -> str:
        return "".join(p.text for p in self.parts if isinstance(p, Text))

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        return tuple(p for p in self.parts if isinstance(p, ToolCall))


# --- a streamed answer, one value per event ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Started:
    """The answer begins; `usage` holds what the provider says of the prompt so far."""

    id: str
    model: str
    usage: Usage | None


@dataclass(frozen=True, slots=True)
class BlockStarted:
    """A block opens. `part` is its empty or, for blocks that come whole, complete form."""

    index: int
    part: Part


@dataclass(frozen=True, slots=True)
class TextDelta:
    index: int
    text: str


@dataclass(frozen=True, slots=True)
class ThinkingDelta:
    index: int
    chars: int


@dataclass(frozen=True, slots=True)
class ArgumentsDelta:
    index: int
    json: str


@dataclass(frozen=True, slots=True)
class BlockStopped:
    """`part` is the finished block where the pieces alone do not make it: reasoning with what its writer wants back."""

    index: int
    part: Part | None = None


@dataclass(frozen=True, slots=True)
class Stopping:
    """The stop reason and the final, cumulative usage."""

    stop_reason: str | None
    usage: Usage | None


@dataclass(frozen=True, slots=True)
class Stopped:
    pass


@dataclass(frozen=True, slots=True)
class StreamError:
    """The provider reports a failure inside a stream that began well. `type` is in Anthropic's spelling."""

    type: str
    message: str


@dataclass(frozen=True, slots=True)
class Other:
    """An event without meaning for decisions: pings, new event types."""

    type: str


Delta = (
    Started
    | BlockStarted
    | TextDelta
    | ThinkingDelta
    | ArgumentsDelta
    | BlockStopped
    | Stopping
    | Stopped
    | StreamError
    | Other
)
