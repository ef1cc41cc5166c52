"""What a call of a file tool asks for, in one spelling for all clients.

Names and arguments are those of Claude Code, opencode, Codex and qwen-code. Rule: arguments that could be read in two
ways are not read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from rlmc.cascade.effects.tools import PATCHES
from rlmc.cascade.gate.shell_reads import ShellRead, shell_read
from rlmc.cascade.inner_calls import arguments_of
from rlmc.cascade.patches import Added, Change, Removed, Updated, read_patch
from rlmc.domain.chat import ToolCall
from rlmc.domain.frozen import dataclass

READS = frozenset({"Read", "read", "read_file"})
WRITES = frozenset({"Write", "write", "write_file"})
EDITS = frozenset({"Edit", "edit", "MultiEdit"})

# Tools that leave every file as it is. Of all others nobody knows.
HARMLESS = READS | frozenset(
    {
        *("Grep", "Glob", "LS", "NotebookRead", "ToolSearch", "ListAgents", "WebFetch", "WebSearch"),
        *("TodoWrite", "TodoRead", "TaskCreate", "TaskUpdate", "TaskList", "TaskGet", "AskUserQuestion"),
        *("grep", "glob", "list", "todowrite", "todoread", "webfetch", "websearch"),
        *("grep_search", "list_directory", "read_many_files", "todo_write", "tool_search", "web_fetch", "list_agents"),
        *("update_plan", "view_image", "wait", "clock__sleep", "get_goal"),
    }
)


@dataclass(frozen=True, slots=True)
class Read:
    """`limit` is the most lines asked for. `plain` says that the result is lines without numbers, the `whole` file's or
    those of a `window`; `shell` how a command shows them."""

    path: str
    limit: int | None
    plain: Literal["whole", "window"] | None = None
    shell: ShellRead | None = None


@dataclass(frozen=True, slots=True)
class Write:
    path: str
    content: str


@dataclass(frozen=True, slots=True)
class Replacement:
    """`everywhere` asks for every occurrence; without it there must be exactly one. `place` is a line that must come
    before it; `at_end` nothing may come behind it."""

    old: str
    new: str
    everywhere: bool
    place: str = ""
    at_end: bool = False


@dataclass(frozen=True, slots=True)
class Edit:
    """Replacements in their order. `takes_line` is how Claude Code deletes: a text replaced by nothing takes the line
    break behind it along. Of `whole_lines` the first that fit behind the replacement before are meant."""

    path: str
    replacements: tuple[Replacement, ...]
    takes_line: bool
    whole_lines: bool = False


@dataclass(frozen=True, slots=True)
class Gone:
    """The file is taken away, gets another name, or is changed in a way that cannot be followed."""

    path: str


FileCall = Read | Write | Edit | Gone


class _Replacement(msgspec.Struct, gc=False):
    old_string: str
    new_string: str
    replace_all: bool | None = None


class _Arguments(msgspec.Struct, gc=False):
    file_path: str | UnsetType = UNSET
    file_path_camel: str | UnsetType = msgspec.field(default=UNSET, name="filePath")
    absolute_path: str | UnsetType = UNSET
    old_string: str | UnsetType = UNSET
    old_string_camel: str | UnsetType = msgspec.field(default=UNSET, name="oldString")
    new_string: str | UnsetType = UNSET
    new_string_camel: str | UnsetType = msgspec.field(default=UNSET, name="newString")
    replace_all: bool | UnsetType | None = UNSET
    replace_all_camel: bool | UnsetType | None = msgspec.field(default=UNSET, name="replaceAll")
    content: str | UnsetType = UNSET
    edits: list[_Replacement] | UnsetType = UNSET
    limit: Any = None
    offset: Any = None
    pages: Any = None


_DECODER = msgspec.json.Decoder(_Arguments)


def file_calls(call: ToolCall, root: str = "") -> tuple[FileCall, ...]:
    """The call in words of files; empty for any other tool, and for arguments that do not say what is asked for. Paths
    that do not begin at the top begin at `root`."""
    if call.name in PATCHES:
        return _patched(call, root)
    if (read := shell_read(call)) is not None:
        return (Read(_from(root, read.path), None, shell=read),)
    if call.name not in READS and call.name not in WRITES and call.name not in EDITS:
        return ()
    try:
        given = _DECODER.decode(call.arguments)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return ()
    path = _only(given.file_path, given.file_path_camel, given.absolute_path)
    asked = None if not path else _asked(call.name, _from(root, path), given)
    return () if asked is None else (asked,)


def _asked(name: str, path: str, given: _Arguments) -> FileCall | None:
    if name == "read_file":
        windowed = given.offset not in (None, 0) or given.limit is not None or given.pages is not None
        return Read(path, None, plain="window" if windowed else "whole")
    if name in READS:
        return Read(path, given.limit if type(given.limit) is int else None)
    if name in WRITES:
        return Write(path, given.content) if isinstance(given.content, str) else None
    replacements = _many(given) if name == "MultiEdit" else _one(given)
    return Edit(path, replacements, takes_line=name != "edit") if replacements else None


def _patched(call: ToolCall, root: str) -> tuple[FileCall, ...]:
    given = arguments_of(call.arguments)
    text = _only(given.get("input", UNSET), given.get("patchText", UNSET))
    changes = read_patch(text) if text is not None else None
    # opencode takes a place without the blanks around it.
    place = str.strip if "patchText" in given else str
    return tuple(asked for change in changes or () for asked in _changed(change, root, place))


def _changed(change: Change, root: str, place: Callable[[str], str]) -> tuple[FileCall, ...]:
    path = _from(root, change.path)
    match change:
        case Added(text=text):
            return (Write(path, text),)
        case Removed():
            return (Gone(path),)
        case Updated(chunks=chunks, moved_to=moved_to):
            if moved_to:
                return (Gone(path), Gone(_from(root, moved_to)))
            # Where lines are only put in, or give way to one empty line, the texts do not tell what becomes of them.
            if not all(chunk.old and chunk.new != ("",) for chunk in chunks):
                return (Gone(path),)
            replacements = (
                Replacement("\n".join(c.old), "\n".join(c.new), everywhere=False, place=place(c.place), at_end=c.at_end)
                for c in chunks
            )
            return (Edit(path, tuple(replacements), takes_line=True, whole_lines=True),)


def _from(root: str, path: str) -> str:
    return plain_path(path if path.startswith("/") or not root else f"{root}/{path}")


def plain_path(path: str) -> str:
    """A path without its empty steps, so that one file has one name. Nothing is resolved."""
    steps = [step for step in path.split("/") if step not in ("", ".")]
    return "/" * path.startswith("/") + "/".join(steps)


def _one(given: _Arguments) -> tuple[Replacement, ...]:
    old = _only(given.old_string, given.old_string_camel)
    new = _only(given.new_string, given.new_string_camel)
    if old is None or new is None or UNSET not in (given.replace_all, given.replace_all_camel):
        return ()
    return (Replacement(old, new, True in (given.replace_all, given.replace_all_camel)),)


def _many(given: _Arguments) -> tuple[Replacement, ...]:
    if isinstance(given.edits, UnsetType):
        return ()
    return tuple(Replacement(e.old_string, e.new_string, e.replace_all is True) for e in given.edits)


def _only(*spellings: Any) -> str | None:
    """The value of an argument with several spellings; None when none is there, or more than one."""
    told = [value for value in spellings if value is not UNSET]
    return told[0] if len(told) == 1 and isinstance(told[0], str) else None
