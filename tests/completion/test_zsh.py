"""Completions in a real zsh, at the keyboard."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.support.shells import ZSH_WRAPPED, Home, type_in_zsh


def offered(home: Home, scripts: dict[str, Path], *lines: str) -> list[str]:
    (home.folder / "_rlmc").write_bytes(scripts["zsh"].read_bytes())
    return type_in_zsh(home, ZSH_WRAPPED, lines)


def test_commands_options_and_values(own_home: Home, scripts: dict[str, Path]) -> None:
    commands, keys, values, options, policies, joined, clients = offered(
        own_home,
        scripts,
        "rlmc ",
        "rlmc config set dr",
        "rlmc config set policy ",
        "rlmc run --",
        "rlmc run --policy ",
        "rlmc run --policy=",
        "rlmc run --name x --as ",
    )
    assert {"run", "start", "stats", "config", "doctor", "completions"} <= set(commands.split())
    assert "draft-model" in keys
    assert "-- The cheap model that proposes" in keys
    assert "policy" not in keys
    for words in (values, policies, joined):
        assert {"balanced", "economy", "careful", "paper", "draft-only", "verify-only"} == set(words.split())
    assert {"--draft-model", "--no-summary", "--help"} <= set(options.split())
    assert "claude" in clients
    assert not own_home.rlmc_was_run


def test_a_command_that_is_a_group_too(own_home: Home, scripts: dict[str, Path]) -> None:
    commands, options, inner = offered(own_home, scripts, "rlmc sessions ", "rlmc sessions --", "rlmc sessions rm --")
    assert commands.split()[:1] == ["rm"]
    assert {"--today", "--json"} <= set(options.split())
    assert {"--older-than", "--yes"} <= set(inner.split())


def test_the_wrapped_command_completes_itself(own_home: Home, scripts: dict[str, Path]) -> None:
    lines = ["wrapped ", "rlmc run --name x wrapped ", "rlmc run -- wrapped ", "rlmc run -- rlmc run -- wrapped "]
    alone, *wrapped = offered(own_home, scripts, *lines)
    assert alone.split() == ["wrap-one", "wrap-two"]
    assert [text.split() for text in wrapped] == [alone.split()] * 3


def test_options_end_at_the_wrapped_command(own_home: Home, scripts: dict[str, Path]) -> None:
    ours, theirs, dashes, second = offered(
        own_home, scripts, "rlmc run -", "rlmc run wrapped -", "rlmc run -- wrapped -", "rlmc run -- wrapped wrap-one "
    )
    assert "--policy" in ours
    assert theirs.split() == dashes.split() == ["--flag", "--", "a", "flag"]
    assert set(second.split()) == {"wrap-three", "wrap-four"}


def test_the_first_word_of_the_wrapped_command_is_a_command(own_home: Home, scripts: dict[str, Path]) -> None:
    for name in ("rlmc-one", "rlmc-two"):
        shutil.copy(own_home.folder / "bin" / "rlmc", own_home.folder / "bin" / name)
    plain, dashes = offered(own_home, scripts, "rlmc run rlmc-", "rlmc run -- rlmc-")
    assert plain.split() == dashes.split() == ["rlmc-one", "rlmc-two"]


def test_git_completes_as_it_does_alone(own_home: Home, scripts: dict[str, Path]) -> None:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    alone, wrapped = offered(own_home, scripts, "git chec", "rlmc run -- git chec")
    assert "checkout" in alone
    assert wrapped == alone


def test_it_can_be_sourced_too(own_home: Home, scripts: dict[str, Path]) -> None:
    (shown,) = type_in_zsh(own_home, f"source '{scripts['zsh']}'", ["rlmc config set dr"])
    assert "draft-model" in shown
