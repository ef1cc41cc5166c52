"""What a tool is for, by its name: the clients' own names for the same few things."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    SEARCH = "search"
    READ = "read"
    PLAN = "plan"
    EDIT = "edit"
    WRITE = "write"
    SHELL = "shell"
    OTHER = "other"


# In order of preference within a kind; compared without case.
NAMES: dict[Kind, tuple[str, ...]] = {
    Kind.SEARCH: ("Grep", "search", "grep_search", "Glob", "LS", "list"),
    Kind.READ: ("Read", "read_file", "view"),
    Kind.PLAN: ("TodoWrite",),
    Kind.EDIT: ("Edit", "replace"),
    Kind.WRITE: ("Write", "write_file"),
    Kind.SHELL: ("Bash", "shell", "run_shell_command"),
}
_KINDS = {name.lower(): kind for kind, names in NAMES.items() for name in names}


def kind_of(tool: str) -> Kind:
    return _KINDS.get(tool.lower(), Kind.OTHER)
