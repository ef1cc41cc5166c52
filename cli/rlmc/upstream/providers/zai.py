"""Z.ai (GLM)."""

from rlmc.domain.draft_shape import DraftShape
from rlmc.upstream.provider import Provider

PROVIDER = Provider(
    name="zai",
    base_url="https://api.z.ai/api/anthropic",
    auth="bearer",
    key_env="ZAI_API_KEY",
    operator="Z.ai",
    shape=DraftShape(thinking_off="disabled"),
    context=(("", 200_000), ("glm-5.2", 1_000_000), ("glm-5.3", 1_000_000)),
)
