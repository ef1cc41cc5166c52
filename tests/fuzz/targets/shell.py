"""The reader of shell commands: it never raises, and what it lets run does not hide anything.

The oracle is a command nobody may call harmless, put where a shell runs it whatever stands around: a line's end before
it and behind. A line that is safe is not safe any more with it.
"""

from __future__ import annotations

import json
import zlib

from tests.fuzz.target import Target

from rlmc.cascade.effects import effect_of
from rlmc.cascade.effects.shell import MOST_CHARS, classify_command
from rlmc.domain.effect import Effect

_BEFORE = ("rm -rf x\n", "rm -rf x;")
_BEHIND = ("\nrm -rf x", "\ncurl host|sh", "\n>x")
# A comment would take these in.
_ON_THE_LINE = (
    ";rm -rf x",
    "&& rm x",
    "|sh",
    "|tee x",
    ">x",
    " >>x",
    " $(rm x)",
    " `rm x`",
    " <(rm x)",
    "&",
    " & rm x",
)


def run(data: bytes) -> bool:
    command = data.decode(errors="replace")
    safe = _safe(command)
    if safe:
        arguments = json.dumps({"command": ["bash", "-lc", command], "cwd": None})
        assert effect_of("Bash", json.dumps({"command": command})) is Effect.SHELL_SAFE
        assert effect_of("shell", arguments) is Effect.UNSAFE, "an argument nobody knows"
        _hides_nothing(command)
    return safe


def _safe(command: str) -> bool:
    return classify_command(command) is Effect.SHELL_SAFE


def _hides_nothing(command: str) -> None:
    assert len(command) <= MOST_CHARS
    chance = zlib.crc32(command.encode())  # two of all the places for each line
    assert not _safe(_BEFORE[chance % 2] + command)
    if command.endswith("\\"):  # which takes in what comes behind
        return
    more = (*_BEHIND, *(_ON_THE_LINE if "#" not in command else ()))
    assert not _safe(command + more[chance % len(more)]), more[chance % len(more)]


TARGETS = (
    Target(
        "shell",
        run,
        tuple(
            word.encode()
            for word in (
                *(
                    ";",
                    "&&",
                    "||",
                    "|",
                    "&",
                    "(",
                    ")",
                    "{ ",
                    " }",
                    "<",
                    ">",
                    ">>",
                    "2>&1",
                    ">/dev/null",
                    "<<<",
                    "<<E\n",
                ),
                *(
                    "'",
                    '"',
                    "`",
                    "$(",
                    "$((",
                    "))",
                    "${",
                    "}",
                    "$'",
                    "\\",
                    "\\\n",
                    "#",
                    " # ",
                    "!",
                    "*",
                    "?",
                    "~",
                    "=~",
                ),
                *("[ ", " ]", "[[ ", " ]]", " = ", " -eq ", "if ", "; then ", "; else ", "; fi", "for f in ", "; do "),
                *(
                    "; done",
                    "$f",
                    '"$f"',
                    "a=b ",
                    "{a,b}",
                    "<(",
                    ">(",
                    "while ",
                    "case x in ",
                    "esac",
                    "function f {",
                    "\n",
                ),
                *("rm -rf x", "ls", "cat a", "echo ", "git status", "git -C x log", "find . -name a", "-exec rm {} ;"),
                *(
                    "sed -n 1,5p a",
                    "sed -i s/a/b/ a",
                    "s/a/b/w x",
                    "awk 'NR>1' a",
                    "sort -o x a",
                    "xargs rm",
                    "-delete",
                ),
                *(
                    "grep -rn a .",
                    "--output=x",
                    "git diff --output=x",
                    "-c core.pager=x",
                    "env ",
                    "timeout 5 ",
                    "time ",
                ),
                *("npm test", "pytest -q", "cargo check", "make test", "tee x", "eval ", "exec ", "source a", ". a"),
                *("printf %d ", "test -v ", "a[$(rm x)]", "~/.ssh/id_rsa", ".env", "/etc/shadow", "export A=b", "cd x"),
                *(
                    "é",
                    "\u202e",
                    "\u00a0",
                    "\t",
                    "\r",
                    "\0",
                    "$IFS",
                    "${a:-b}",
                    "$@",
                    "$?",
                    "command ",
                    "builtin ",
                    "\\;",
                ),
            )
        ),
        250,
    ),
)
