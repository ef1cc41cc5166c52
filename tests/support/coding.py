"""Conversations about files, written the way agents' clients write them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.support.playbook import request, tool, user

from rlmc.domain.chat import ChatRequest, Completion, Message, ToolCall, ToolResult

TOOLS = tuple(
    tool(name)
    for name in ("Read", "Edit", "Write", "MultiEdit", "Bash", "Glob", "NotebookEdit", "read", "edit", "write", "patch")
)


class Session:
    """A conversation that grows by one call and its result at a time."""

    def __init__(self, *said: Message) -> None:
        self._messages = list(said or (user("Fix the greeting."),))
        self._calls = 0

    def say(self, message: Message) -> Session:
        self._messages.append(message)
        return self

    def call(self, name: str, arguments: Mapping[str, Any] | str, text: str | None, *, error: bool = False) -> Session:
        """One call; `text` None leaves it without a result."""
        return self.calls((name, arguments, text, error))

    def calls(self, *made: tuple[str, Mapping[str, Any] | str, str | None, bool]) -> Session:
        """Calls made at once."""
        asked: list[ToolCall] = []
        results: list[ToolResult] = []
        for name, arguments, text, error in made:
            self._calls += 1
            call_id = f"toolu_{self._calls}"
            asked.append(drafted(name, arguments, call_id))
            if text is not None:
                results.append(ToolResult(call_id, len(text), error, text=text))
        self._messages += [Message("assistant", tuple(asked)), Message("user", tuple(results))]
        return self

    def read(self, path: str, content: str, offset: int | None = None, limit: int | None = None) -> Session:
        """What Claude Code's Read shows of a file with this content."""
        window = {name: value for name, value in (("offset", offset), ("limit", limit)) if value is not None}
        return self.call("Read", {"file_path": path, **window}, numbered(content, offset or 1, limit))

    def edit(self, path: str, old: str, new: str, everywhere: bool = False, *, error: str = "") -> Session:
        arguments = {"replace_all": everywhere, "file_path": path, "old_string": old, "new_string": new}
        return self.call("Edit", arguments, error or f"The file {path} has been updated.", error=bool(error))

    def write(self, path: str, content: str) -> Session:
        return self.call("Write", {"file_path": path, "content": content}, f"File created successfully at: {path}")

    def shell(self, command: str = "make", text: str = "done", *, error: bool = False) -> Session:
        return self.call("Bash", {"command": command}, text, error=error)

    @property
    def request(self) -> ChatRequest:
        return request(*self._messages, tools=TOOLS)


def numbered(content: str, offset: int = 1, limit: int | None = None, mark: str = "\t", width: int = 0) -> str:
    lines = content.split("\n")[offset - 1 :][: 2000 if limit is None else limit]
    return "\n".join(f"{n:>{width}}{mark}{line}" for n, line in enumerate(lines, start=offset))


def drafted(name: str, arguments: Mapping[str, Any] | str, call_id: str = "call_0") -> ToolCall:
    return ToolCall(call_id, name, arguments if isinstance(arguments, str) else json.dumps(arguments))


def draft(*calls: ToolCall) -> Completion:
    return Completion("some-model", calls, "tool_use", None)


def edits(path: str, old: str, new: str, **more: Any) -> ToolCall:
    return drafted("Edit", {"file_path": path, "old_string": old, "new_string": new, **more})


def writes(path: str, content: str) -> ToolCall:
    return drafted("Write", {"file_path": path, "content": content})
