"""Tools as real coding agents declare them, small, and requests that carry them."""

from __future__ import annotations

from typing import Any


def tool(name: str, required: list[str], **properties: dict[str, Any]) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    return {"name": name, "description": f"The {name} tool.", "input_schema": schema}


STRING = {"type": "string"}
READ = tool("Read", ["file_path"], file_path=STRING, offset={"type": "integer"}, limit={"type": "integer"})
GREP = tool("Grep", ["pattern"], pattern=STRING, path=STRING, output_mode={"type": "string", "enum": ["content"]})
GLOB = tool("Glob", ["pattern"], pattern=STRING, path=STRING)
EDIT = tool(
    "Edit",
    ["file_path", "old_string", "new_string"],
    file_path=STRING,
    old_string=STRING,
    new_string=STRING,
    replace_all={"type": "boolean", "default": False},
)
WRITE = tool("Write", ["file_path", "content"], file_path=STRING, content=STRING)
BASH = tool("Bash", ["command"], command=STRING, description=STRING, timeout={"type": "number"})
TODO = tool(
    "TodoWrite",
    ["todos"],
    todos={
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "content": {"type": "string", "minLength": 1},
                "status": {"type": "string", "enum": ["pending", "in_progress", "completed"]},
                "activeForm": {"type": "string", "minLength": 1},
            },
            "required": ["content", "status", "activeForm"],
            "additionalProperties": False,
        },
    },
)
ALL = [BASH, EDIT, GLOB, GREP, READ, TODO, WRITE]


def use(call_id: str, name: str, **arguments: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": [{"type": "tool_use", "id": call_id, "name": name, "input": arguments}]}


def result(call_id: str, content: str, *, is_error: bool = False) -> dict[str, Any]:
    block = {"type": "tool_result", "tool_use_id": call_id, "content": content}
    return {"role": "user", "content": [block | ({"is_error": True} if is_error else {})]}


def request(*messages: dict[str, Any] | str, **fields: Any) -> dict[str, Any]:
    """A request body; a bare string is a user message."""
    spelled = [{"role": "user", "content": m} if isinstance(m, str) else m for m in messages]
    return {"model": "verify", "max_tokens": 32_000, "messages": spelled} | fields
