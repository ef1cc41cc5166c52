"""Whether a tool is the known one of its name: told by what the request declares of it, not by its name alone.

Rule: it must require nothing that the known tool does not take, and take something that the known one takes. A new
optional argument of a new version makes no other tool of it; a call that gives it is one nobody here can judge. What a
description says counts for nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

import msgspec

from rlmc.domain.chat import ToolSpec
from rlmc.domain.frozen import dataclass

_LOOK = frozenset({"file_path", "offset", "limit", "pages", "mode", "indentation", "allow_large", "absolute_path"})
_COMMAND = frozenset(
    {
        *("command", "cmd", "description", "justification", "timeout", "timeout_ms", "yield_time_ms", "login", "tty"),
        *("max_output_tokens", "workdir", "directory", "run_in_background", "is_background", "shell"),
        *("dangerouslyDisableSandbox", "with_escalated_permissions", "sandbox_permissions", "prefix_rule"),
        *("additional_permissions", "environment_id"),
    }
)
_CHANGE = frozenset({"file_path", "old_string", "new_string", "replace_all"})
_SEARCH = frozenset({"pattern", "path", "glob", "include", "limit"})
_NOTEBOOK = frozenset({"notebook_path", "cell_id", "cell_type", "edit_mode", "new_source"})
_TODOS = frozenset({"todos", "merge"})
_TASK = frozenset({"taskId", "subject", "description", "activeForm", "status", "owner", "metadata"})
_NOTHING = frozenset[str]()

# Arguments of the known tools, of every client and version that was looked at.
_ARGUMENTS: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("Bash", "bash", "exec_command", "shell", "shell_command", "run_shell_command"), _COMMAND),
    "apply_patch": frozenset({"input", "patchText"}),
    "exec": frozenset({"input"}),
    "tool_call": frozenset({"name", "arguments"}),
    "wait": frozenset({"cell_id", "yield_time_ms", "max_tokens", "terminate"}),
    "Read": _LOOK,
    "read_file": _LOOK,
    "read": frozenset({"filePath", "offset", "limit"}),
    "read_many_files": frozenset(
        {"paths", "include", "exclude", "recursive", "useDefaultExcludes", "file_filtering_options"}
    ),
    "NotebookRead": frozenset({"notebook_path", "cell_id"}),
    "view_image": frozenset({"path", "detail"}),
    "Grep": _SEARCH
    | {"output_mode", "-A", "-B", "-C", "-n", "-i", "-o", "type", "head_limit", "offset", "multiline", "context"},
    **dict.fromkeys(("grep", "grep_search", "search_file_content", "grep_files"), _SEARCH),
    **dict.fromkeys(("Glob", "glob"), frozenset({"pattern", "path", "case_sensitive", "respect_git_ignore"})),
    **dict.fromkeys(
        ("LS", "list", "list_directory", "list_dir"),
        frozenset({"path", "dir_path", "ignore", "offset", "limit", "depth", "file_filtering_options"}),
    ),
    **dict.fromkeys(("ToolSearch", "tool_search"), frozenset({"query", "max_results", "limit"})),
    "ListAgents": frozenset({"channel", "cursor", "q"}),
    "list_agents": frozenset({"path_prefix"}),
    "BashOutput": frozenset({"bash_id", "filter", "block", "wait_up_to"}),
    "TaskOutput": frozenset({"task_id", "block", "timeout", "wait_up_to", "agentId"}),
    **dict.fromkeys(("TodoWrite", "todowrite", "todo_write"), _TODOS),
    **dict.fromkeys(("TodoRead", "todoread", "TaskList", "get_goal"), _NOTHING),
    **dict.fromkeys(("TaskCreate", "TaskGet"), _TASK),
    "TaskUpdate": _TASK | {"addBlocks", "addBlockedBy"},
    "update_plan": frozenset({"explanation", "plan"}),
    "clock__sleep": frozenset({"duration_ms"}),
    "Edit": _CHANGE,
    "edit": _CHANGE | {"filePath", "oldString", "newString", "replaceAll"},
    **dict.fromkeys(("MultiEdit", "multiedit"), frozenset({"file_path", "filePath", "edits"})),
    "Write": frozenset({"file_path", "content"}),
    "write": frozenset({"filePath", "content"}),
    "write_file": frozenset({"file_path", "content", "record_as_artifact"}),
    "patch": frozenset({"patchText"}),
    "replace": _CHANGE | {"expected_replacements", "instruction"},
    "NotebookEdit": _NOTEBOOK,
    "notebook_edit": _NOTEBOOK,
}
# Words of a schema by which arguments are told elsewhere.
_INDIRECT = frozenset({"$ref", "$dynamicRef", "allOf", "anyOf", "oneOf", "if", "dependentSchemas", "dependentRequired"})
_NAMESPACES: Mapping[str, str] = {"clock__sleep": "clock"}


def is_known(tool: ToolSpec) -> bool:
    """Whether the tool is what a known client has under this name, as far as its declaration tells."""
    known = _ARGUMENTS.get(tool.name)
    if known is None or tool.server or tool.namespace != _NAMESPACES.get(tool.name, ""):
        return False
    told = declared(tool.schema)
    if told is None:
        return False
    if not told.taken:
        return not told.required and (told.closed or not known)
    return told.required <= known and not known.isdisjoint(told.taken)


def takes(name: str, arguments: Mapping[str, object]) -> bool:
    """Whether the known tool of this name takes these arguments."""
    return arguments.keys() <= _ARGUMENTS.get(name, _NOTHING)


@dataclass(frozen=True, slots=True)
class Declared:
    """Names of arguments. A `closed` tool says that it takes no others; `only` that it asks for no others."""

    taken: frozenset[str]
    required: frozenset[str]
    closed: bool
    only: bool


@functools.lru_cache(maxsize=512)
def declared(schema: bytes) -> Declared | None:
    """None where a schema does not list its arguments plainly."""
    try:
        given = msgspec.json.decode(schema)
    except (ValueError, RecursionError):
        return None
    if not isinstance(given, dict) or not given.keys().isdisjoint(_INDIRECT):
        return None
    properties, required = given.get("properties", {}), given.get("required", [])
    if not isinstance(properties, dict) or not isinstance(required, list):
        return None
    if not all(isinstance(name, str) for name in required):
        return None
    others = given.get("additionalProperties")
    only = others in (None, False) and "patternProperties" not in given and bool(properties or others is False)
    return Declared(frozenset(properties), frozenset(required), others is False, only)
