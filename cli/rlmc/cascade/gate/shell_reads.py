"""Commands that show a file, and what they show of it: how agents read that have no tool for it.

Rule: only a command that is nothing but a look at one file, written the way models write it, and only output that is
known to be the file's and nothing else. Codex alone reads so: the edit tools of others want a file read by their own.
"""

from __future__ import annotations

import json
import re
import shlex

from rlmc.cascade.gate import numbered
from rlmc.cascade.gate.numbered import Listing
from rlmc.cascade.inner_calls import arguments_of, script_of
from rlmc.domain.chat import ToolCall
from rlmc.domain.frozen import dataclass

_SHELLS = frozenset({"exec_command", "shell", "shell_command"})
_SHELL = re.compile(r"(?:/(?:usr/)?bin/)?(?:bash|sh|zsh)")
_RUNS = frozenset({"-c", "-lc"})
_RANGE = re.compile(r"([1-9]\d{0,7}),([1-9]\d{0,7})p")
_PLAIN = re.compile(r"[\w./@+,:=-]+")
_NUMBERING = (("nl", "-ba"), ("cat", "-n"))

# How Codex heads the output of a command, and of a script.
_COMMAND_HEAD = re.compile(r"(?:[A-Z][^\n]*\n){0,6}Output:\n")
_SCRIPT_HEAD = re.compile(r"Script completed\nWall time[^\n]*\nOutput:\n\n?")
_RUNNING = "Process running with "
_HEAD = 600
# What a program says of a file it cannot read.
_SAID = re.compile(r"(?:(?:/usr)?/bin/)?(?:cat|nl|sed|head|(?:ba|z)?sh)(?:: |\[)")
_CUT = re.compile(r"\n?[^\n]*…\s?\d+ (?:tokens|chars|lines) truncated…|^Total output lines: ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ShellRead:
    """`last` is the number of the last line that is shown at most, None for the file's; `numbers` stand before them."""

    path: str
    first: int
    last: int | None
    numbers: bool


def shell_read(call: ToolCall) -> ShellRead | None:
    """What a command shows of a file; None for one that does anything else."""
    if call.name not in _SHELLS:
        return None
    given = arguments_of(call.arguments)
    command = given.get("command", given.get("cmd"))
    if isinstance(command, list):
        if len(command) != 3 or not all(isinstance(word, str) for word in command):
            return None
        if not _SHELL.fullmatch(command[0]) or command[1] not in _RUNS:
            return None
        command = command[2]
    if not isinstance(command, str):
        return None
    read = _read(command.strip())
    folder = given.get("workdir", given.get("directory"))
    if read is None or folder is None or read.path.startswith("/"):
        return read
    return ShellRead(f"{folder}/{read.path}", read.first, read.last, read.numbers) if isinstance(folder, str) else None


def shown_by(read: ShellRead, call: ToolCall, text: str) -> Listing | None:
    """The lines in a result's text. `call` is the one whose result it is: a script's is headed another way."""
    shown = _output(call, text)
    if shown is None or _SAID.match(shown):
        return None
    cut = _CUT.search(shown)
    if cut is not None:
        shown = shown[: cut.start()]
    if read.numbers:
        listing = numbered.parse(shown, None)
        return None if listing is None else Listing(listing.first, listing.lines, ended=False)
    lines = shown.split("\n")
    most = None if read.last is None else read.last - read.first + 1
    if most is not None:
        if len(lines) > 1 and not lines[-1]:
            lines.pop()
        if len(lines) > most:
            return None
    whole = cut is None and (most is None or len(lines) < most) and bool(shown)
    return Listing(read.first, tuple(lines), ended=whole) if shown else None


def _output(call: ToolCall, text: str) -> str | None:
    """What the command wrote."""
    script = script_of(call.arguments) if call.name == "exec" else None
    if script is None:
        head = _COMMAND_HEAD.match(text[:_HEAD])
        if head is not None and _RUNNING in head.group():
            return None
        return text if head is None else text[head.end() :]
    head = _SCRIPT_HEAD.match(text[:_HEAD])
    if head is None or not script.shows:
        return None
    shown = text[head.end() :]
    if script.shows == "output":
        return shown
    try:
        output = json.loads(shown)["output"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    return output if isinstance(output, str) else None


def _read(command: str) -> ShellRead | None:
    parts = command.split("|")
    if len(parts) > 2 or "\n" in command or re.search(r"[;&<>`$(){}*?\[\]~#!\\]", command):
        return None
    try:
        words = [shlex.split(part) for part in parts]
    except ValueError:
        return None
    if len(words) == 2:
        first, lines = tuple(words[0][:2]), _lines(words[1])
        path = words[0][2] if first in _NUMBERING and len(words[0]) == 3 else ""
        return ShellRead(path, *lines, numbers=True) if _is_path(path) and lines is not None else None
    match words[0]:
        case ["cat", path] if _is_path(path):
            return ShellRead(path, 1, None, numbers=False)
        case [name, option, path] if (name, option) in _NUMBERING and _is_path(path):
            return ShellRead(path, 1, None, numbers=True)
        case [*some, path] if _is_path(path) and (lines := _lines(some)) is not None:
            return ShellRead(path, *lines, numbers=False)
        case _:
            return None


def _lines(words: list[str]) -> tuple[int, int] | None:
    """The first and the last line that `sed -n` or `head` lets through."""
    match words:
        case ["sed", "-n", lines] if span := _RANGE.fullmatch(lines):
            return (int(span[1]), int(span[2])) if int(span[1]) <= int(span[2]) else None
        case ["head", "-n", count] if count.isdecimal() and int(count):
            return 1, int(count)
        case ["head", count] if re.fullmatch(r"-[1-9]\d*", count):
            return 1, int(count[1:])
        case _:
            return None


def _is_path(word: str) -> bool:
    return _PLAIN.fullmatch(word) is not None and not word.startswith("-")
