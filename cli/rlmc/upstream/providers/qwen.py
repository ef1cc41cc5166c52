"""Alibaba Model Studio (Qwen), international endpoint."""

from rlmc.domain.draft_shape import DraftShape
from rlmc.upstream.provider import Provider

PROVIDER = Provider(
    name="qwen",
    base_url="https://dashscope-intl.aliyuncs.com/apps/anthropic",
    auth="bearer",
    key_env="DASHSCOPE_API_KEY",
    operator="Alibaba Cloud",
    shape=DraftShape(thinking_off="disabled"),
    context=(("", 256_000), ("qwen3.7-m", 1_000_000), ("qwen3.8", 1_000_000)),
)
