"""Completions in a real fish."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.support.shells import FISH_WRAPPED, Home, ask_fish


def offered(home: Home, scripts: dict[str, Path], *lines: str) -> list[list[str]]:
    """The words without their meanings."""
    return [[line.partition("\t")[0] for line in lines] for lines in described(home, scripts, *lines)]


def described(home: Home, scripts: dict[str, Path], *lines: str) -> list[list[str]]:
    folder = home.folder / ".config/fish/completions"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rlmc.fish").write_bytes(scripts["fish"].read_bytes())
    return ask_fish(home, FISH_WRAPPED, lines)


def test_commands_options_and_values(own_home: Home, scripts: dict[str, Path]) -> None:
    commands, keys, values, options, policies, joined, name, nothing = offered(
        own_home,
        scripts,
        "rlmc ",
        "rlmc config set dr",
        "rlmc config set policy ",
        "rlmc run --",
        "rlmc run --policy ",
        "rlmc run --policy=b",
        "rlmc run --name ",
        "rlmc nonsense ",
    )
    assert {"run", "start", "stats", "config", "doctor", "completions"} <= set(commands)
    assert keys == ["draft-breaker", "draft-model", "draft-timeout"]
    assert (
        sorted(values) == sorted(policies) == ["balanced", "careful", "draft-only", "economy", "paper", "verify-only"]
    )
    assert {"--draft-model", "--no-summary", "--help"} <= set(options)
    assert joined == ["--policy=balanced"]
    assert name == nothing == []
    assert not own_home.rlmc_was_run


def test_a_command_that_is_a_group_too(own_home: Home, scripts: dict[str, Path]) -> None:
    commands, options, inner = offered(own_home, scripts, "rlmc sessions ", "rlmc sessions --", "rlmc sessions rm --")
    assert commands == ["rm"]
    assert {"--today", "--json"} <= set(options)
    assert {"--older-than", "--yes"} <= set(inner)


def test_words_come_with_their_meaning(own_home: Home, scripts: dict[str, Path]) -> None:
    keys, commands = described(own_home, scripts, "rlmc config get draft-m", "rlmc config pa")
    assert keys == ["draft-model\tThe cheap model that proposes"]
    assert commands == ["path\tWhere the file is"]


@pytest.mark.parametrize(
    "start",
    ["rlmc run", "rlmc run --", "rlmc run --name x --policy=paper", "rlmc run -- rlmc run", "rlmc run --as x --"],
)
def test_the_wrapped_command_completes_itself(own_home: Home, scripts: dict[str, Path], start: str) -> None:
    first, second, flag = offered(
        own_home, scripts, f"{start} wrapped ", f"{start} wrapped 'a b' wrap", f"{start} wrapped --"
    )
    assert first == ["wrap-one", "wrap-two"]
    assert sorted(second) == ["wrap-four", "wrap-three"]
    assert flag == ["--flag"]


def test_the_first_word_of_the_wrapped_command_is_a_command(own_home: Home, scripts: dict[str, Path]) -> None:
    shutil.copy(own_home.folder / "bin" / "rlmc", own_home.folder / "bin" / "rlmc-other")
    plain, dashes, dashed = offered(own_home, scripts, "rlmc run rlmc-", "rlmc run -- rlmc-", "rlmc run -- -")
    assert plain == dashes == ["rlmc-other"]
    assert dashed == []


def test_git_completes_as_it_does_alone(own_home: Home, scripts: dict[str, Path]) -> None:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    alone, wrapped = described(own_home, scripts, "git check", "rlmc run -- git check")
    assert "checkout" in [line.partition("\t")[0] for line in alone]
    assert wrapped == alone
