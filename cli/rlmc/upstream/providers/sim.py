"""The embedded simulated models: offline, deterministic, and labelled as simulated wherever they appear."""

from rlmc.domain.draft_shape import DraftShape
from rlmc.upstream.provider import Provider

PROVIDER = Provider(
    name="sim",
    base_url="sim://models",
    auth="none",
    key_env=None,
    operator="this machine (simulated)",
    default_draft="draft",
    shape=DraftShape(
        thinking_off="disabled", cache_control=True, system_in_messages=True, attribution=True, output_format=True
    ),
    context=(("", 1_000_000),),
    local=True,
)
