"""The table of built-in providers. A new one is a file here and one line below."""

from __future__ import annotations

from rlmc.upstream.provider import Provider
from rlmc.upstream.providers import (
    anthropic,
    deepseek,
    llama_cpp,
    lmstudio,
    minimax,
    moonshot,
    ollama,
    openrouter,
    qwen,
    sim,
    vllm,
    zai,
)

PROVIDERS: tuple[Provider, ...] = (
    anthropic.PROVIDER,
    deepseek.PROVIDER,
    moonshot.PROVIDER,
    zai.PROVIDER,
    minimax.PROVIDER,
    qwen.PROVIDER,
    openrouter.PROVIDER,
    ollama.PROVIDER,
    llama_cpp.PROVIDER,
    vllm.PROVIDER,
    lmstudio.PROVIDER,
    sim.PROVIDER,
)
NAMES: tuple[str, ...] = tuple(p.name for p in PROVIDERS)


def find(name: str) -> Provider | None:
    return next((p for p in PROVIDERS if p.name == name), None)


def api_key_envs() -> frozenset[str]:
    """The environment variables in which built-in providers look for their keys."""
    return frozenset(p.key_env for p in PROVIDERS if p.key_env)
