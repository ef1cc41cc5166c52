from __future__ import annotations

from pathlib import Path

from rlmc.commands.checks.settings import check_settings

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


def test_base_urls_that_will_not_do_what_was_meant(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(
        """
        [upstream.a]
        base-url = "https://a.example/v1"
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
    warned = [one for one in checks if one.status == "warn"]
    assert ["upstream.a" in warned[0].detail, "upstream.b" in warned[1].detail] == [True, True]
    assert warned[0].fix == "rlmc config set upstream.a.base-url https://a.example"
    assert len(warned) == 2
