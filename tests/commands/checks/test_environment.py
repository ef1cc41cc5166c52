from __future__ import annotations

import json
from pathlib import Path

import pytest

from rlmc.commands.checks.check import Check
from rlmc.commands.checks.environment import check_environment, claude_settings, shown_url


def looked(env: dict[str, str]) -> Check:
    (check,) = check_environment(env, {})
    return check


def test_nothing_to_say() -> None:
    assert looked({"PATH": "/bin", "HTTPS_PROXY": "http://p:1", "CLAUDE_CODE_USE_BEDROCK": "0"}).status == "ok"


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_proxy_without_the_exception_for_loopback(name: str) -> None:
    env = {name: "http://user:secret@proxy:3128", "NO_PROXY": "example.com"}
    check = looked(env)
    assert check.status == "warn"
    assert name in check.detail
    assert "secret" not in repr(check)
    assert "NO_PROXY" in str(check.fix)
    assert looked(env | {"no_proxy": "a, 127.0.0.1"}).status == "ok"
    assert looked(env | {"NO_PROXY": "*"}).status == "ok"


def test_a_base_url_that_is_set_becomes_the_upstream() -> None:
    check = looked({"ANTHROPIC_BASE_URL": "https://user:secret@gw.example.com:8443/path?key=secret"})
    assert check.status == "ok"
    assert "https://gw.example.com:8443;" in check.detail
    assert "secret" not in check.detail


def test_openais_base_urls_are_looked_at_as_well() -> None:
    env = {
        "OPENAI_BASE_URL": "https://o.example/v1",
        "OPENAI_API_BASE": "http://127.0.0.1:4711/s/token-of-the-session/v1",
    }
    inside, theirs = check_environment(env, {})
    assert "not chained" in inside.detail
    assert theirs.detail == "OPENAI_BASE_URL is https://o.example; `rlmc run` makes it the upstream"


def test_inside_a_run_the_token_is_not_shown() -> None:
    check = looked({"ANTHROPIC_BASE_URL": "http://127.0.0.1:4711/s/token-of-the-session"})
    assert check.status == "ok"
    assert "token-of" not in check.detail
    assert "not chained" in check.detail


@pytest.mark.parametrize(
    ("name", "cloud"),
    [
        ("CLAUDE_CODE_USE_BEDROCK", "Bedrock"),
        ("CLAUDE_CODE_USE_VERTEX", "Vertex"),
        ("CLAUDE_CODE_USE_FOUNDRY", "Foundry"),
        ("CLAUDE_CODE_USE_ANTHROPIC_AWS", "AWS"),
    ],
)
def test_a_cloud_passes_rlmc_by(name: str, cloud: str) -> None:
    check = looked({name: "1"})
    assert check.status == "fail"
    assert cloud in check.detail
    assert name in str(check.fix)


def test_quiet_traffic_warns() -> None:
    check = looked({"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "true"})
    assert check.status == "warn"
    assert "auto mode" in check.detail


def test_settings_of_claude_code(tmp_path: Path) -> None:
    user, project = tmp_path / "home" / ".claude", tmp_path / "project"
    files = list(claude_settings(user, project))
    assert files[:3] == [
        user / "settings.json",
        project / ".claude" / "settings.json",
        project / ".claude" / "settings.local.json",
    ]
    for file in files[:3]:
        file.parent.mkdir(parents=True, exist_ok=True)
    files[0].write_text(
        json.dumps({"env": {"ANTHROPIC_BASE_URL": "https://gw.example.com/t/secret"}}), encoding="utf-8"
    )
    files[1].write_text("{", encoding="utf-8")
    files[2].write_text(json.dumps({"env": {"CLAUDE_CODE_USE_VERTEX": 1}}), encoding="utf-8")
    checks = check_environment({}, dict.fromkeys(files[:3], False))
    assert [one.status for one in checks] == ["warn", "fail"]
    assert str(files[0]) in checks[0].detail
    assert "https://gw.example.com," in checks[0].detail
    assert "secret" not in checks[0].detail
    assert str(files[2]) in checks[1].detail


def test_an_administrators_settings_cannot_be_overridden(tmp_path: Path) -> None:
    assert list(claude_settings(tmp_path, tmp_path).values()) == [False, False, False, True]
    file = tmp_path / "managed-settings.json"
    file.write_text(json.dumps({"env": {"ANTHROPIC_BASE_URL": "https://gw"}}), encoding="utf-8")
    assert [one.status for one in check_environment({}, {file: True})] == ["fail"]


@pytest.mark.parametrize("url", ["", "gw.example.com", "http://[", "http://x:99999"])
def test_what_is_no_url(url: str) -> None:
    assert shown_url(url) == "something that is no URL"
