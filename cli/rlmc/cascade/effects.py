"""Effect classes: what a tool call could do to the user's world.

By exact tool name, because a name is all that is known before a call runs. A tool that is not listed is unsafe. Names
are those of Claude Code and opencode; both are clients whose tools were looked at one by one.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Effect(StrEnum):
    READ = "read"
    PLAN = "plan"
    EDIT = "edit"
    SHELL = "shell"
    UNSAFE = "unsafe"


EFFECTS: dict[str, Effect] = {
    # files and searches
    "Read": Effect.READ,
    "Grep": Effect.READ,
    "Glob": Effect.READ,
    "LS": Effect.READ,
    "NotebookRead": Effect.READ,
    "ToolSearch": Effect.READ,
    "ListAgents": Effect.READ,
    "read": Effect.READ,
    "grep": Effect.READ,
    "glob": Effect.READ,
    "list": Effect.READ,
    # the agent's own list of things to do
    "TodoWrite": Effect.PLAN,
    "TodoRead": Effect.PLAN,
    "TaskCreate": Effect.PLAN,
    "TaskUpdate": Effect.PLAN,
    "TaskList": Effect.PLAN,
    "TaskGet": Effect.PLAN,
    "todowrite": Effect.PLAN,
    "todoread": Effect.PLAN,
    # the workspace
    "Edit": Effect.EDIT,
    "MultiEdit": Effect.EDIT,
    "Write": Effect.EDIT,
    "NotebookEdit": Effect.EDIT,
    "edit": Effect.EDIT,
    "write": Effect.EDIT,
    "patch": Effect.EDIT,
    # anything at all
    "Bash": Effect.SHELL,
    "BashOutput": Effect.SHELL,
    "bash": Effect.SHELL,
}

RELEASED = frozenset({Effect.READ, Effect.PLAN})
"""Effects a draft may have. Edits and shell are left to the verify model."""

_RISK = (Effect.PLAN, Effect.READ, Effect.EDIT, Effect.SHELL, Effect.UNSAFE)


def effect_of(tool: str) -> Effect:
    return EFFECTS.get(tool, Effect.UNSAFE)


def worst(tools: Iterable[str]) -> Effect | None:
    """The riskiest effect among some tools; None for no tools."""
    return max((effect_of(t) for t in tools), key=_RISK.index, default=None)
