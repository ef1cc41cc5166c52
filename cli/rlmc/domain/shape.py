"""What a provider accepts of a request; data of the provider, applied by the codecs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Literal

from rlmc.domain.frozen import dataclass

ReasoningBack = Literal["no", "if_all", "always"]


@dataclass(frozen=True, slots=True)
class Shape:
    """What one endpoint's models accept when rlmc writes a request for them: a draft, or a translated one.

    All protocols:
    `tool_choice`, `parallel_tools`, `output_format`, `media`, `metadata`: whether the field, or the kind of content,
    may be sent; what may not is left out (a format and images with a note in words). `max_output` caps the limit.
    `drop_fields` are further top-level fields that are refused or ignored, by their name in the endpoint's protocol.
    `extra` are top-level fields sent with every request, `reasoning_off` those that switch reasoning off (or down).
    `efforts` are the words for effort that are understood, none where effort must not be named.
    `reasoning_back`: "no": reasoning of earlier turns is never needed; "if_all": while reasoning is on, every tool turn
    must come with its own, and it can be switched off; "always": the same, but it cannot be switched off.

    anthropic: `thinking_off` is the `thinking.type` that switches reasoning off (or down), or leaves the field out.
    `cache_control` keeps cache markers. `system_in_messages` is false where a `system` message inside the conversation
    must be folded into user text. `attribution` keeps the client's attribution block (only Anthropic's own API strips
    it from the prompt).

    chat: `output_limit` is the name of the field for the output limit, `reasoning_field` that of an assistant message's
    reasoning. `stream_usage` asks for usage at the end of a stream.

    chat and responses: `system_role` is the role of instructions. `strict` keeps a tool's `strict`. `cache_key` sends a
    session's `prompt_cache_key`. `custom_tools`: free-form tools are understood (responses only).
    `encrypted_reasoning`: reasoning items come back encrypted and nothing is stored (responses only).
    `schema_drops` are JSON Schema keywords that are refused.
    """

    tool_choice: bool = True
    parallel_tools: bool = True
    output_format: bool = False
    media: bool = False
    metadata: bool = False
    max_output: int | None = None
    drop_fields: frozenset[str] = field(default_factory=frozenset)
    extra: Mapping[str, object] = field(default_factory=dict)
    reasoning_off: Mapping[str, object] = field(default_factory=dict)
    efforts: tuple[str, ...] = ()
    reasoning_back: ReasoningBack = "no"
    # anthropic
    thinking_off: Literal["disabled", "between_tools", "omit"] = "disabled"
    cache_control: bool = False
    system_in_messages: bool = False
    attribution: bool = False
    # chat, responses
    output_limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    reasoning_field: str = "reasoning_content"
    stream_usage: bool = True
    system_role: Literal["system", "developer"] = "system"
    strict: bool = False
    cache_key: bool = False
    custom_tools: bool = False
    encrypted_reasoning: bool = False
    schema_drops: frozenset[str] = field(default_factory=frozenset)
