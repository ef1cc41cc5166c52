"""What has happened so far, read from a request: the user's task, the steps taken since, files seen and their content.

A simulated model knows nothing else, so it can name no path and quote no line that the conversation does not hold.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from typing import Any

from rlmc.domain.frozen import dataclass
from rlmc.upstream.simulated.body import Block, Body, Message
from rlmc.upstream.simulated.kinds import Kind, kind_of

# Texts that clients put into the user's mouth.
_NOT_THE_USER = ("<system-reminder>", "[SYSTEM NOTIFICATION", "<task-notification>", "<local-command", "<command-")
_CWD = re.compile(r"working directory(?: is)?:?\s+`?(/[^\s`<>]*)", re.IGNORECASE)
_EXTENSIONS = (
    "c|cc|cfg|conf|cpp|cs|css|go|h|hpp|html|ini|java|js|json|jsx|kt|lock|md|php|py|rb|rs|rst|sh|sql|swift|toml|ts"
    "|tsx|txt|xml|yaml|yml"
)
_PATH = re.compile(rf"(?<![\w@:/.-])((?:~|\.{{1,2}})?/?(?:[\w@.+-]+/)*[\w@+-][\w@.+-]*\.(?:{_EXTENSIONS}))(?![\w/])")
_NUMBERED = re.compile(r"^\s*\d+(?:\t|→|: )")
_REMINDER = re.compile(r"<system-reminder>.*?</system-reminder>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Step:
    """One tool call that has its result."""

    tool: str
    kind: Kind
    input: dict[str, Any]
    result: str
    failed: bool

    @property
    def path(self) -> str | None:
        for key in ("file_path", "filePath", "absolute_path", "path"):
            value = self.input.get(key)
            if isinstance(value, str):
                return value
        return None


@dataclass(frozen=True, slots=True)
class Conversation:
    """`task` is the user's newest text, `earlier` the one before it; `said` the assistant's last text. `steps` are
    those of the task, `history` all of them. `paths` are absolute where the working directory is known."""

    task: str
    earlier: str
    said: str
    steps: tuple[Step, ...]
    history: tuple[Step, ...]
    paths: tuple[str, ...]
    cwd: str | None

    def count(self, *kinds: Kind) -> int:
        return sum(s.kind in kinds for s in self.steps)

    def files(self) -> dict[str, str]:
        """The newest content of every file read, with the edits made since. Oldest first."""
        files: dict[str, str] = {}
        for step in self.history:
            path = step.path
            if path is None or step.failed:
                continue
            if step.kind is Kind.READ:
                files.pop(path, None)
                files[path] = plain_lines(step.result)
            elif step.kind is Kind.WRITE:
                files[path] = str(step.input.get("content", ""))
            elif step.kind is Kind.EDIT and path in files:
                old, new = edit_of(step.input)
                files[path] = files[path].replace(old, new, 1)
        return files

    def unread(self) -> list[str]:
        """Files that were named but not opened yet: the order they were named in, but tests last."""
        tried = {s.path for s in self.history if s.kind in (Kind.READ, Kind.EDIT, Kind.WRITE)}
        return sorted((p for p in self.paths if p not in tried), key=lambda p: "test" in p.lower())


def edit_of(arguments: dict[str, Any]) -> tuple[str, str]:
    old = next((arguments[k] for k in ("old_string", "oldString", "old_str") if k in arguments), "")
    new = next((arguments[k] for k in ("new_string", "newString", "new_str") if k in arguments), "")
    return str(old), str(new)


def read_conversation(body: Body) -> Conversation:
    spoken = [m for m in body.messages if m.role != "system"]
    said_by_user = [(n, text) for n, text in enumerate(map(_user_text, spoken)) if text]
    start, task = said_by_user[-1] if said_by_user else (0, "")
    history = [(n, s) for n, s in _steps(spoken)]
    steps = tuple(s for n, s in history if n >= start)
    cwd = _cwd(body)
    return Conversation(
        task=task,
        earlier=said_by_user[-2][1] if len(said_by_user) > 1 else "",
        said=_last_said(spoken),
        steps=steps,
        history=tuple(s for _, s in history),
        paths=_paths(task, steps, cwd),
        cwd=cwd,
    )


def plain_lines(text: str) -> str:
    """A file's text without the line numbers a read tool puts in front, and without what clients add behind it."""
    text = _REMINDER.sub("", text)
    lines = text.split("\n")
    numbered = sum(bool(_NUMBERED.match(line)) for line in lines)
    if not numbered or numbered * 2 < len(lines):
        return text
    return "\n".join(_NUMBERED.sub("", line, count=1) for line in lines)


def text_of(content: object) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(str(b.get("text", "")) for b in content if isinstance(b, dict) and b.get("type") == "text")
    return ""


def _user_text(message: Message) -> str:
    if message.role != "user":
        return ""
    texts = (str(b.get("text", "")) for b in message.blocks() if b.get("type") == "text")
    return "\n".join(t.strip() for t in texts if t.strip() and not t.lstrip().startswith(_NOT_THE_USER))


def _steps(spoken: list[Message]) -> Iterator[tuple[int, Step]]:
    calls: dict[str, Block] = {}
    for n, message in enumerate(spoken):
        for block in message.blocks():
            if block.get("type") == "tool_use":
                calls[str(block.get("id"))] = block
            elif block.get("type") == "tool_result" and str(block.get("tool_use_id")) in calls:
                call = calls[str(block.get("tool_use_id"))]
                name = str(call.get("name"))
                failed = block.get("is_error") is True
                yield n, Step(name, kind_of(name), dict(call["input"]), text_of(block.get("content")), failed)


def _last_said(spoken: list[Message]) -> str:
    for message in reversed(spoken):
        if message.role == "assistant":
            text = text_of(message.content)
            if text.strip():
                return text
    return ""


def _cwd(body: Body) -> str | None:
    texts: list[str] = [str(b.get("text", "")) for b in body.system_blocks()]
    texts += [text_of(m.content) for m in body.messages[:3]]
    found = next((m for m in map(_CWD.search, texts) if m), None)
    return found.group(1).rstrip(".,;") if found else None


def _paths(task: str, steps: Iterable[Step], cwd: str | None) -> tuple[str, ...]:
    """Files the user named, then those that searches and listings of this task turned up."""
    found: dict[str, None] = {}
    sources = [task, *(s.result for s in steps if s.kind in (Kind.SEARCH, Kind.SHELL) and not s.failed)]
    for source in sources:
        for match in _PATH.finditer(source):
            path = match.group(1)
            if cwd and not path.startswith(("/", "~")):
                path = posixpath.normpath(posixpath.join(cwd, path))
            found[path] = None
    return tuple(found)
