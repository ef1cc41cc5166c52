"""The table of providers: every entry is whole, and knows the differences between its models."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from rlmc.config.paths import providers_dir
from rlmc.errors import ConfigError
from rlmc.upstream.provider import Provider
from rlmc.upstream.providers import BUILT_IN, api_key_envs, built_in, find, names, own_files, providers

PROVIDERS = tuple(map(built_in, BUILT_IN))


@pytest.mark.parametrize("provider", PROVIDERS, ids=BUILT_IN)
def test_an_entry_is_whole(provider: Provider) -> None:
    for endpoint in provider.endpoints:
        parts = urlsplit(endpoint.url)
        assert parts.scheme in ("https", "http", "sim")
        assert parts.netloc
        assert not endpoint.url.endswith("/")
        if endpoint.protocol == "anthropic":
            assert not endpoint.url.endswith("/v1"), "clients append /v1/messages"
        if parts.scheme == "http":
            assert parts.hostname in ("localhost", "127.0.0.1"), "no credential travels in the clear"
            assert provider.local
        assert (endpoint.auth == "none") == (provider.key_env is None)
    assert len({endpoint.protocol for endpoint in provider.endpoints}) == len(provider.endpoints)
    assert provider.context_of("no-such-model") > 0
    assert find(provider.name) is provider


def test_names_and_key_variables_are_unique() -> None:
    assert len(set(BUILT_IN)) == len(BUILT_IN)
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
    shape = provider.endpoint("anthropic").shape_of(model)
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


def test_every_file_beside_the_table_is_in_it() -> None:
    import rlmc.upstream.providers as package

    files = {path.name.removesuffix(".toml") for path in Path(package.__file__).parent.glob("*.toml")}
    assert files == set(BUILT_IN)


@pytest.mark.parametrize(
    ("name", "protocols"),
    [
        ("anthropic", ["anthropic"]),
        ("deepseek", ["anthropic", "chat"]),
        ("openai", ["responses", "chat"]),
        ("zai", ["anthropic", "chat"]),
        ("openrouter", ["anthropic", "chat", "responses"]),
        ("ollama", ["anthropic", "chat", "responses"]),
        ("sim", ["anthropic"]),
    ],
)
def test_protocols_in_order_of_preference(name: str, protocols: list[str]) -> None:
    assert [one.protocol for one in built_in(name).endpoints] == protocols


@pytest.mark.parametrize(
    ("name", "protocol", "address"),
    [
        ("deepseek", "chat", "https://api.deepseek.com/chat/completions"),
        ("moonshot", "chat", "https://api.moonshot.ai/v1/chat/completions"),
        ("zai", "chat", "https://api.z.ai/api/paas/v4/chat/completions"),
        ("qwen", "chat", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1/chat/completions"),
        ("openai", "responses", "https://api.openai.com/v1/responses"),
        ("openrouter", "anthropic", "https://openrouter.ai/api/v1/messages"),
        ("openrouter", "chat", "https://openrouter.ai/api/v1/chat/completions"),
        ("minimax", "anthropic", "https://api.minimax.io/anthropic/v1/messages"),
    ],
)
def test_where_a_request_goes(name: str, protocol: str, address: str) -> None:
    path = {"anthropic": "/v1/messages", "chat": "/v1/chat/completions", "responses": "/v1/responses"}[protocol]
    assert built_in(name).endpoint(protocol).address(path) == address


OFF = {"thinking": {"type": "disabled"}}


@pytest.mark.parametrize(
    ("name", "model", "back", "off"),
    [
        ("deepseek", "deepseek-flash", "if_all", OFF),
        ("zai", "glm-5.3", "no", OFF),
        ("moonshot", "kimi-k3.1-pro", "always", {}),
        ("moonshot", "kimi-k2.7-code", "always", {}),
        ("moonshot", "kimi-k2.7-code-highspeed", "always", {}),
        ("moonshot", "kimi-k2.6", "if_all", OFF),
        ("qwen", "qwen3.8-max", "no", {"enable_thinking": False}),
        ("openai", "gpt-6-luna", "no", {"reasoning_effort": "low"}),
        ("openai", "gpt-5.4-mini", "no", {"reasoning_effort": "low"}),
        ("openai", "gpt-5-mini", "no", {"reasoning_effort": "minimal"}),
        ("openai", "gpt-4.1", "no", {}),
    ],
)
def test_how_reasoning_is_switched_off_in_chat(name: str, model: str, back: str, off: dict[str, object]) -> None:
    shape = built_in(name).endpoint("chat").shape_of(model)
    assert (shape.reasoning_back, shape.reasoning_off) == (back, off)


@pytest.mark.parametrize(
    ("name", "model", "back", "off"),
    [
        ("deepseek", "deepseek-flash", "if_all", "disabled"),
        ("moonshot", "kimi-k3", "always", "omit"),
        ("moonshot", "kimi-k2.7-code", "always", "omit"),
        ("moonshot", "kimi-k2.6", "if_all", "disabled"),
        ("minimax", "MiniMax-M2.7", "always", "omit"),
        ("minimax", "MiniMax-M3", "no", "disabled"),
        ("qwen", "qwen3.8-max", "no", "disabled"),
    ],
)
def test_how_thinking_is_switched_off_in_messages(name: str, model: str, back: str, off: str) -> None:
    shape = built_in(name).endpoint("anthropic").shape_of(model)
    assert (shape.reasoning_back, shape.thinking_off) == (back, off)


@pytest.mark.parametrize(
    ("model", "efforts"),
    [
        ("gpt-6-luna", ("none", "minimal", "low", "medium", "high", "xhigh", "max")),
        ("gpt-5.6-luna", ("none", "minimal", "low", "medium", "high", "xhigh", "max")),
        ("gpt-5.4-mini", ("none", "low", "medium", "high", "xhigh")),
        ("gpt-5-nano", ("minimal", "low", "medium", "high")),
        ("gpt-4.1", ()),
    ],
)
@pytest.mark.parametrize("protocol", ["chat", "responses"])
def test_the_words_for_effort_differ_between_openais_lines(model: str, efforts: tuple[str, ...], protocol: str) -> None:
    shape = built_in("openai").endpoint(protocol).shape_of(model)
    assert shape.efforts == efforts
    assert shape.system_role == "developer"
    assert (shape.custom_tools, shape.encrypted_reasoning) == (
        (protocol == "responses" and not model.startswith("gpt-4"),) * 2
    )


def test_only_anthropics_own_api_and_the_simulated_one_keep_cache_markers() -> None:
    keep = [p.name for p in PROVIDERS for one in p.endpoints if one.shape.cache_control]
    assert keep == ["anthropic", "sim"]


def test_ollama_is_never_told_which_tool_to_call() -> None:
    ollama = built_in("ollama")
    assert not any(one.shape.tool_choice for one in ollama.endpoints)


# --- files of the user's own -------------------------------------------------------------------------------------

OWN = """
key-env = "ACME_KEY"
[[endpoint]]
protocol = "chat"
url = "https://api.acme.example/v1"
auth = "bearer"
"""


def put(name: str, text: str) -> Path:
    file = providers_dir() / f"{name}.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def test_one_file_more_is_one_provider_more() -> None:
    before = names()
    assert find("acme") is None
    put("acme", OWN)
    assert names() == (*before, "acme")
    found = find("acme")
    assert found is not None
    assert (found.base_url, found.key_env) == ("https://api.acme.example/v1", "ACME_KEY")
    assert found in providers()[0]
    assert "ACME_KEY" in api_key_envs()


def test_a_file_of_a_built_in_name_takes_its_place() -> None:
    file = put("zai", OWN)
    found = find("zai")
    assert found is not None
    assert found.base_url == "https://api.acme.example/v1"
    assert [p.name for p in providers()[0]].count("zai") == 1
    assert (built_in("zai").key_env, list(own_files())) == ("ZAI_API_KEY", ["zai"])
    file.unlink()
    assert find("zai") == built_in("zai")


def test_a_changed_file_is_read_again() -> None:
    file = put("acme", OWN)
    assert find("acme") is find("acme"), "read once"
    file.write_text(OWN.replace("acme.example", "other.example"), encoding="utf-8")
    os.utime(file, ns=(1, 1))
    found = find("acme")
    assert found is not None
    assert found.base_url == "https://api.other.example/v1"


def test_a_broken_file_is_an_error_for_whoever_needs_it_and_hides_no_key() -> None:
    file = put("acme", "nonsense")
    put("beta", OWN.replace("ACME_KEY", "BETA_KEY"))
    assert "acme" in names(), "by name, without a look into it"
    with pytest.raises(ConfigError) as raised:
        find("acme")
    found, faults = providers()
    assert [provider.name for provider in found][-1] == "beta"
    assert [fault.message for fault in faults] == [raised.value.message]
    assert str(file) in raised.value.message
    assert "BETA_KEY" in api_key_envs()


@pytest.mark.parametrize("text", [b"\xff\xfe", None])
def test_a_file_that_cannot_be_read_is_an_error(text: bytes | None) -> None:
    file = put("acme", "")
    if text is None:
        file.unlink()
        file.symlink_to(file)
        assert find("acme") is None, "no file"
        return
    file.write_bytes(text)
    with pytest.raises(ConfigError, match="cannot be read"):
        find("acme")


def test_other_files_in_the_folder_are_left_alone() -> None:
    put("acme", OWN).rename(providers_dir() / "acme.toml.bak")
    (providers_dir() / "b.toml").mkdir()
    assert names() == BUILT_IN
