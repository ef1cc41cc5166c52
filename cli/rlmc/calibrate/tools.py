"""The tools of Claude Code, in our own words: most transcripts hold calls, not the tools a model was offered.

Rule: a tool nobody here knows takes any arguments. What a call could do is told by its name, as always.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Json = dict[str, Any]

_TEXT: Json = {"type": "string"}
_WHOLE: Json = {"type": "integer"}
_FLAG: Json = {"type": "boolean"}
_TEXTS: Json = {"type": "array", "items": _TEXT}
_STATUS: Json = {"type": "string", "enum": ["pending", "in_progress", "completed"]}
_TODO: Json = {
    "type": "object",
    "properties": {"content": _TEXT, "status": _STATUS, "activeForm": _TEXT},
    "required": ["content", "status", "activeForm"],
}
_EDIT: Json = {
    "type": "object",
    "properties": {"old_string": _TEXT, "new_string": _TEXT, "replace_all": _FLAG},
    "required": ["old_string", "new_string"],
}

# What it does, its arguments, how many of them, from the first on, it needs.
_KNOWN: dict[str, tuple[str, Json, int]] = {
    "Read": (
        "Shows a file with line numbers. Give an absolute path; offset and limit choose lines of a long file.",
        {"file_path": _TEXT, "offset": _WHOLE, "limit": _WHOLE, "pages": _TEXT},
        1,
    ),
    "Edit": (
        "Replaces old_string by new_string in a file that was read before. old_string has to occur exactly once, "
        "without the line numbers, unless replace_all is set.",
        {"file_path": _TEXT, "old_string": _TEXT, "new_string": _TEXT, "replace_all": _FLAG},
        3,
    ),
    "MultiEdit": (
        "Makes several replacements in one file, one after the other.",
        {"file_path": _TEXT, "edits": {"type": "array", "items": _EDIT}},
        2,
    ),
    "Write": ("Writes a whole file.", {"file_path": _TEXT, "content": _TEXT}, 2),
    "NotebookEdit": (
        "Changes a cell of a notebook.",
        {"notebook_path": _TEXT, "new_source": _TEXT, "cell_id": _TEXT, "cell_type": _TEXT, "edit_mode": _TEXT},
        2,
    ),
    "Bash": (
        "Runs a shell command in the working directory. timeout is in milliseconds.",
        {"command": _TEXT, "description": _TEXT, "timeout": {"type": "number"}, "run_in_background": _FLAG},
        1,
    ),
    "Glob": ("Lists files by a pattern such as **/*.py.", {"pattern": _TEXT, "path": _TEXT}, 1),
    "Grep": (
        "Searches files for a regular expression. output_mode says what to show of them.",
        {
            "pattern": _TEXT,
            "path": _TEXT,
            "glob": _TEXT,
            "type": _TEXT,
            "output_mode": {"type": "string", "enum": ["content", "files_with_matches", "count"]},
            "-A": _WHOLE,
            "-B": _WHOLE,
            "-C": _WHOLE,
            "-n": _FLAG,
            "-i": _FLAG,
            "multiline": _FLAG,
            "head_limit": _WHOLE,
            "offset": _WHOLE,
        },
        1,
    ),
    "LS": ("Lists a folder.", {"path": _TEXT, "ignore": _TEXTS}, 1),
    "TodoWrite": (
        "Replaces the list of steps of the task.",
        {"todos": {"type": "array", "items": _TODO}},
        1,
    ),
    "TaskCreate": (
        "Adds a step to the list of the task.",
        {"subject": _TEXT, "description": _TEXT, "activeForm": _TEXT, "metadata": {"type": "object"}},
        2,
    ),
    "TaskUpdate": (
        "Changes a step of the list.",
        {
            "taskId": _TEXT,
            "status": {"type": "string", "enum": ["pending", "in_progress", "completed", "deleted"]},
            "subject": _TEXT,
            "description": _TEXT,
            "activeForm": _TEXT,
            "owner": _TEXT,
            "addBlocks": _TEXTS,
            "addBlockedBy": _TEXTS,
            "metadata": {"type": "object"},
        },
        1,
    ),
    "TaskList": ("Shows the list of steps.", {}, 0),
    "TaskGet": ("Shows one step of the list.", {"taskId": _TEXT}, 1),
    "WebFetch": ("Reads a web page and answers a question about it.", {"url": _TEXT, "prompt": _TEXT}, 2),
    "WebSearch": (
        "Searches the web.",
        {"query": _TEXT, "allowed_domains": _TEXTS, "blocked_domains": _TEXTS},
        1,
    ),
    "BashOutput": ("Shows what a command in the background has printed.", {"bash_id": _TEXT, "filter": _TEXT}, 1),
    "ToolSearch": ("Finds tools by words.", {"query": _TEXT, "max_results": _WHOLE}, 1),
}
_ALWAYS = ("Bash", "Edit", "Glob", "Grep", "Read", "Write")


def tools(called: Iterable[str]) -> list[Json]:
    """What a session offered, told by the tools that were called in it: these, and those that every session has."""
    return [_tool(name) for name in sorted({*called, *_ALWAYS})]


def _tool(name: str) -> Json:
    if name not in _KNOWN:
        return {"name": name, "description": f"The tool {name} of this session.", "input_schema": {"type": "object"}}
    what, arguments, needed = _KNOWN[name]
    schema = {
        "type": "object",
        "properties": arguments,
        "required": list(arguments)[:needed],
        "additionalProperties": False,
    }
    return {"name": name, "description": what, "input_schema": schema}
