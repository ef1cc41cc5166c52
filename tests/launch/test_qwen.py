from __future__ import annotations

from collections.abc import Mapping

import pytest
from tests.support.plans import BASE, GATEWAY, HOME, PROJECT, plan

from rlmc.launch.integration import LaunchPlan
from rlmc.launch.integrations.qwen import Qwen

USER, OURS = f"{HOME}/.qwen/settings.json", f"{PROJECT}/.qwen/settings.json"
OWN_ADDRESS = {
    "modelProviders": {
        "openai": [{"id": "far", "baseUrl": GATEWAY}, {"id": "near"}],
        "anthropic": [{"id": "claude-x"}],
    },
    "security": {"auth": {"selectedType": "openai"}},
}


def qwen(*argv: str, env: Mapping[str, str] | None = None, files: Mapping[str, object] | None = None) -> LaunchPlan:
    return plan(Qwen(), *argv, env=env, files=files)


def test_the_plain_case_is_environment_alone() -> None:
    made = qwen("-p", "x")
    assert made.argv == ("qwen", "-p", "x")
    assert made.env == {"ANTHROPIC_BASE_URL": BASE, "OPENAI_BASE_URL": f"{BASE}/v1", "OPENAI_API_BASE": f"{BASE}/v1"}
    assert (made.upstreams, made.warnings, made.protocol) == ({}, (), "chat")


@pytest.mark.parametrize(
    ("kind", "protocol"), [("openai", "chat"), ("anthropic", "anthropic"), ("openai-responses", "responses")]
)
def test_the_protocol_follows_from_how_it_is_authenticated(kind: str, protocol: str) -> None:
    assert qwen("--auth-type", kind).protocol == protocol
    assert qwen(files={USER: {"security": {"auth": {"selectedType": kind}}}}).protocol == protocol


@pytest.mark.parametrize(
    "files",
    [
        {
            f"{PROJECT}/.qwen/.env": f"OPENAI_BASE_URL={GATEWAY}",
            f"{PROJECT}/.env": "OPENAI_BASE_URL=https://weak.example",
        },
        {f"{HOME}/code/.env": f'export OPENAI_BASE_URL="{GATEWAY}"'},
        {f"{HOME}/.qwen/.env": f"OPENAI_BASE_URL={GATEWAY}"},
        {USER: {"env": {"OPENAI_BASE_URL": GATEWAY}}},
        {OURS: {"env": {"OPENAI_BASE_URL": GATEWAY}}, USER: {"env": {"OPENAI_BASE_URL": "https://weak.example"}}},
        {USER: {"security": {"auth": {"baseUrl": GATEWAY}}}},
    ],
)
def test_addresses_that_the_environment_overrules_become_the_upstream(files: dict[str, object]) -> None:
    made = qwen(files=files)
    assert made.upstreams == {"openai": GATEWAY}
    assert made.warnings == ()
    assert qwen(env={"OPENAI_BASE_URL": "https://strong.example/v1"}, files=files).upstreams == {
        "openai": "https://strong.example/v1"
    }


def test_keys_of_its_files_are_seen() -> None:
    files = {USER: {"env": {"DASHSCOPE_API_KEY": "k", "A": "settings"}}, f"{PROJECT}/.env": "A=file"}
    made = qwen(files=files)
    assert (made.seen["DASHSCOPE_API_KEY"], made.seen["A"]) == ("k", "file")


@pytest.mark.parametrize(
    ("argv", "env", "more"),
    [
        (["-m", "far"], {}, {}),
        ([], {"OPENAI_MODEL": "far"}, {}),
        ([], {}, {"model": {"name": "far"}}),
    ],
)
def test_a_model_with_an_address_of_its_own_bypasses_rlmc_and_that_is_said(
    argv: list[str], env: dict[str, str], more: dict[str, object]
) -> None:
    (warning,) = qwen(*argv, env=env, files={USER: {**OWN_ADDRESS, **more}}).warnings
    assert "far" in warning
    assert "OPENAI_BASE_URL" in warning


def test_another_model_may_still_be_chosen_later() -> None:
    made = qwen("-m", "near", files={USER: OWN_ADDRESS})
    assert made.warnings == ()
    assert "baseUrl" in made.doubts[0]
    assert qwen("--auth-type", "anthropic", "-m", "far", files={USER: OWN_ADDRESS}).warnings == ()


def test_an_address_among_the_arguments_wins_and_that_is_said() -> None:
    assert "--openai-base-url" in qwen("--openai-base-url", GATEWAY).warnings[0]
