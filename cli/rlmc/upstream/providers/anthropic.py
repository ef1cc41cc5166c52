"""Anthropic's own API. A draft may be a Claude too; it keeps cache markers, because its cache is opt-in."""

from dataclasses import replace

from rlmc.domain.draft_shape import DraftShape
from rlmc.upstream.provider import Provider

_CURRENT = DraftShape(
    thinking_off="disabled",
    cache_control=True,
    system_in_messages=True,
    attribution=True,
    metadata=True,
    output_format=True,
    media=True,
    max_output=128_000,
    # Current models refuse sampling parameters.
    drop_fields=frozenset({"temperature", "top_p", "top_k"}),
)
_BEFORE = replace(_CURRENT, system_in_messages=False)
_OLD = replace(_BEFORE, max_output=64_000, drop_fields=frozenset())

PROVIDER = Provider(
    name="anthropic",
    base_url="https://api.anthropic.com",
    auth="x-api-key",
    key_env="ANTHROPIC_API_KEY",
    operator="Anthropic",
    default_draft="claude-haiku-5-5",
    shape=_CURRENT,
    variants=(
        # These always reason; what they think is taken out of the draft.
        ("claude-opus-5-5", replace(_CURRENT, thinking_off="omit")),
        ("claude-fable", replace(_CURRENT, thinking_off="omit")),
        ("claude-mythos", replace(_CURRENT, thinking_off="omit")),
        ("claude-sonnet-5-5", replace(_CURRENT, thinking_off="between_tools")),
        ("claude-opus-5", _CURRENT),
        ("claude-opus-4-8", _CURRENT),
        ("claude-haiku-5", _CURRENT),
        ("claude-sonnet-5", _BEFORE),
        ("claude-opus-4-7", _BEFORE),
        ("claude-opus-4", replace(_BEFORE, drop_fields=frozenset())),
        ("claude-", _OLD),
    ),
    media_models=("claude-",),
    effort_models=(
        *("claude-opus-4-6", "claude-opus-4-7", "claude-opus-4-8", "claude-opus-5"),
        *("claude-sonnet-4-6", "claude-sonnet-5"),
        *("claude-haiku-5-5", "claude-fable", "claude-mythos"),
    ),
    context=(
        ("", 1_000_000),
        ("claude-opus-4-5", 200_000),
        ("claude-haiku-4", 200_000),
        ("claude-sonnet-4", 200_000),
        ("claude-3", 200_000),
    ),
)
