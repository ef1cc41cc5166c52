"""What a known tool is for, by its exact name. A tool that is not listed is nobody's: it is unsafe.

Names are those of Claude Code, opencode, Codex and qwen-code, clients whose tools were looked at one by one. What makes
a tool of a request the known one of its name stands in declared.py.
"""

from __future__ import annotations

from rlmc.domain.effect import Effect

SHELLS = frozenset(
    {
        *("Bash", "bash"),
        *("exec_command", "shell", "shell_command"),  # Codex
        "run_shell_command",  # qwen-code
    }
)
"""Tools that run a command: what they do is read from it."""

PATCHES = frozenset({"apply_patch"})  # Codex, opencode
"""Tools that change files as a patch says: what they do is read from it."""

CALLERS = frozenset({"exec", "tool_call"})  # Codex, qwen-code
"""Tools that only call others: what they do is what these do."""

WAITS = frozenset({"wait"})  # Codex
"""Tools that wait for what still runs."""

TOOLS: dict[str, Effect] = {
    # files and searches
    "Read": Effect.READ,
    "Grep": Effect.READ,
    "Glob": Effect.READ,
    "LS": Effect.READ,
    "NotebookRead": Effect.READ,
    "ToolSearch": Effect.READ,
    "ListAgents": Effect.READ,
    "BashOutput": Effect.READ,
    "TaskOutput": Effect.READ,
    "read": Effect.READ,
    "grep": Effect.READ,
    "glob": Effect.READ,
    "list": Effect.READ,
    "read_file": Effect.READ,
    "read_many_files": Effect.READ,
    "list_directory": Effect.READ,
    "list_dir": Effect.READ,
    "grep_search": Effect.READ,
    "grep_files": Effect.READ,
    "search_file_content": Effect.READ,
    "tool_search": Effect.READ,
    "view_image": Effect.READ,
    "list_agents": Effect.READ,
    # the agent's own list of things to do
    "TodoWrite": Effect.PLAN,
    "TodoRead": Effect.PLAN,
    "TaskCreate": Effect.PLAN,
    "TaskUpdate": Effect.PLAN,
    "TaskList": Effect.PLAN,
    "TaskGet": Effect.PLAN,
    "todowrite": Effect.PLAN,
    "todoread": Effect.PLAN,
    "todo_write": Effect.PLAN,
    "update_plan": Effect.PLAN,
    "get_goal": Effect.PLAN,
    "clock__sleep": Effect.PLAN,
    # the workspace
    "Edit": Effect.EDIT,
    "MultiEdit": Effect.EDIT,
    "Write": Effect.EDIT,
    "NotebookEdit": Effect.EDIT,
    "edit": Effect.EDIT,
    "multiedit": Effect.EDIT,
    "write": Effect.EDIT,
    "patch": Effect.EDIT,
    "replace": Effect.EDIT,
    "write_file": Effect.EDIT,
    "notebook_edit": Effect.EDIT,
}

KNOWN = SHELLS | PATCHES | CALLERS | WAITS | TOOLS.keys()
"""All names that mean something here."""
