"""Completions in a real bash."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.support.shells import BASH_WRAPPED, Home, ask_bash, bash_can, shell, type_in_bash

POLICIES = ["balanced", "economy", "careful", "paper", "draft-only", "verify-only"]
# $BASH_COMPLETION may name one that is unpacked but not installed.
PACKAGE_FILES = [
    Path(os.environ.get("BASH_COMPLETION") or "/usr/share/bash-completion/bash_completion"),
    Path("/usr/local/share/bash-completion/bash_completion"),
    Path("/opt/homebrew/share/bash-completion/bash_completion"),
]
GIT_FILES = [Path("/usr/share/bash-completion/completions/git"), Path("/usr/share/git/completion/git-completion.bash")]


def ask(home: Home, scripts: dict[str, Path], *lines: str, setup: str = BASH_WRAPPED) -> list[list[str]]:
    return ask_bash(home, scripts["bash"], lines, setup, shell("bash"))


def one_of(files: list[Path], what: str) -> Path:
    found = next((file for file in files if file.is_file()), None)
    if found is None:
        pytest.skip(f"{what} is not installed")
    return found


def test_commands_options_and_values(own_home: Home, scripts: dict[str, Path]) -> None:
    commands, config, keys, values, options, shells = ask(
        own_home,
        scripts,
        "rlmc ",
        "rlmc config ",
        "rlmc config set dr",
        "rlmc config set policy ",
        "rlmc run --dr",
        "rlmc completions ",
    )
    assert {"run", "start", "stats", "config", "doctor", "completions"} <= set(commands)
    assert config == ["list", "get", "set", "unset", "edit", "path", "statusline"]
    assert keys == ["draft-model", "draft-timeout", "draft-breaker"]
    assert sorted(values) == sorted(POLICIES)
    assert options == ["--draft-model"]
    assert shells == ["bash", "zsh", "fish"]
    assert not own_home.rlmc_was_run


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("rlmc run --policy ", POLICIES),
        ("rlmc run --policy ba", ["balanced"]),
        ("rlmc run --policy=", POLICIES),
        ("rlmc run --policy=ba", ["balanced"]),
        ("rlmc run --name x --policy ba", ["balanced"]),
        ("rlmc run --draft-model ollama/qwen3:8b --policy=ba", ["balanced"]),
        ("rlmc --debug   config   get   po", ["policy", "port"]),
        ("rlmc config get -- po", ["policy", "port"]),
        ("rlmc config get policy ", []),
        ("rlmc run --name ", []),
        ("rlmc sessions ", ["rm"]),
        ("rlmc sessions --tod", ["--today"]),
        ("rlmc sessions --all --js", ["--json"]),
        ("rlmc sessions rm --old", ["--older-than"]),
        ("rlmc sessions --since rm ", ["rm"]),
        ("rlmc nonsense ", []),
        ("rlmc config nonsense ", []),
        ("rlmc run --policy=nonsense", []),
    ],
)
def test_the_word_under_the_cursor(own_home: Home, scripts: dict[str, Path], line: str, offered: list[str]) -> None:
    assert ask(own_home, scripts, line) == [offered]


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ("rlmc run wrapped ", "wrapped||wrapped|1|wrapped |wrapped |8"),
        ("rlmc run -- wrapped ", "wrapped||wrapped|1|wrapped |wrapped |8"),
        ("rlmc run --name run -- wrapped a b", "wrapped|b|a|2|wrapped a b|wrapped a b|11"),
        ("rlmc   run  --no-summary  wrapped   a  b", "wrapped|b|a|2|wrapped a b|wrapped   a  b|14"),
        ("rlmc run --policy=paper wrapped --policy", "wrapped|--policy|wrapped|1|wrapped --policy|wrapped --policy|16"),
        ("rlmc run --draft-model a/b:8 wrapped --x=y", "wrapped|y|=|3|wrapped --x = y|wrapped --x=y|13"),
        ("rlmc run -- /opt/it/wrapped -- a", "/opt/it/wrapped|a|--|2|/opt/it/wrapped -- a|/opt/it/wrapped -- a|20"),
        ("rlmc run -- rlmc run wrapped a", "wrapped|a|wrapped|1|wrapped a|wrapped a|9"),
    ],
)
def test_the_wrapped_command_sees_itself_alone(own_home: Home, scripts: dict[str, Path], line: str, seen: str) -> None:
    assert ask(own_home, scripts, line) == [[seen]]


def test_the_first_word_of_the_wrapped_command_is_a_command(own_home: Home, scripts: dict[str, Path]) -> None:
    plain, dashes, again = ask(own_home, scripts, "rlmc run rlm", "rlmc run --name x -- rlm", "rlmc run -- rlmc ru")
    assert "rlmc" in plain
    assert "rlmc" in dashes
    assert again == ["run"]
    assert not own_home.rlmc_was_run


def test_commands_completed_by_words_or_by_a_program(own_home: Home, scripts: dict[str, Path]) -> None:
    setup = """
    complete -W 'one two three' lister
    completer() { echo "$COMP_LINE/$COMP_POINT/$1/$2/$3"; }
    complete -C completer progger
    """
    lister, progger = ask(own_home, scripts, "rlmc run lister t", "rlmc run progger a b", setup=setup)
    assert lister == ["two", "three"]
    assert progger == ["progger a b/11/progger/b/a"]


def test_a_completion_that_is_loaded_when_it_is_needed(own_home: Home, scripts: dict[str, Path]) -> None:
    if not bash_can("complete -D -F x"):
        pytest.skip("this bash loads no completions on demand (complete -D)")
    setup = """
    _late() { COMPREPLY=("late for $1"); }
    _load() { complete -F _late "$1"; return 124; }
    complete -D -F _load
    """
    lines = ["rlmc run -- later ", "rlmc run -- later ", "rlmc run -- x/later "]
    assert ask(own_home, scripts, *lines, setup=setup) == [["late for later"], ["late for later"], ["late for x/later"]]


def test_a_line_is_never_run(own_home: Home, scripts: dict[str, Path]) -> None:
    """Loaders register whatever name the line has, and bash's own listing of these names is not always quoted."""
    setup = '_none() { :; }\n_load() { complete -F _none -- "$1"; return 124; }\ncomplete -D -F _load 2>/dev/null || :'
    lines = ["rlmc run -- $(touch${IFS}pwned) a", "rlmc run -- `touch${IFS}pwned` a", "rlmc run x;touch${IFS}pwned a"]
    ask(own_home, scripts, *lines, *lines, setup=setup)
    assert not (own_home.folder / "pwned").exists()


def test_at_the_keyboard(own_home: Home, scripts: dict[str, Path]) -> None:
    (own_home.folder / "sub folder").mkdir()
    settings = f"source '{scripts['bash']}'\n_wrapped() {{ COMPREPLY=(wrap-one); }}\ncomplete -F _wrapped wrapped"
    lines = {
        "rlmc config set dr": ["rlmc", "config", "set", "draft-breaker", "draft-model", "draft-timeout"],
        "rlmc run --policy=ba": ["rlmc", "run", "--policy=balanced"],
        'rlmc run --policy "ba': ["rlmc", "run", "--policy", "balanced"],
        "rlmc run -- wrapped wr": ["rlmc", "run", "--", "wrapped", "wrap-one"],
        'rlmc run --name "a name" wrapped wr': ["rlmc", "run", "--name", "a name", "wrapped", "wrap-one"],
        "rlmc run -- unknown su": ["rlmc", "run", "--", "unknown", "sub folder"],
        "rlmc run -- bin/rl": ["rlmc", "run", "--", "bin/rlmc"],
    }
    assert type_in_bash(own_home, settings, list(lines)) == list(lines.values())
    assert not own_home.rlmc_was_run


def test_git_completes_as_it_does_alone(own_home: Home, scripts: dict[str, Path]) -> None:
    git = one_of(GIT_FILES, "git's own completion for bash")
    settings = f"source '{git}'\nsource '{scripts['bash']}'"
    alone, wrapped = type_in_bash(own_home, settings, ["git chec", "rlmc run --name x -- git chec"])
    assert "checkout" in alone
    assert wrapped == ["rlmc", "run", "--name", "x", "--", *alone]


def test_with_the_package_bash_completion(own_home: Home, scripts: dict[str, Path]) -> None:
    package = one_of(PACKAGE_FILES, "bash-completion")
    if not bash_can("complete -D -F x"):
        pytest.skip("this bash is too old for bash-completion")
    user_folder = own_home.folder / ".local/share/bash-completion/completions"
    user_folder.mkdir(parents=True)
    (user_folder / "rlmc").write_bytes(scripts["bash"].read_bytes())
    (user_folder / "later").write_text("_later() { COMPREPLY=(loaded); }\ncomplete -F _later later\n")
    lines = ["rlmc config set dr", "rlmc run --policy=ba", "rlmc run -- later lo", "sudo rlmc run -- later lo"]
    assert type_in_bash(own_home, f"source '{package}'", lines) == [
        ["rlmc", "config", "set", "draft-breaker", "draft-model", "draft-timeout"],
        ["rlmc", "run", "--policy=balanced"],
        ["rlmc", "run", "--", "later", "loaded"],
        ["sudo", "rlmc", "run", "--", "later", "loaded"],
    ]
