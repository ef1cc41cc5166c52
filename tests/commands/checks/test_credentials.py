from __future__ import annotations

from pathlib import Path

import pytest

from rlmc.commands.checks.check import Check
from rlmc.commands.checks.credentials import check_credentials
from rlmc.config.load import load
from rlmc.upstream.providers import names

SECRET = "sk-ant-very-secret"


def looked(folder: Path, env: dict[str, str], **settings: str) -> tuple[Check, Check]:
    flags = {name.replace("_", "-"): value for name, value in settings.items()}
    config = load(folder / "none.toml", env={}, flags=flags, providers=names())
    verify, draft = check_credentials(config.settings, env, folder / ".claude")
    assert SECRET not in repr((verify, draft))
    return verify, draft


@pytest.mark.parametrize("name", ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"])
def test_a_key_serves_both_models(tmp_path: Path, name: str) -> None:
    verify, draft = looked(tmp_path, {name: SECRET})
    assert (verify.status, draft.status) == ("ok", "ok")
    assert name in verify.detail
    assert "anthropic/claude-haiku" in draft.detail


@pytest.mark.parametrize("kind", ["file", "variable"])
def test_a_login_alone_only_passes_through(tmp_path: Path, kind: str) -> None:
    env = {"CLAUDE_CODE_OAUTH_TOKEN": SECRET} if kind == "variable" else {}
    if kind == "file":
        (tmp_path / ".claude").mkdir()
        (tmp_path / ".claude" / ".credentials.json").write_text("{}", encoding="utf-8")
    verify, draft = looked(tmp_path, env)
    assert (verify.status, draft.status) == ("warn", "warn")
    assert "passes through" in verify.detail
    assert "never used for calls of rlmc's own" in draft.detail
    assert "ANTHROPIC_API_KEY" in str(draft.fix)


def test_a_login_that_is_allowed_serves_both(tmp_path: Path) -> None:
    verify, draft = looked(tmp_path, {"CLAUDE_CODE_OAUTH_TOKEN": SECRET}, allow_login_calls="true")
    assert (verify.status, draft.status) == ("ok", "ok")
    assert "allow-login-calls" in verify.detail


def test_with_a_login_another_vendors_key_still_drafts(tmp_path: Path) -> None:
    env = {"CLAUDE_CODE_OAUTH_TOKEN": SECRET, "DEEPSEEK_API_KEY": SECRET}
    verify, draft = looked(tmp_path, env, draft_model="deepseek/deepseek-flash")
    assert (verify.status, draft.status) == ("warn", "ok")
    assert "DEEPSEEK_API_KEY is set" in draft.detail


def test_a_named_draft_model_without_its_key(tmp_path: Path) -> None:
    _, draft = looked(tmp_path, {"ANTHROPIC_API_KEY": SECRET}, draft_model="deepseek/deepseek-flash")
    assert draft.status == "warn"
    assert draft.fix == "export DEEPSEEK_API_KEY=…"


def test_nothing_at_all(tmp_path: Path) -> None:
    verify, draft = looked(tmp_path, {"ANTHROPIC_API_KEY": ""})
    assert (verify.status, draft.status) == ("warn", "warn")
    assert "ANTHROPIC_API_KEY" in str(verify.fix)


@pytest.mark.parametrize(
    "text",
    ['{"apiKeyHelper": "get-key"}', f'{{"env": {{"ANTHROPIC_API_KEY": "{SECRET}"}}}}'],
)
def test_a_key_in_claude_codes_settings_counts(tmp_path: Path, text: str) -> None:
    (tmp_path / ".claude").mkdir()
    (tmp_path / ".claude" / "settings.json").write_text(text, encoding="utf-8")
    verify, draft = looked(tmp_path, {})
    assert (verify.status, draft.status) == ("ok", "ok")


@pytest.mark.parametrize("text", ["", "[1]", "{", '{"env": 5}'])
def test_damaged_settings_of_claude_code_count_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / ".claude").mkdir()
    (tmp_path / ".claude" / "settings.json").write_text(text, encoding="utf-8")
    assert looked(tmp_path, {})[0].status == "warn"


def test_models_without_a_key(tmp_path: Path) -> None:
    verify, draft = looked(tmp_path, {}, verify_model="sim/verify", draft_model="ollama/qwen3")
    assert (verify.status, draft.status) == ("ok", "ok")


def test_a_provider_of_ones_own(tmp_path: Path) -> None:
    flags = {"upstream.mine.base-url": "http://127.0.0.1:1", "draft_model": "mine/x"}
    assert looked(tmp_path, {}, **flags)[1].status == "ok"
    flags["upstream.mine.api-key-env"] = "MINE"
    assert looked(tmp_path, {}, **flags)[1].fix == "export MINE=…"
    assert looked(tmp_path, {"MINE": SECRET}, **flags)[1].status == "ok"


def test_drafting_off_and_no_default(tmp_path: Path) -> None:
    assert looked(tmp_path, {}, draft_model="none")[1].status == "ok"
    _, draft = looked(tmp_path, {"DEEPSEEK_API_KEY": SECRET}, verify_model="deepseek/deepseek-pro")
    assert draft.status == "warn"
    assert "draft-model" in str(draft.fix)


def test_openais_key_alone_serves_its_own_agents(tmp_path: Path) -> None:
    verify, draft = looked(tmp_path, {"OPENAI_API_KEY": SECRET})
    assert (verify.status, draft.status) == ("ok", "ok")
    assert "OPENAI_API_KEY is set" in verify.detail
    assert draft.detail == "openai/gpt-6-luna; OPENAI_API_KEY is set"


def test_beside_a_credential_of_anthropics_openais_key_says_nothing(tmp_path: Path) -> None:
    verify, draft = looked(tmp_path, {"OPENAI_API_KEY": SECRET, "ANTHROPIC_API_KEY": SECRET})
    assert "ANTHROPIC_API_KEY" in verify.detail
    assert "claude-haiku" in draft.detail
