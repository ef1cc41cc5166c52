from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from rlmc.launch.base_url import session_base_url
from rlmc.launch.integration import LaunchPlan, LaunchRequest, TempFile
from rlmc.launch.integrations import choose
from rlmc.launch.integrations.claude import PLACEHOLDER, Claude

TOKEN = "a-token-that-is-long-enough-000"
BASE = session_base_url(23456, TOKEN)
USER = "/home/u/.claude/settings.json"
PROJECT = "/home/ada/project/.claude/settings.json"
LOCAL = "/home/ada/project/.claude/settings.local.json"
MANAGED = "/etc/claude-code/managed-settings.json"
GATEWAY = "https://gateway.example"


@dataclass
class Files:
    content: Mapping[str, str] = field(default_factory=dict)

    def read(self, path: str) -> str | None:
        return self.content.get(path)

    def exists(self, path: str) -> bool:
        return path in self.content


def request(*argv: str, env: Mapping[str, str] | None = None, **more: Any) -> LaunchRequest:
    environ = {"HOME": "/home/u", "ANTHROPIC_API_KEY": "sk-ant-key"} if env is None else {"HOME": "/home/u", **env}
    return LaunchRequest(argv=("claude", *argv), environ=environ, directory="/home/ada/project", base_url=BASE, **more)


def plan(wanted: LaunchRequest, files: Mapping[str, object] | None = None) -> LaunchPlan:
    content = {path: text if isinstance(text, str) else json.dumps(text) for path, text in (files or {}).items()}
    made = Claude().plan(wanted, Files(content))
    assert not any(TOKEN in word for word in made.argv if isinstance(word, str)), "the session's token stands in argv"
    assert TOKEN not in repr(made)
    return made


def base_url_in(url: str) -> dict[str, object]:
    return {"env": {"ANTHROPIC_BASE_URL": url}}


def injected(made: LaunchPlan) -> dict[str, Any]:
    """The settings of ours among the arguments; there is exactly one."""
    (file,) = [word for word in made.argv if isinstance(word, TempFile)]
    assert made.argv[1] == "--settings"
    assert made.argv[2] is file
    settings = json.loads(file.content)
    assert isinstance(settings, dict)
    return settings


def test_the_plain_case_is_environment_alone() -> None:
    made = plan(request("-p", "hello"))
    assert made.argv == ("claude", "-p", "hello")
    assert made.env == {
        "ANTHROPIC_BASE_URL": BASE,
        "CLAUDE_CODE_GATEWAY_HINT_HEADERS": "1",
        "ENABLE_TOOL_SEARCH": "true",
    }
    assert set(made.env_lists) == {"NO_PROXY", "no_proxy"}
    assert made.upstreams == {}
    assert made.warnings == ()


def test_nothing_is_switched_off() -> None:
    assert "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC" not in plan(request()).env


@pytest.mark.parametrize("program", ["claude", "/usr/local/bin/claude", "./claude", "../node_modules/.bin/claude"])
def test_it_is_known_by_its_name(program: str) -> None:
    assert choose(program).name == "claude"


@pytest.mark.parametrize("program", ["claude-code", "myclaude", "claude/other", "codex"])
def test_others_are_not_it(program: str) -> None:
    assert choose(program).name != "claude"


# --- tool search ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["false", "auto:5"])
def test_the_users_word_on_tool_search_stands(value: str) -> None:
    wanted = request(env={"ANTHROPIC_API_KEY": "k", "ENABLE_TOOL_SEARCH": value})
    assert "ENABLE_TOOL_SEARCH" not in plan(wanted).env
    assert "ENABLE_TOOL_SEARCH" not in plan(request(), {USER: {"env": {"ENABLE_TOOL_SEARCH": value}}}).env


def test_a_gateway_that_may_not_know_tool_search_is_not_asked_for_it() -> None:
    behind = request(env={"ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": GATEWAY})
    assert "ENABLE_TOOL_SEARCH" not in plan(behind).env
    official = request(env={"ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": "https://api.anthropic.com"})
    assert plan(official).env["ENABLE_TOOL_SEARCH"] == "true"


# --- a base URL that was set already --------------------------------------------------------------------------------


def test_one_in_the_environment_becomes_the_upstream() -> None:
    made = plan(request(env={"ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": GATEWAY}))
    assert made.upstreams == {"anthropic": GATEWAY}
    assert made.argv == ("claude",)  # ours in the environment replaces it


@pytest.mark.parametrize("path", [USER, PROJECT, LOCAL])
def test_one_in_a_settings_file_becomes_the_upstream_and_is_overridden(path: str) -> None:
    made = plan(request("-p", "hello"), {path: base_url_in(GATEWAY)})
    assert made.upstreams == {"anthropic": GATEWAY}
    assert injected(made) == base_url_in(BASE)
    assert made.argv[3:] == ("-p", "hello")


def test_settings_win_over_the_environment_and_the_nearer_file_over_the_farther() -> None:
    in_env = request(env={"ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": "https://env"})
    files = {USER: base_url_in("https://user"), PROJECT: base_url_in("https://project")}
    assert plan(in_env, files).upstreams == {"anthropic": "https://project"}
    assert plan(in_env, {**files, LOCAL: base_url_in("https://local")}).upstreams == {"anthropic": "https://local"}
    flag = replace(in_env, argv=("claude", "--settings", json.dumps(base_url_in("https://flag"))))
    assert plan(flag, files).upstreams == {"anthropic": "https://flag"}


def test_the_settings_of_another_config_folder() -> None:
    wanted = request(env={"ANTHROPIC_API_KEY": "k", "CLAUDE_CONFIG_DIR": "/cfg"})
    assert plan(wanted, {USER: base_url_in(GATEWAY)}).upstreams == {}
    assert plan(wanted, {"/cfg/settings.json": base_url_in(GATEWAY)}).upstreams == {"anthropic": GATEWAY}


def test_rlmc_is_never_chained_behind_rlmc() -> None:
    outer = session_base_url(20000, "the-token-of-the-outer-session")
    made = plan(request(env={"ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": outer}))
    assert made.upstreams == {}
    assert made.env["ANTHROPIC_BASE_URL"] == BASE
    left_behind = plan(request(), {USER: base_url_in(outer)})
    assert left_behind.upstreams == {}
    assert injected(left_behind) == base_url_in(BASE)


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"env": []}', '{"env": {"OTHER": 1}}', "// comment"])
def test_settings_that_say_nothing_of_it_or_nothing_at_all(content: str) -> None:
    made = plan(request(), {USER: content, LOCAL: content})
    assert made.argv == ("claude",)
    assert made.upstreams == {}


# --- the user's own --settings --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ("--settings", '{"model": "opus", "env": {"A": "1"}}'),
        ('--settings={"model": "opus", "env": {"A": "1"}}',),
        ("--settings", "own.json"),
        ("--settings=own.json",),
        ("--settings", "/home/ada/project/own.json"),
    ],
)
def test_it_is_merged_into_ours(words: tuple[str, ...]) -> None:
    own = {"model": "opus", "env": {"A": "1"}}
    made = plan(request("-c", *words, "-p", "hello"), {USER: base_url_in(GATEWAY), "/home/ada/project/own.json": own})
    assert injected(made) == {"model": "opus", "env": {"A": "1", "ANTHROPIC_BASE_URL": BASE}}
    assert made.argv[3:] == ("-c", "-p", "hello")


def test_a_base_url_of_its_own_is_replaced_in_place() -> None:
    made = plan(request("--settings", json.dumps({"x": 1, **base_url_in(GATEWAY)})))
    assert made.upstreams == {"anthropic": GATEWAY}
    assert injected(made) == {"x": 1, **base_url_in(BASE)}
    assert made.argv[3:] == ()


def test_it_stays_as_it_is_where_nothing_overrides() -> None:
    words = ("--settings", '{"model": "opus"}', "-p", "hello")
    assert plan(request(*words)).argv == ("claude", *words)


def test_what_comes_after_two_dashes_is_a_prompt() -> None:
    made = plan(request("-p", "--", "--settings", "x"), {USER: base_url_in(GATEWAY)})
    assert injected(made) == base_url_in(BASE)
    assert made.argv[3:] == ("-p", "--", "--settings", "x")


@pytest.mark.parametrize("words", [("--settings", "missing.json"), ("--settings", "{broken")])
def test_one_that_cannot_be_read_is_left_to_the_agent_and_that_is_said(words: tuple[str, ...]) -> None:
    made = plan(request(*words), {USER: base_url_in(GATEWAY)})
    assert made.argv == ("claude", *words)
    assert "--settings cannot be read" in made.warnings[0]


def test_the_last_word_has_no_value() -> None:
    assert plan(request("--settings"), {}).argv == ("claude", "--settings")


# --- a proxy in the settings ----------------------------------------------------------------------------------------


def test_a_no_proxy_list_in_the_settings_gets_loopback_as_well() -> None:
    made = plan(request(), {USER: {"env": {"NO_PROXY": "corp", "HTTPS_PROXY": "http://proxy"}}})
    assert injected(made) == {"env": {"NO_PROXY": "corp,127.0.0.1,localhost"}}
    assert made.seen["HTTPS_PROXY"] == "http://proxy"


def test_one_that_has_it_already_needs_nothing() -> None:
    assert plan(request(), {USER: {"env": {"NO_PROXY": "localhost,127.0.0.1"}}}).argv == ("claude",)


# --- ways around rlmc -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "cloud"),
    [
        ("CLAUDE_CODE_USE_BEDROCK", "Bedrock"),
        ("CLAUDE_CODE_USE_VERTEX", "Vertex"),
        ("CLAUDE_CODE_USE_FOUNDRY", "Foundry"),
    ],
)
def test_another_cloud_is_warned_of(name: str, cloud: str) -> None:
    for made in (plan(request(env={name: "1"})), plan(request(env={}), {USER: {"env": {name: "true"}}})):
        assert len(made.warnings) == 1
        assert name in made.warnings[0]
        assert cloud in made.warnings[0]
    assert not any(name in text for text in plan(request(env={name: "0"})).warnings)


def test_an_organisations_settings_win_over_everything_and_that_is_said() -> None:
    made = plan(request(), {MANAGED: base_url_in("https://corp")})
    assert made.upstreams == {"anthropic": "https://corp"}
    assert MANAGED in made.warnings[0]
    assert made.argv == ("claude",)
    mac = plan(request(platform="darwin"), {MANAGED: base_url_in("https://corp")})
    assert mac.warnings == ()


# --- credentials ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("env", "files"),
    [
        ({"ANTHROPIC_API_KEY": "k"}, {}),
        ({"ANTHROPIC_AUTH_TOKEN": "t"}, {}),
        ({"CLAUDE_CODE_OAUTH_TOKEN": "t"}, {}),
        ({}, {USER: {"apiKeyHelper": "/bin/helper"}}),
        ({}, {MANAGED: {"apiKeyHelper": "/bin/helper"}}),
        ({}, {LOCAL: {"env": {"ANTHROPIC_AUTH_TOKEN": "t"}}}),
        ({}, {"/home/u/.claude/.credentials.json": {}}),
        ({"CLAUDE_CONFIG_DIR": "/cfg/"}, {"/cfg/.credentials.json": {}}),
        ({}, {"/home/u/.claude.json": {"oauthAccount": {}}}),
        ({"CLAUDE_CONFIG_DIR": "/cfg"}, {"/cfg/.claude.json": {"primaryApiKey": "k"}}),
    ],
)
@pytest.mark.parametrize("draft", [None, "sim/draft"])
def test_any_credential_will_do(env: Mapping[str, str], files: Mapping[str, object], draft: str | None) -> None:
    made = plan(request(env=env, draft_model=draft), files)
    assert made.warnings == ()
    assert "ANTHROPIC_AUTH_TOKEN" not in made.env


def test_none_is_warned_of_and_nothing_is_made_up() -> None:
    made = plan(request(env={}), {"/home/u/.claude.json": {"numStartups": 3}})
    assert len(made.warnings) == 1
    assert "ANTHROPIC_API_KEY" in made.warnings[0]
    assert "ANTHROPIC_AUTH_TOKEN" not in made.env


@pytest.mark.parametrize("verify", ["sim/verify", "deepseek/deepseek-chat", "ollama/qwen"])
def test_none_is_needed_where_the_verify_model_is_elsewhere(verify: str) -> None:
    made = plan(request(env={}, verify_model=verify))
    assert made.env["ANTHROPIC_AUTH_TOKEN"] == PLACEHOLDER
    assert [w for w in made.warnings if "placeholder" in w]
    assert not [w for w in made.warnings if "will fail" in w]


def test_a_simulated_draft_alone_lets_the_agent_start_but_its_direct_turns_fail() -> None:
    made = plan(request(env={}, draft_model="sim/draft"))
    assert made.env["ANTHROPIC_AUTH_TOKEN"] == PLACEHOLDER
    assert [w for w in made.warnings if "placeholder" in w]
    assert [w for w in made.warnings if "will fail" in w]


def test_no_secret_shows_when_a_plan_is_printed() -> None:
    made = plan(request(env={"ANTHROPIC_API_KEY": "sk-ant-secret"}), {USER: base_url_in(GATEWAY)})
    assert "sk-ant-secret" not in repr(made)
