from __future__ import annotations

from pathlib import Path

import pytest

from rlmc.commands.checks.settings import check_settings
from rlmc.config.paths import providers_dir

PROVIDERS = ("anthropic", "deepseek")


def test_no_file_is_fine(tmp_path: Path) -> None:
    checks, config = check_settings(tmp_path / "config.toml", {}, PROVIDERS)
    assert [one.status for one in checks] == ["ok"]
    assert "defaults" in checks[0].detail
    assert config is not None


def test_a_bad_file_fails_with_its_message_and_the_way_out(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("draft-modle = 1\n", encoding="utf-8")
    checks, config = check_settings(file, {}, PROVIDERS)
    assert config is None
    assert [one.status for one in checks] == ["fail"]
    assert f"{file}:1" in checks[0].detail
    assert "draft-model?" in str(checks[0].fix)


def test_unknown_variables_warn(tmp_path: Path) -> None:
    checks, _ = check_settings(tmp_path / "none", {"RLMC_PROT": "1"}, PROVIDERS)
    assert [one.status for one in checks] == ["ok", "warn"]
    assert "RLMC_PROT" in checks[1].detail


def test_a_key_in_the_clear_is_warned_of(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(
        """
        [upstream.a]
        base-url = "https://a.example"
        api-key-env = "A_KEY"
        [upstream.b]
        base-url = "http://b.example"
        api-key-env = "B_KEY"
        [upstream.c]
        base-url = "http://127.0.0.1:1"
        api-key-env = "C_KEY"
        """,
        encoding="utf-8",
    )
    checks, _ = check_settings(file, {}, PROVIDERS)
    (warned,) = [one for one in checks if one.status != "ok"]
    assert (warned.status, "upstream.b" in warned.detail) == ("warn", True)


def test_a_protocol_nobody_knows_the_address_of_fails(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[upstream.anthropic]\nprotocol = "chat"\n', encoding="utf-8")
    checks, _ = check_settings(file, {}, PROVIDERS)
    assert [one.status for one in checks] == ["ok", "fail"]
    assert "upstream.anthropic.protocol" in checks[1].detail
    assert "upstream.anthropic.base-url" in str(checks[1].fix)


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        ('base-url = "https://g.example/v1/chat/completions"', True),
        ('base-url = "https://g.example/v1/responses"', True),
        ('base-url = "https://g.example/v1"', False),
    ],
)
def test_an_address_of_an_openai_call_is_none_of_anthropics(tmp_path: Path, text: str, warned: bool) -> None:
    file = tmp_path / "config.toml"
    file.write_text(f"[upstream.anthropic]\n{text}\n[upstream.openai]\n{text}\n", encoding="utf-8")
    checks, _ = check_settings(file, {}, PROVIDERS)
    assert [(one.status, "upstream.anthropic.base-url" in one.detail) for one in checks[1:]] == [
        ("warn", True)
    ] * warned


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


def test_provider_files_are_named_and_those_that_replace_a_built_in_one_apart(tmp_path: Path) -> None:
    put("acme", OWN)
    put("zai", OWN)
    checks, _ = check_settings(tmp_path / "none", {}, PROVIDERS)
    assert [(one.status, one.detail) for one in checks[1:]] == [
        ("ok", "of your own: acme; in place of the built-in: zai")
    ]


def test_a_broken_provider_file_fails_with_the_way_out(tmp_path: Path) -> None:
    put("acme", OWN)
    file = put("beta", OWN.replace("auth", "auht"))
    checks, config = check_settings(tmp_path / "none", {}, PROVIDERS)
    assert config is None
    (failed,) = [one for one in checks if one.status == "fail"]
    assert f"{file}: endpoint 1: auht" in failed.detail
    assert failed.fix == "Did you mean auth?"


def test_a_provider_file_that_sends_a_key_in_the_clear_is_warned_of(tmp_path: Path) -> None:
    file = put("acme", OWN.replace("https", "http"))
    put("here", OWN.replace("https://api.acme.example", "http://127.0.0.1:1"))
    checks, _ = check_settings(tmp_path / "none", {}, PROVIDERS)
    (warned,) = [one for one in checks if one.status != "ok"]
    assert (warned.status, str(file) in warned.detail) == ("warn", True)
