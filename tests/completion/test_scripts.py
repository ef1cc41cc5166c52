"""What holds for the scripts of all shells."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.support.shells import shell

from rlmc.completion import SHELLS, Shell, find
from rlmc.completion.tree import Command

COMMITTED = Path(__file__).parents[2] / "completions"
each_shell = pytest.mark.parametrize("one", SHELLS, ids=lambda one: one.name)


@each_shell
def test_the_committed_script_is_what_the_commands_give(one: Shell, rlmc_tree: Command) -> None:
    same = (COMMITTED / one.file).read_text(encoding="utf-8") == one.render(rlmc_tree)
    assert same, "the commands have changed; render the scripts anew: rlmc completions --write completions/"


def test_nothing_else_is_committed() -> None:
    assert {file.name for file in COMMITTED.iterdir()} == {one.file for one in SHELLS}


@each_shell
def test_a_script_names_every_command_and_every_option(one: Shell, rlmc_tree: Command) -> None:
    text = one.render(rlmc_tree)
    for command in rlmc_tree.walk():
        assert all(part in text for part in command.path)
        for name in (name for option in command.options for name in option.names):
            assert (name if one.name != "fish" else f" {name.lstrip('-')} ") in text


@each_shell
def test_the_shell_reads_it_without_complaint(one: Shell, scripts: dict[str, Path]) -> None:
    ran = subprocess.run([shell(one.name), "-n", scripts[one.name]], capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_shells_are_found_by_name() -> None:
    assert [find(one.name) for one in SHELLS] == list(SHELLS)
    assert find("tcsh") is None
