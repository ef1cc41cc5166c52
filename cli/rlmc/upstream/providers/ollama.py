"""Ollama: no tool_choice, no metadata, base64 images only."""

from rlmc.domain.draft_shape import DraftShape
from rlmc.upstream.provider import Provider

PROVIDER = Provider(
    name="ollama",
    base_url="http://localhost:11434",
    auth="none",
    key_env=None,
    operator="this machine",
    shape=DraftShape(thinking_off="omit", tool_choice=False),
    context=(("", 32_000),),
    local=True,
)
