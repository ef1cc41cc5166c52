"""What a provider accepts when one of its models is asked for a draft."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class DraftShape:
    """What a draft model's provider accepts of a request; data of the provider, applied by the codec.

    `thinking_off` is the `thinking.type` that switches reasoning off (or down, where it cannot be), or leaves the
    field out.
    `system_in_messages` is false where a `system` message inside the conversation must be folded into user text.
    `attribution` keeps the client's attribution block (only Anthropic's own API strips it from the prompt).
    `media` is false where images and documents are left out with a note. `max_output` caps `max_tokens`.
    `drop_fields` are further top-level fields the provider refuses or ignores.
    """

    thinking_off: Literal["disabled", "between_tools", "omit"] = "disabled"
    cache_control: bool = False
    system_in_messages: bool = False
    attribution: bool = False
    tool_choice: bool = True
    metadata: bool = False
    output_format: bool = False
    media: bool = False
    max_output: int | None = None
    drop_fields: frozenset[str] = field(default_factory=frozenset)
