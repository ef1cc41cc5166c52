"""What a call of a file tool asks for, in one spelling for all clients.

Names and arguments are those of Claude Code and opencode. Rule: arguments that could be read in two ways are not read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from rlmc.domain.chat import ToolCall

READS = frozenset({"Read", "read"})
WRITES = frozenset({"Write", "write"})
EDITS = frozenset({"Edit", "edit", "MultiEdit"})

# Tools that leave every file as it is. Of all others nobody knows.
HARMLESS = READS | frozenset(
    {
        *("Grep", "Glob", "LS", "NotebookRead", "ToolSearch", "ListAgents", "WebFetch", "WebSearch"),
        *("TodoWrite", "TodoRead", "TaskCreate", "TaskUpdate", "TaskList", "TaskGet", "AskUserQuestion"),
        *("grep", "glob", "list", "todowrite", "todoread", "webfetch", "websearch"),
    }
)


@dataclass(frozen=True, slots=True)
class Read:
    """`limit` is the most lines asked for."""

    path: str
    limit: int | None


@dataclass(frozen=True, slots=True)
class Write:
    path: str
    content: str


@dataclass(frozen=True, slots=True)
class Replacement:
    """`everywhere` asks for every occurrence; without it there must be exactly one."""

    old: str
    new: str
    everywhere: bool


@dataclass(frozen=True, slots=True)
class Edit:
    """Replacements in their order. `takes_line` is how Claude Code deletes: a text replaced by nothing takes the line
    break behind it along."""

    path: str
    replacements: tuple[Replacement, ...]
    takes_line: bool


FileCall = Read | Write | Edit


class _Replacement(msgspec.Struct, gc=False):
    old_string: str
    new_string: str
    replace_all: bool | None = None


class _Arguments(msgspec.Struct, gc=False):
    file_path: str | UnsetType = UNSET
    file_path_camel: str | UnsetType = msgspec.field(default=UNSET, name="filePath")
    old_string: str | UnsetType = UNSET
    old_string_camel: str | UnsetType = msgspec.field(default=UNSET, name="oldString")
    new_string: str | UnsetType = UNSET
    new_string_camel: str | UnsetType = msgspec.field(default=UNSET, name="newString")
    replace_all: bool | UnsetType | None = UNSET
    replace_all_camel: bool | UnsetType | None = msgspec.field(default=UNSET, name="replaceAll")
    content: str | UnsetType = UNSET
    edits: list[_Replacement] | UnsetType = UNSET
    limit: Any = None


_DECODER = msgspec.json.Decoder(_Arguments)


def file_call(call: ToolCall) -> FileCall | None:
    """The call in words of files; None for any other tool, and for arguments that do not say what is asked for."""
    if call.name not in READS and call.name not in WRITES and call.name not in EDITS:
        return None
    try:
        given = _DECODER.decode(call.arguments)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    path = _either(given.file_path, given.file_path_camel)
    if not path:
        return None
    path = plain_path(path)
    if call.name in READS:
        return Read(path, given.limit if type(given.limit) is int else None)
    if call.name in WRITES:
        return Write(path, given.content) if isinstance(given.content, str) else None
    replacements = _many(given) if call.name == "MultiEdit" else _one(given)
    return Edit(path, replacements, takes_line=call.name != "edit") if replacements else None


def plain_path(path: str) -> str:
    """A path without its empty steps, so that one file has one name. Nothing is resolved."""
    steps = [step for step in path.split("/") if step not in ("", ".")]
    return "/" * path.startswith("/") + "/".join(steps)


def _one(given: _Arguments) -> tuple[Replacement, ...]:
    old = _either(given.old_string, given.old_string_camel)
    new = _either(given.new_string, given.new_string_camel)
    if old is None or new is None or UNSET not in (given.replace_all, given.replace_all_camel):
        return ()
    return (Replacement(old, new, True in (given.replace_all, given.replace_all_camel)),)


def _many(given: _Arguments) -> tuple[Replacement, ...]:
    if isinstance(given.edits, UnsetType):
        return ()
    return tuple(Replacement(e.old_string, e.new_string, e.replace_all is True) for e in given.edits)


def _either(one: str | UnsetType, other: str | UnsetType) -> str | None:
    """The value of an argument with two spellings; None when neither or both are there."""
    if isinstance(one, str):
        return one if isinstance(other, UnsetType) else None
    return other if isinstance(other, str) else None
