"""OpenRouter's Anthropic endpoint: model names are `vendor/model`."""

from rlmc.domain.draft_shape import DraftShape
from rlmc.upstream.provider import Provider

PROVIDER = Provider(
    name="openrouter",
    base_url="https://openrouter.ai/api",
    auth="bearer",
    key_env="OPENROUTER_API_KEY",
    operator="OpenRouter and the model's host",
    shape=DraftShape(thinking_off="omit"),
)
