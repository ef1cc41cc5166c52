"""Completion scripts for bash, zsh and fish, rendered from the command tree.

Rule: a script is static text. Nothing of rlmc runs when somebody presses TAB; behind `rlmc run` the completion of the
wrapped command takes over.
"""

from __future__ import annotations

from collections.abc import Callable

from rlmc.completion import bash, fish, zsh
from rlmc.completion.tree import Command
from rlmc.domain.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Shell:
    """`file` is the script's name in `completions/`; `place` is where a user's own copy goes, with `note` if that is
    not enough."""

    name: str
    file: str
    place: str
    render: Callable[[Command], str]
    note: str = ""


SHELLS: tuple[Shell, ...] = (
    Shell(
        "bash",
        "rlmc.bash",
        "~/.local/share/bash-completion/completions/rlmc",
        bash.render,
        "and have the package bash-completion; without it, source this file in ~/.bashrc",
    ),
    Shell("zsh", "_rlmc", "~/.zfunc/_rlmc", zsh.render, "and have `fpath+=(~/.zfunc)` before compinit in ~/.zshrc"),
    Shell("fish", "rlmc.fish", "~/.config/fish/completions/rlmc.fish", fish.render),
)


def find(name: str) -> Shell | None:
    return next((shell for shell in SHELLS if shell.name == name), None)
