"""LM Studio."""

from rlmc.domain.draft_shape import DraftShape
from rlmc.upstream.provider import Provider

PROVIDER = Provider(
    name="lmstudio",
    base_url="http://localhost:1234",
    auth="none",
    key_env=None,
    operator="this machine",
    shape=DraftShape(thinking_off="omit", tool_choice=True),
    context=(("", 32_000),),
    local=True,
)
