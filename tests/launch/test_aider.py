from __future__ import annotations

from collections.abc import Mapping

import pytest
from tests.support.plans import BASE, GATEWAY, HOME, PROJECT, plan

from rlmc.launch.integration import LaunchPlan
from rlmc.launch.integrations.aider import SET_ENV, Aider

PLAIN = {
    "ANTHROPIC_BASE_URL": BASE,
    "ANTHROPIC_API_BASE": BASE,
    "OPENAI_BASE_URL": f"{BASE}/v1",
    "OPENAI_API_BASE": f"{BASE}/v1",
}
OTHER = "https://other.example/v1"


def aider(*argv: str, env: Mapping[str, str] | None = None, files: Mapping[str, object] | None = None) -> LaunchPlan:
    return plan(Aider(), *argv, env=env, files=files)


def test_the_plain_case_is_environment_alone() -> None:
    made = aider("--model", "openai/gpt-x")
    assert made.argv == ("aider", "--model", "openai/gpt-x")
    assert made.env == PLAIN
    assert (made.upstreams, made.warnings, made.protocol) == ({}, (), "chat")


@pytest.mark.parametrize("model", ["sonnet", "claude-x", "anthropic/claude-x"])
def test_claude_speaks_anthropics_protocol(model: str) -> None:
    assert aider("--model", model).protocol == "anthropic"
    assert aider(env={"AIDER_MODEL": model}).protocol == "anthropic"


@pytest.mark.parametrize("folder", [HOME, f"{HOME}/code", PROJECT])
def test_a_dotenv_file_that_would_win_is_overruled(folder: str) -> None:
    files = {f"{folder}/.env": f"OPENAI_BASE_URL='{GATEWAY}'\n", f"{HOME}/code/.git/HEAD": ""}
    made = aider(files=files)
    assert made.env == {**PLAIN, SET_ENV: f"[OPENAI_BASE_URL={BASE}/v1]"}
    assert made.upstreams == {"openai": GATEWAY}
    assert made.warnings == ()


def test_both_vendors_in_a_file_of_another_name() -> None:
    made = aider(
        "--env-file", "my.env", files={f"{PROJECT}/my.env": f"ANTHROPIC_API_BASE={GATEWAY}\nOPENAI_BASE_URL=x"}
    )
    assert made.env[SET_ENV] == f"[OPENAI_BASE_URL={BASE}/v1, ANTHROPIC_API_BASE={BASE}]"
    assert made.upstreams == {"anthropic": GATEWAY, "openai": "x"}


@pytest.mark.parametrize(
    ("argv", "env", "conf"),
    [
        (["--set-env", "A=1"], {}, ""),
        ([], {SET_ENV: "A=1"}, ""),
        ([], {}, "set-env:\n  - A=1\n"),
    ],
)
def test_where_set_env_is_taken_that_is_said(argv: list[str], env: dict[str, str], conf: str) -> None:
    files = {f"{PROJECT}/.env": f"OPENAI_BASE_URL={GATEWAY}", f"{PROJECT}/.aider.conf.yml": conf}
    made = aider(*argv, env=env, files=files)
    assert SET_ENV not in made.env
    assert "bypasses rlmc" in made.warnings[0]
    assert aider(*argv, env=env).warnings == ()


@pytest.mark.parametrize(
    ("argv", "env", "files", "upstream"),
    [
        ([], {"OPENAI_API_BASE": GATEWAY}, {}, GATEWAY),
        ([], {"OPENAI_BASE_URL": GATEWAY, "OPENAI_API_BASE": OTHER}, {}, GATEWAY),
        ([], {"AIDER_OPENAI_API_BASE": GATEWAY, "OPENAI_API_BASE": OTHER}, {}, GATEWAY),
        (["--openai-api-base", GATEWAY], {"AIDER_OPENAI_API_BASE": OTHER}, {}, GATEWAY),
        ([], {}, {f"{HOME}/.aider.conf.yml": f"openai-api-base: {GATEWAY}  # ours\n"}, GATEWAY),
        ([], {}, {f"{HOME}/.aider.conf.yml": f'openai-api-base: "{GATEWAY}"'}, GATEWAY),
        ([], {}, {f"{HOME}/.env": f"export OPENAI_API_BASE={GATEWAY} # ours"}, GATEWAY),
        (
            [],
            {},
            {
                f"{HOME}/.aider.conf.yml": f"openai-api-base: {OTHER}",
                f"{PROJECT}/.aider.conf.yml": f"openai-api-base: {GATEWAY}",
            },
            GATEWAY,
        ),
        (["--config", "c.yml"], {}, {f"{HOME}/.aider.conf.yml": f"openai-api-base: {OTHER}"}, None),
    ],
)
def test_where_it_was_pointed_becomes_the_upstream(
    argv: list[str], env: dict[str, str], files: dict[str, object], upstream: str | None
) -> None:
    made = aider(*argv, env=env, files=files)
    assert made.upstreams == ({} if upstream is None else {"openai": upstream})
    assert made.warnings == ()


def test_keys_of_a_dotenv_file_are_seen() -> None:
    made = aider(env={"OPENAI_API_KEY": "shell"}, files={f"{PROJECT}/.env": "OPENAI_API_KEY=file"})
    assert made.seen["OPENAI_API_KEY"] == "file"
    assert "OPENAI_API_KEY" not in made.env
