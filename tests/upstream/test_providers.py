"""The table of providers: every entry is whole, and knows the differences between its models."""

from __future__ import annotations

import dataclasses
from urllib.parse import urlsplit

import pytest

from rlmc.upstream.provider import Provider
from rlmc.upstream.providers import NAMES, PROVIDERS, api_key_envs, find


@pytest.mark.parametrize("provider", PROVIDERS, ids=NAMES)
def test_an_entry_is_whole(provider: Provider) -> None:
    parts = urlsplit(provider.base_url)
    assert parts.scheme in ("https", "http", "sim")
    assert parts.netloc
    assert not provider.base_url.endswith(("/", "/v1")), "clients append /v1/messages"
    if parts.scheme == "http":
        assert parts.hostname in ("localhost", "127.0.0.1"), "no credential travels in the clear"
        assert provider.local
    assert (provider.auth == "none") == (provider.key_env is None)
    assert provider.context_of("no-such-model") > 0
    assert find(provider.name) is provider


def test_names_and_key_variables_are_unique() -> None:
    assert len(set(NAMES)) == len(NAMES)
    keys = [p.key_env for p in PROVIDERS if p.key_env]
    assert len(set(keys)) == len(keys)
    assert api_key_envs() == set(keys)


@pytest.mark.parametrize(
    ("model", "thinking_off", "system_in_messages"),
    [
        ("claude-haiku-5-5", "disabled", True),
        ("claude-opus-5-5", "omit", True),
        ("claude-opus-5", "disabled", True),
        ("claude-opus-5-20260801", "disabled", True),
        ("claude-sonnet-5-5", "between_tools", True),
        ("claude-sonnet-5", "disabled", False),
        ("claude-haiku-4-5-20251001", "disabled", False),
        ("claude-fable-5-2", "omit", True),
        ("claude-something-new", "disabled", False),
    ],
)
def test_claude_models_differ_in_what_they_accept(model: str, thinking_off: str, system_in_messages: bool) -> None:
    provider = find("anthropic")
    assert provider is not None
    shape = provider.shape_of(model)
    assert (shape.thinking_off, shape.system_in_messages) == (thinking_off, system_in_messages)


@pytest.mark.parametrize(
    ("name", "model", "effort"),
    [
        ("anthropic", "claude-opus-5-5", "low"),
        ("anthropic", "claude-opus-5", "low"),
        ("anthropic", "claude-opus-4-8", "low"),
        ("anthropic", "claude-opus-4-6", "low"),
        ("anthropic", "claude-opus-4-5", None),
        ("anthropic", "claude-sonnet-5-5", "low"),
        ("anthropic", "claude-sonnet-4-6", "low"),
        ("anthropic", "claude-sonnet-4-5-20250929", None),
        ("anthropic", "claude-haiku-5-5", "low"),
        ("anthropic", "claude-haiku-4-5-20251001", None),
        ("anthropic", "claude-fable-5-2", "low"),
        ("anthropic", "claude-mythos-5-1", "low"),
        ("anthropic", "claude-something-new", None),
        ("openrouter", "anthropic/claude-opus-5-5", None),
        ("ollama", "qwen", None),
    ],
)
def test_which_models_can_be_told_how_hard_to_think(name: str, model: str, effort: str | None) -> None:
    provider = find(name)
    assert provider is not None
    assert provider.low_effort_of(model) == effort


def test_windows_by_the_longest_name_that_fits() -> None:
    zai = find("zai")
    assert zai is not None
    assert zai.context_of("glm-5.3-flash") == 1_000_000
    assert zai.context_of("glm-4.7") == 200_000


def test_a_provider_is_plain_data() -> None:
    assert all(dataclasses.is_dataclass(p) for p in PROVIDERS)
