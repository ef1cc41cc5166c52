"""Completion asked of real shells: what they offer for a line with the cursor at its end.

Each shell starts without anybody's own settings, in a home of its own. `rlmc` is on its path only as a program that
leaves a trace when it is run: completions must do without it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support.terminal import Terminal

# A command with completions of its own, for each shell. It says what it was asked: its words and the cursor's.
BASH_WRAPPED = """
_wrapped() {
    COMPREPLY=("$1|$2|$3|$COMP_CWORD|${COMP_WORDS[*]}|$COMP_LINE|$COMP_POINT")
}
complete -F _wrapped wrapped
"""
ZSH_WRAPPED = """
_wrapped() { _arguments '--flag[a flag]' '1:first:(wrap-one wrap-two)' '2:second:(wrap-three wrap-four)' }
compdef _wrapped wrapped
"""
FISH_WRAPPED = """
function wrapped; end
complete -c wrapped -f -n '__fish_is_nth_token 1' -a 'wrap-one wrap-two'
complete -c wrapped -f -n '__fish_is_nth_token 2' -a 'wrap-three wrap-four'
complete -c wrapped -l flag -d 'a flag'
"""


def shell(name: str) -> str:
    """The shell's path. Without it the test is skipped; bash every machine of ours has."""
    found = shutil.which(name)
    if found is None:
        if name == "bash" and os.environ.get("CI") == "true":
            pytest.fail("bash is not installed")
        pytest.skip(f"{name} is not installed")
    return found


def bash_can(what: str) -> bool:
    """Whether this bash knows a command; macOS still has 3.2."""
    return subprocess.run([shell("bash"), "-c", what], capture_output=True).returncode == 0


@dataclass(frozen=True, slots=True)
class Home:
    """A folder to live in, and the environment that goes with it."""

    folder: Path

    @property
    def env(self) -> dict[str, str]:
        return {
            "HOME": str(self.folder),
            "ZDOTDIR": str(self.folder),
            "PATH": f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "TERM": "dumb",
            "LC_ALL": "C",
            "COLUMNS": "250",
        }

    @property
    def rlmc_was_run(self) -> bool:
        return (self.folder / "trace").exists()


def home(folder: Path) -> Home:
    program = folder / "bin" / "rlmc"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\ntouch '{folder}/trace'\n")
    program.chmod(0o755)
    return Home(folder)


def ask_bash(
    home: Home, script: Path, lines: Sequence[str], setup: str = "", shell_path: str = "bash"
) -> list[list[str]]:
    """Calls the completion function as bash does, for each line, in one shell with `set -u`."""
    asked = "\n".join(_bash_call(line) for line in lines)
    source = f"set -u\nsource '{script}'\n{setup}\n{asked}\n"
    ran = subprocess.run(
        [shell_path, "--norc", "--noprofile", "-c", source],
        env=home.env,
        cwd=home.folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ran.stderr == ""
    return [block.splitlines() for block in ran.stdout.split("\f\n")[:-1]]


def _bash_call(line: str) -> str:
    pieces = re.findall(r"[^\s=:]+|[=:]+", line)  # bash also cuts at `=` and `:`
    if line.endswith(" "):
        pieces.append("")
    word = "" if re.fullmatch("[=:]*", pieces[-1]) else pieces[-1]
    quoted = [_quoted(piece) for piece in pieces]
    return (
        f"COMP_LINE={_quoted(line)} COMP_POINT={len(line)} COMP_TYPE=9 COMP_KEY=9 COMP_WORDS=({' '.join(quoted)})\n"
        f"COMP_CWORD={len(pieces) - 1}\n_rlmc {quoted[0]} {_quoted(word)} {quoted[-2]}\n"
        'for reply in ${COMPREPLY[@]+"${COMPREPLY[@]}"}; do echo "$reply"; done; printf "\\f\\n"'
    )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def type_in_bash(home: Home, settings: str, lines: Sequence[str]) -> list[list[str]]:
    """Has an interactive bash insert all it offers for each line; the words of the line that this gives."""
    (home.folder / "bashrc").write_text(
        "cd\nPS1='READY> '\n"
        "bind 'set enable-bracketed-paste off' 2>/dev/null\nbind 'set bell-style none'\n"
        f"{settings}\n"
    )
    argv = [shell("bash"), "--noprofile", "--rcfile", str(home.folder / "bashrc"), "-i"]
    found: list[list[str]] = []
    with Terminal(argv, home.env | {"COLUMNS": "10000"}) as terminal:
        terminal.expect("READY> ")
        for line in lines:
            # Insert all completions; then turn the line into one that prints its words.
            terminal.type(f"{line}\x1b*\x01printf '<%s>' \x05; echo; echo ANS''WERED\n")
            shown = terminal.expect("ANSWERED").split("\n")
            found.append(re.findall("<(.*?)>", shown[-2]))
    return found


def type_in_zsh(home: Home, settings: str, lines: Sequence[str]) -> list[str]:
    """Has an interactive zsh list what it offers for each line."""
    (home.folder / ".zshrc").write_text(
        "cd\nPS1='READY> '\n"
        f"fpath=('{home.folder}' $fpath)\n"
        "autoload -Uz compinit; compinit -u -D\n"
        "LISTMAX=10000\nunsetopt beep\nunset zle_bracketed_paste\n"
        "_end() { zle -I; print END-OF-LIST }\nzle -N _end\n"
        "bindkey '^X^L' list-choices '^X^E' _end\n"
        f"setopt nounset\n{settings}\n"
    )
    found: list[str] = []
    with Terminal([shell("zsh"), "-i"], home.env) as terminal:
        terminal.expect("READY> ")
        for line in lines:
            terminal.type(f"{line}\x18\x0c\x18\x05")
            terminal.expect(line)
            shown = terminal.expect("END-OF-LIST").removesuffix("END-OF-LIST")
            found.append(shown.replace("\r", "").partition("READY> ")[0])
            terminal.expect("READY> ")  # from here on it reads keys again
            terminal.type("\x15print NEXT''LINE\n")
            terminal.expect("NEXTLINE")
            terminal.expect("READY> ")
    return found


def ask_fish(home: Home, setup: str, lines: Sequence[str]) -> list[list[str]]:
    """What `complete -C` says for each line: words, each with its meaning behind a tab."""
    asked = "\n".join(f"complete -C {_fish_quoted(line)}; printf '\\f\\n'" for line in lines)
    ran = subprocess.run(
        [shell("fish"), "-c", f"{setup}\n{asked}"],
        env=home.env,
        cwd=home.folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ran.stderr == ""
    return [block.splitlines() for block in ran.stdout.split("\f\n")[:-1]]


def _fish_quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
