"""llama.cpp's llama-server; tools need a template that knows them."""

from rlmc.domain.draft_shape import DraftShape
from rlmc.upstream.provider import Provider

PROVIDER = Provider(
    name="llama.cpp",
    base_url="http://127.0.0.1:8080",
    auth="none",
    key_env=None,
    operator="this machine",
    shape=DraftShape(thinking_off="omit", tool_choice=True),
    context=(("", 32_000),),
    local=True,
)
