from __future__ import annotations

import contextlib
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlmc.config.load import Config, load, overlay, overrides_from
from rlmc.config.schema import KEYS, UpstreamSettings
from rlmc.domain.effect import Effect
from rlmc.domain.turn import Model
from rlmc.errors import ConfigError

PROVIDERS = ("anthropic", "deepseek", "llama.cpp", "sim")


def written(folder: Path, text: str) -> Path:
    file = folder / "config.toml"
    file.write_text(text, encoding="utf-8")
    return file


def loaded(folder: Path, text: str, **more: dict[str, str]) -> Config:
    return load(written(folder, text), env=more.get("env", {}), flags=more.get("flags"), providers=PROVIDERS)


def entry(config: Config, key: str) -> tuple[object, str]:
    return next((one.value, one.source) for one in config.entries if one.key == key)


def test_defaults_when_there_is_no_file(tmp_path: Path) -> None:
    config = load(tmp_path / "none.toml", env={}, providers=PROVIDERS)
    settings = config.settings
    assert settings.draft_model is None
    assert not settings.draft_off
    assert settings.verify_model is None
    assert settings.policy == "balanced"
    assert settings.draft_timeout == 30.0
    assert settings.port == 0
    assert settings.idle_timeout == 1800.0
    assert settings.body_limit == 32 * 1024**2
    assert settings.budget_session is None
    assert settings.claude_auto_mode == "direct"
    assert not settings.allow_login_calls
    assert not settings.log_content
    assert settings.upstreams == {}
    assert {one.source for one in config.entries} == {"default"}
    assert [one.key for one in config.entries] == [key.name for key in KEYS]
    assert not (tmp_path / "none.toml").exists()


def test_every_setting_from_the_file(tmp_path: Path) -> None:
    config = loaded(
        tmp_path,
        """
        draft-model = "deepseek/deepseek-flash"
        verify-model = "anthropic/claude-opus-5-5"
        policy = "paper"
        draft-timeout = 12.5
        allow-login-calls = true
        log-content = true
        port = 4711
        idle-timeout = 0
        body-limit = "1MiB"
        claude.auto-mode = "local"

        [budget]
        session = 2.10
        daily = "20"

        [upstream.my-gateway]
        base-url = "https://gw.example.com/a/"
        protocol = "anthropic"
        api-key-env = "GW_KEY"

        [upstream."llama.cpp"]
        base-url = "http://127.0.0.1:9999"
        """,
    )
    settings = config.settings
    assert settings.draft_model == Model("deepseek", "deepseek-flash")
    assert settings.verify_model == Model("anthropic", "claude-opus-5-5")
    assert (settings.policy, settings.draft_timeout, settings.port) == ("paper", 12.5, 4711)
    assert (settings.allow_login_calls, settings.log_content) == (True, True)
    assert (settings.idle_timeout, settings.body_limit) == (0.0, 1024**2)
    assert settings.claude_auto_mode == "local"
    assert settings.budget_session == Decimal("2.10")
    assert settings.budget_daily == Decimal(20)
    assert settings.upstreams == {
        "my-gateway": UpstreamSettings("https://gw.example.com/a", "anthropic", "GW_KEY"),
        "llama.cpp": UpstreamSettings("http://127.0.0.1:9999"),
    }
    assert entry(config, "budget.session") == ("2.10", f"file {tmp_path / 'config.toml'}:14")


def test_bare_and_quoted_spelling_of_a_dotted_name_mean_the_same(tmp_path: Path) -> None:
    bare = loaded(tmp_path, '[upstream.llama.cpp]\nbase-url = "http://x"\n').settings
    flat = loaded(tmp_path, '"upstream.llama.cpp.base-url" = "http://x"\n').settings
    assert bare == flat
    assert bare.upstreams["llama.cpp"].base_url == "http://x"


def test_the_users_words_on_tools(tmp_path: Path) -> None:
    config = loaded(tmp_path, '[tools]\n"mcp__github__get_*" = "read"\nmy.tool = "plan"\nBash = "unsafe"\n')
    assert config.settings.tools == {
        "Bash": Effect.UNSAFE,
        "mcp__github__get_*": Effect.READ,
        "my.tool": Effect.PLAN,
    }
    assert entry(config, "tools.Bash") == ("unsafe", f"file {tmp_path / 'config.toml'}:4")


@pytest.mark.parametrize("text", ['tools.a = "safe"', "tools.a = true", 'tools = "read"', 'tools."a*b" = "read"'])
def test_words_on_tools_that_say_nothing(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"config\.toml:1"):
        loaded(tmp_path, text)


def test_no_variable_says_what_a_tool_does(tmp_path: Path) -> None:
    config = loaded(tmp_path, "", env={"RLMC_TOOLS_BASH": "read"})
    assert config.settings.tools == {}
    assert "RLMC_TOOLS_BASH is not a setting" in config.warnings[0]


def test_flags_over_environment_over_file_over_default(tmp_path: Path) -> None:
    text, env, flags = 'policy = "paper"', {"RLMC_POLICY": "draft-only"}, {"policy": "verify-only"}
    file = f"file {tmp_path / 'config.toml'}:1"
    assert entry(loaded(tmp_path, ""), "policy") == ("balanced", "default")
    assert entry(loaded(tmp_path, text), "policy") == ("paper", file)
    assert entry(loaded(tmp_path, text, env=env), "policy") == ("draft-only", "env RLMC_POLICY")
    assert entry(loaded(tmp_path, text, env=env, flags=flags), "policy") == ("verify-only", "flag --policy")
    assert loaded(tmp_path, text, env=env, flags=flags).settings.policy == "verify-only"


def test_the_budget_flag_is_called_by_its_own_name(tmp_path: Path) -> None:
    config = loaded(tmp_path, "", flags={"budget.session": "$2"})
    assert entry(config, "budget.session") == ("2", "flag --budget")


def test_environment_names(tmp_path: Path) -> None:
    env = {
        "RLMC_DRAFT_MODEL": "sim/draft",
        "RLMC_CLAUDE_AUTO_MODE": "local",
        "RLMC_BUDGET_SESSION": "5",
        "RLMC_UPSTREAM_LLAMA_CPP_BASE_URL": "http://127.0.0.1:1",
        "RLMC_UPSTREAM_MY_GATEWAY_BASE_URL": "http://127.0.0.1:2",
        "RLMC_UPSTREAM_MY_GATEWAY_API_KEY_ENV": "GW",
        "RLMC_CONFIG_DIR": "/nowhere",
        "RLMC_DATA_DIR": "/nowhere",
        "RLMC_STATE_DIR": "/nowhere",
        "PATH": "/bin",
    }
    config = loaded(tmp_path, "", env=env)
    assert config.warnings == ()
    assert config.settings.draft_model == Model("sim", "draft")
    assert config.settings.claude_auto_mode == "local"
    assert config.settings.budget_session == Decimal(5)
    assert config.settings.upstreams["llama.cpp"].base_url == "http://127.0.0.1:1"
    assert config.settings.upstreams["my-gateway"] == UpstreamSettings("http://127.0.0.1:2", None, "GW")


def test_an_unknown_variable_is_a_warning_that_names_the_nearest(tmp_path: Path) -> None:
    config = loaded(tmp_path, "", env={"RLMC_DRAFT_MODLE": "x"})
    assert len(config.warnings) == 1
    assert "RLMC_DRAFT_MODLE" in config.warnings[0]
    assert "RLMC_DRAFT_MODEL?" in config.warnings[0]


def test_an_empty_variable_counts_as_absent(tmp_path: Path) -> None:
    assert entry(loaded(tmp_path, "", env={"RLMC_PORT": " "}), "port") == (0, "default")


def test_the_process_environment_is_read_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RLMC_POLICY", "paper")
    assert load(tmp_path / "none", providers=PROVIDERS).settings.policy == "paper"
    assert load(tmp_path / "none", env={}, providers=PROVIDERS).settings.policy == "balanced"


def test_the_words_for_no_fixed_draft_model(tmp_path: Path) -> None:
    auto = loaded(tmp_path, 'draft-model = "deepseek/x"', flags={"draft-model": "auto"}).settings
    off = loaded(tmp_path, 'draft-model = "none"').settings
    assert (auto.draft_model, auto.draft_off) == (None, False)
    assert (off.draft_model, off.draft_off) == (None, True)


@pytest.mark.parametrize("key", ["draft-model", "verify-model"])
def test_a_model_of_an_unknown_provider_names_the_nearest(tmp_path: Path, key: str) -> None:
    with pytest.raises(ConfigError) as refused:
        loaded(tmp_path, f'{key} = "depseek/deepseek-flash"')
    assert key in refused.value.message
    assert "depseek" in refused.value.message
    assert "config.toml:1" in refused.value.message
    assert "deepseek/deepseek-flash?" in str(refused.value.hint)
    assert "upstream.depseek.base-url" in str(refused.value.hint)


def test_a_provider_of_ones_own_needs_a_base_url(tmp_path: Path) -> None:
    model = 'draft-model = "mine/x"\n'
    with pytest.raises(ConfigError, match="base-url"):
        loaded(tmp_path, model + '[upstream.mine]\nprotocol = "anthropic"')
    config = loaded(tmp_path, model + '[upstream.mine]\nbase-url = "http://127.0.0.1:9"')
    assert config.settings.draft_model == Model("mine", "x")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("port = \n", ["line 1", "column 8"]),
        ('a = "b\n', ["line 1"]),
        ("[a]\n[a]\n", ["line 2"]),
        ("port = [1,\n", ["end of the file"]),
        ('budget.session = 1\n"budget.session" = 2\n', ["'budget.session' is set twice"]),
        ("port = " + "9" * 5000, ["not usable"]),
    ],
)
def test_a_corrupt_file_is_named_with_the_position(tmp_path: Path, text: str, parts: list[str]) -> None:
    with pytest.raises(ConfigError) as refused:
        loaded(tmp_path, text)
    for part in (str(tmp_path / "config.toml"), *parts):
        assert part in refused.value.message
    assert "rlmc config edit" in str(refused.value.hint)
    assert "keeps" in str(refused.value.hint)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_bytes(b"port = 1 # \xff\xfe")
    with pytest.raises(ConfigError, match="UTF-8"):
        load(tmp_path / "config.toml", env={}, providers=PROVIDERS)


def test_a_folder_in_place_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "config.toml").mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "config.toml", env={}, providers=PROVIDERS)


def test_an_unknown_key_in_the_file_is_named_with_file_line_and_nearest(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        loaded(tmp_path, '\ndraft-modle = "a/b"\n')
    assert "draft-modle" in refused.value.message
    assert f"{tmp_path / 'config.toml'}:2" in refused.value.message
    assert "draft-model?" in str(refused.value.hint)
    assert "rlmc config edit" in str(refused.value.hint)


@pytest.mark.parametrize(
    "text", ['port = "x"', "port = [1]", "budget = 5", "[[upstream]]\na = 1", "port = 1e99999999999999999999"]
)
def test_wrong_types_are_config_errors(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError):
        loaded(tmp_path, text)


@given(st.text(max_size=60))
def test_any_text_loads_or_is_a_config_error(text: str) -> None:
    with contextlib.suppress(ConfigError):
        load(Path("/nonexistent/config.toml"), env={}, providers=PROVIDERS, text=text)


def test_overlay_puts_a_sessions_values_over_all_others(tmp_path: Path) -> None:
    base = loaded(tmp_path, 'policy = "paper"\nport = 9')
    over = overlay(base, {"policy": "draft-only", "draft-model": "sim/draft"}, "session abc", PROVIDERS)
    assert entry(over, "policy") == ("draft-only", "session abc")
    assert over.settings.draft_model == Model("sim", "draft")
    assert over.settings.port == 9
    assert base.settings.policy == "paper"
    with pytest.raises(ConfigError, match="session abc"):
        overlay(base, {"policy": "nope"}, "session abc", PROVIDERS)


def test_what_a_run_sends_to_the_daemon_reads_the_same_there(tmp_path: Path) -> None:
    env = {"RLMC_DRAFT_MODEL": "sim/draft", "RLMC_UPSTREAM_LLAMA_CPP_BASE_URL": "http://h", "RLMC_X": "1", "HOME": "/h"}
    flags = {"policy": "paper"}
    sent = overrides_from(env, flags, PROVIDERS)
    assert sent == {"draft-model": "sim/draft", "upstream.llama.cpp.base-url": "http://h", "policy": "paper"}
    here = loaded(tmp_path, "port = 5", env=env, flags=flags)
    there = overlay(loaded(tmp_path, "port = 5"), sent, "session", PROVIDERS)
    assert here.settings == there.settings


def test_flags_win_over_the_environment_in_what_is_sent() -> None:
    assert overrides_from({"RLMC_POLICY": "paper"}, {"policy": "draft-only"}) == {"policy": "draft-only"}


def test_variables_that_rlmc_itself_sets_for_an_agent_are_no_settings_and_no_mistakes(tmp_path: Path) -> None:
    ours = ("RLMC_SESSION", "RLMC_TOKEN", "RLMC_BEFORE_ANTHROPIC", "RLMC_BEFORE_OPENAI", "RLMC_DEBUG")
    assert loaded(tmp_path, "", env=dict.fromkeys(ours, "x")).warnings == ()
