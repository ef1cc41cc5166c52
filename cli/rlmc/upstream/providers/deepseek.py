"""DeepSeek's Anthropic endpoint: thinking is on unless switched off, and then no effort may be set."""

from rlmc.domain.draft_shape import DraftShape
from rlmc.upstream.provider import Provider

PROVIDER = Provider(
    name="deepseek",
    base_url="https://api.deepseek.com/anthropic",
    auth="x-api-key",
    key_env="DEEPSEEK_API_KEY",
    operator="DeepSeek",
    shape=DraftShape(thinking_off="disabled", metadata=False, max_output=384_000, drop_fields=frozenset({"top_k"})),
    context=(("", 1_000_000),),
)
