from __future__ import annotations

import pytest

from rlmc.config import lookup
from rlmc.errors import ConfigError


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("draft-modle", "draft-model"),
        ("draft_model", "draft-model"),
        ("Policy", "policy"),
        ("budget.sesion", "budget.session"),
        ("claude.automode", "claude.auto-mode"),
        ("upstream.deepseek.base_url", "upstream.deepseek.base-url"),
        ("upstream.deepseek.api-key", "upstream.deepseek.api-key-env"),
    ],
)
def test_an_unknown_key_names_the_nearest(wrong: str, meant: str) -> None:
    with pytest.raises(ConfigError) as refused:
        lookup.find(wrong, "file x")
    assert wrong in refused.value.message
    assert "file x" in refused.value.message
    assert f"Did you mean {meant}?" in str(refused.value.hint)
    assert refused.value.exit_code == 2


def test_an_unknown_key_like_nothing_points_to_the_list() -> None:
    with pytest.raises(ConfigError) as refused:
        lookup.find("zzzzzzzzzz", "somewhere")
    assert "rlmc config list" in str(refused.value.hint)


def test_keys_of_upstreams_with_dots_in_their_name() -> None:
    assert lookup.split_upstream("upstream.llama.cpp.base-url") == ("llama.cpp", "base-url")
    assert lookup.find("upstream.llama.cpp.base-url", "").name == "upstream.<name>.base-url"


@pytest.mark.parametrize("name", ["upstream.My-Gateway.base-url", "upstream.a/b.protocol", "upstream..base-url"])
def test_bad_names_of_upstreams(name: str) -> None:
    with pytest.raises(ConfigError, match="small letters"):
        lookup.find(name, "")


def test_a_bad_value_names_key_value_source_and_what_is_allowed() -> None:
    with pytest.raises(ConfigError) as refused:
        lookup.parse("port", 70000, "env RLMC_PORT")
    assert refused.value.message == "port: 70000 is not allowed (env RLMC_PORT)."
    assert refused.value.hint == "Allowed: 0 to 65535."


def test_a_bad_choice_lists_the_choices_and_the_nearest() -> None:
    with pytest.raises(ConfigError) as refused:
        lookup.parse("policy", "balance", "flag --policy")
    assert "verify-only" in str(refused.value.hint)
    assert "Did you mean balanced?" in str(refused.value.hint)
    with pytest.raises(ConfigError) as refused:
        lookup.parse("upstream.x.protocol", "openai", "flag")
    assert "Allowed: anthropic, chat, responses." in str(refused.value.hint)


def test_a_key_in_the_configuration_is_not_repeated() -> None:
    with pytest.raises(ConfigError) as refused:
        lookup.parse("upstream.deepseek.api-key-env", "sk-1234567890abcdef", "file x")
    assert "1234567890" not in f"{refused.value.message} {refused.value.hint}"


@pytest.mark.parametrize("name", ["mcp__db__query", "mcp__github__get_*", "my.tool", "functions:run"])
def test_a_tool_of_the_users_own(name: str) -> None:
    assert lookup.find(f"tools.{name}", "").name == "tools.<name>"
    assert lookup.parse(f"tools.{name}", "read", "file x") == "read"


@pytest.mark.parametrize("name", ["", "a*b", "a b", "*a", "*", "é"])
def test_no_name_of_a_tool(name: str) -> None:
    with pytest.raises(ConfigError) as refused:
        lookup.find(f"tools.{name}", "file x")
    assert "tool's name" in refused.value.message


def test_what_a_tool_does_is_one_of_a_few_words() -> None:
    with pytest.raises(ConfigError) as refused:
        lookup.parse("tools.mcp__db__query", "safe", "file x")
    assert "plan, read, edit, unsafe" in str(refused.value.hint)
