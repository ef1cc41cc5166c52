"""Anthropic's own API. A draft may be a Claude too; it keeps cache markers, because its cache is opt-in."""

from rlmc.domain.draft_shape import DraftShape
from rlmc.upstream.provider import Provider

PROVIDER = Provider(
    name="anthropic",
    base_url="https://api.anthropic.com",
    auth="x-api-key",
    key_env="ANTHROPIC_API_KEY",
    operator="Anthropic",
    default_draft="claude-haiku-5-5",
    shape=DraftShape(
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
    ),
    media_models=("claude-",),
    context=(("", 200_000), ("claude-haiku-5", 1_000_000), ("claude-sonnet-5", 1_000_000), ("claude-opus-", 1_000_000)),
)
