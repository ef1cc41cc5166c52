"""vLLM: strict about block types, so only text and tools are sent."""

from rlmc.domain.draft_shape import DraftShape
from rlmc.upstream.provider import Provider

PROVIDER = Provider(
    name="vllm",
    base_url="http://localhost:8000",
    auth="bearer",
    key_env="VLLM_API_KEY",
    operator="this machine",
    shape=DraftShape(thinking_off="omit", tool_choice=True),
    context=(("", 32_000),),
    local=True,
)
