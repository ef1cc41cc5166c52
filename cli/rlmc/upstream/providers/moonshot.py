"""Moonshot (Kimi). K3 always reasons and knows no `thinking` field, so the field is left out."""

from rlmc.domain.draft_shape import DraftShape
from rlmc.upstream.provider import Provider

PROVIDER = Provider(
    name="moonshot",
    base_url="https://api.moonshot.ai/anthropic",
    auth="bearer",
    key_env="MOONSHOT_API_KEY",
    operator="Moonshot AI",
    shape=DraftShape(thinking_off="omit"),
    context=(("", 262_000), ("kimi-k3", 1_000_000)),
)
