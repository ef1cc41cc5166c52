"""MiniMax. M2 models always reason; stop sequences are ignored there, so they are not sent."""

from rlmc.domain.draft_shape import DraftShape
from rlmc.upstream.provider import Provider

PROVIDER = Provider(
    name="minimax",
    base_url="https://api.minimax.io/anthropic",
    auth="x-api-key",
    key_env="MINIMAX_API_KEY",
    operator="MiniMax",
    shape=DraftShape(thinking_off="disabled", drop_fields=frozenset({"top_k", "stop_sequences"})),
    context=(("", 200_000), ("MiniMax-M3", 1_000_000)),
)
