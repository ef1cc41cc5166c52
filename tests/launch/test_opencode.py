from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from tests.support.plans import BASE, GATEWAY, HOME, PROJECT, plan

from rlmc.launch.integration import LaunchPlan
from rlmc.launch.integrations.opencode import Opencode
from rlmc.launch.integrations.opencode_settings import CONTENT

GLOBAL = f"{HOME}/.config/opencode/opencode.json"


def opencode(
    *argv: str, env: Mapping[str, str] | None = None, files: Mapping[str, object] | None = None, **more: str
) -> LaunchPlan:
    return plan(Opencode(), *argv, env=env, files=files, **more)


def at(url: str, *vendors: str) -> dict[str, Any]:
    return {"provider": {vendor: {"options": {"baseURL": url}} for vendor in vendors or ("anthropic",)}}


def content(made: LaunchPlan) -> dict[str, Any]:
    found = json.loads(made.env[CONTENT])
    assert isinstance(found, dict)
    return found


def test_the_plain_case_is_environment_alone() -> None:
    made = opencode("run", "x")
    assert made.argv == ("opencode", "run", "x")
    assert made.env == {"ANTHROPIC_BASE_URL": BASE, "OPENAI_BASE_URL": f"{BASE}/v1", "OPENAI_API_BASE": f"{BASE}/v1"}
    assert (made.upstreams, made.warnings) == ({}, ())


@pytest.mark.parametrize(
    "path",
    [
        GLOBAL,
        f"{HOME}/.config/opencode/opencode.jsonc",
        f"{PROJECT}/opencode.json",
        f"{HOME}/code/opencode.jsonc",
        f"{PROJECT}/.opencode/opencode.json",
    ],
)
def test_a_base_url_in_a_file_becomes_the_upstream_and_is_overruled(path: str) -> None:
    made = opencode("run", "x", files={path: at(GATEWAY)})
    assert content(made) == at(f"{BASE}/v1")
    assert made.upstreams == {"anthropic": GATEWAY}
    assert made.warnings == ()


@pytest.mark.parametrize(
    ("variable", "path"),
    [
        ("OPENCODE_CONFIG", "/srv/oc.json"),
        ("OPENCODE_CONFIG_DIR", "/srv/oc.json/opencode.json"),
        ("XDG_CONFIG_HOME", "/srv/oc.json/opencode/opencode.json"),
    ],
)
def test_files_elsewhere(variable: str, path: str) -> None:
    made = opencode(env={variable: "/srv/oc.json"}, files={path: at(GATEWAY, "openai")})
    assert made.upstreams == {"openai": GATEWAY}
    assert content(made) == at(f"{BASE}/v1", "openai")


def test_the_stronger_file_is_the_upstream() -> None:
    files = {GLOBAL: at("https://weak.example/v1", "anthropic", "openai"), f"{PROJECT}/opencode.json": at(GATEWAY)}
    made = opencode(files=files)
    assert made.upstreams == {"anthropic": GATEWAY, "openai": "https://weak.example/v1"}
    assert content(made) == at(f"{BASE}/v1", "anthropic", "openai")


def test_the_users_own_configuration_of_the_environment_is_kept() -> None:
    theirs = """{ // mine
        "theme": "x, }", /* and */
        "provider": {"openai": {"name": "Mine", "options": {"baseURL": "{env:MY_URL}", "apiKey": "k",},},},
    }"""
    made = opencode(env={CONTENT: theirs, "MY_URL": GATEWAY})
    options = {"baseURL": f"{BASE}/v1", "apiKey": "k"}
    assert content(made) == {"theme": "x, }", "provider": {"openai": {"name": "Mine", "options": options}}}
    assert made.upstreams == {"openai": GATEWAY}


def test_one_that_cannot_be_read_is_left_alone() -> None:
    made = opencode(env={CONTENT: "{"}, files={GLOBAL: at(GATEWAY)})
    assert CONTENT not in made.env
    assert "cannot be read" in made.warnings[0]
    assert opencode(env={CONTENT: "{"}).warnings == ()


def test_variables_of_the_user_become_upstreams() -> None:
    made = opencode(env={"ANTHROPIC_BASE_URL": GATEWAY, "OPENAI_BASE_URL": "https://o.example/v1"})
    assert made.upstreams == {"anthropic": GATEWAY, "openai": "https://o.example/v1"}
    made = opencode(env={"ANTHROPIC_BASE_URL": "https://weak.example"}, files={GLOBAL: at(GATEWAY)})
    assert made.upstreams == {"anthropic": GATEWAY}


@pytest.mark.parametrize(
    ("argv", "model", "protocol"),
    [
        ([], None, "anthropic"),
        (["run", "-m", "openai/gpt-5"], None, "responses"),
        (["run", "--model=openai/gpt-5"], "anthropic/claude-x", "responses"),
        ([], "openai/gpt-5", "responses"),
        ([], "anthropic/claude-x", "anthropic"),
    ],
)
def test_the_protocol_follows_from_the_model(argv: list[str], model: str | None, protocol: str) -> None:
    made = opencode(*argv, files={GLOBAL: {} if model is None else {"model": model}})
    assert made.protocol == protocol
    assert made.warnings == ()


def test_a_model_of_another_provider_bypasses_rlmc_and_that_is_said() -> None:
    (warning,) = opencode("run", "-m", "deepseek/deepseek-flash", "x").warnings
    assert "provider deepseek" in warning
    assert "verify-model" in warning


def test_a_chatgpt_login_bypasses_rlmc_and_that_is_said() -> None:
    auth = f"{HOME}/.local/share/opencode/auth.json"
    (warning,) = opencode(files={auth: {"openai": {"type": "oauth"}, "anthropic": {"type": "api"}}}).warnings
    assert "ChatGPT login" in warning
    assert opencode(files={auth: {"openai": {"type": "api"}}}).warnings == ()


def test_the_organisations_configuration_wins_and_that_is_said() -> None:
    (warning,) = opencode(files={"/etc/opencode/opencode.json": at(GATEWAY)}).warnings
    assert "organisation" in warning


@pytest.mark.parametrize("text", ["[]", "{", '{"provider": 3}', '{"provider": {"openai": {"options": []}}}', '"'])
def test_files_that_make_no_sense(text: str) -> None:
    made = opencode(files={GLOBAL: text})
    assert CONTENT not in made.env
    assert made.upstreams == {}
