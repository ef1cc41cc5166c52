"""Drafted edits of files: released only where the conversation alone shows that they fit.

The files are as the conversation shows them, with the draft's own earlier edits made. Findings name a rule and quote
nothing of a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from rlmc.cascade.effects.tools import PATCHES
from rlmc.cascade.gate import protected_paths, syntax, unseen
from rlmc.cascade.gate.credentials import new_secret
from rlmc.cascade.gate.file_calls import EDITS, WRITES, Edit, FileCall, Gone, Read, Replacement, Write, file_calls
from rlmc.cascade.gate.history import exchanges
from rlmc.cascade.gate.seen_files import SeenFile, behind, edited, found_at, root_of, seen_file, seen_paths, written
from rlmc.cascade.inner_calls import inner_calls
from rlmc.domain.chat import ChatRequest, Completion, ToolCall, ToolResult
from rlmc.domain.turn import Finding

COVERED = EDITS | WRITES | PATCHES
"""Tools whose calls are checked here: edits by these names need no other judgement."""

# Tools that change files in ways nothing here can follow.
_UNCHECKED = frozenset({"NotebookEdit", "notebook_edit", "patch", "multiedit", "replace"})

_MOST_LINES = 200
# Words for what a writer was too lazy to repeat. Dots right before a word are code in some languages.
_LEFT_OUT = re.compile(
    r"(?:\.\.\.|…)\s+\(?\s*(?:the\s+)?(?:rest|remaining|existing|unchanged|previous|other|same)\b"
    r"|(?:\.\.\.|…)(?:existing|remaining|unchanged|previous|other|rest of (?:the )?)\s?"
    r"(?:code|file|contents?|functions?|methods?|class|imports?|lines)\b"
    r"|\b(?:rest|remainder) of (?:the |this )?(?:file|code|function|method|class)\b[^\n]{0,30}"
    r"(?:same|unchanged|\.\.\.|…)",
    re.IGNORECASE,
)


def check(request: ChatRequest, draft: Completion) -> tuple[Finding, ...]:
    """The first objection. Later calls build on earlier ones, so after it there is nothing to say of them."""
    drafted = _Drafted(request)
    for call in (inner for outer in draft.tool_calls for inner in inner_calls(outer) or ()):
        if call.name in COVERED or call.name in _UNCHECKED:
            problem = drafted.problem_with(call)
            if problem is not None:
                return (Finding("edit", f"{call.name}: {problem}"),)
    return ()


class _Drafted:
    """The files as they would be after the draft's calls so far."""

    def __init__(self, request: ChatRequest) -> None:
        self._request = request
        self._root = root_of(request)
        self._files: dict[str, SeenFile] = {}
        self._changed_lines = 0

    def problem_with(self, call: ToolCall) -> str | None:
        """Why the call may not be released; None when it may, and its file is then taken for changed."""
        if call.name in _UNCHECKED:
            return "calls of this tool cannot be checked"
        wanted = file_calls(call, self._root)
        if not wanted:
            return "the arguments cannot be read"
        return next((problem for asked in wanted if (problem := self._problem_with(asked)) is not None), None)

    def _problem_with(self, asked: FileCall) -> str | None:
        if isinstance(asked, Read):
            return "the arguments cannot be read"
        problem = protected_paths.problem_with(asked.path)
        if problem is not None:
            return problem
        if isinstance(asked, Gone):
            return "what becomes of the file cannot be checked"
        if self._failed_before(asked):
            return "the same edit failed before"
        before = self._files.get(asked.path) or seen_file(self._request, asked.path)
        if isinstance(asked, Write):
            return self._problem_with_write(before, asked)
        return self._problem_with_edit(before, asked)

    def _failed_before(self, asked: FileCall) -> bool:
        failed = (exchange.call for exchange in exchanges(self._request.messages) if exchange.failed)
        return any(asked in file_calls(inner, self._root) for call in failed for inner in inner_calls(call) or ())

    def _problem_with_write(self, before: SeenFile | None, asked: Write) -> str | None:
        if before is not None and before.whole is None:
            return "the file was seen only in part"
        if before is not None and before.possibly_stale:
            return "the file may have changed since it was seen"
        if before is None:
            problem = _problem_with_new_file(self._request, asked.path)
            if problem is not None:
                return problem
        text = "" if before is None else before.whole or ""
        return self._problem_with_text(asked.path, text, asked.content, [(text, asked.content)], written(asked.content))

    def _problem_with_edit(self, before: SeenFile | None, asked: Edit) -> str | None:
        if before is None:
            return "the file was not seen"
        after = before
        changes: list[tuple[str, str]] = []
        start = 1
        for replacement in asked.replacements:
            count = after.occurrences(replacement.old) if replacement.old else 0
            problem = _problem_with_replacement(replacement, count)
            if problem is not None:
                return problem
            if asked.whole_lines:
                found = found_at(after, replacement, start)
                if isinstance(found, str):
                    return found
                start = behind(found, replacement)
            times = _times(after, replacement.old) if replacement.everywhere else 1
            changes += [(replacement.old, replacement.new)] * min(times, _MOST_LINES + 1)
            after = edited(after, replace(asked, replacements=(replacement,)))
        known = "\n".join(stretch.text for stretch in before.stretches)
        new = "\n".join(new for _, new in dict.fromkeys(changes))
        return self._problem_with_text(asked.path, known, new, changes, after)

    def _problem_with_text(
        self, path: str, before: str, new: str, changes: list[tuple[str, str]], after: SeenFile
    ) -> str | None:
        self._changed_lines += sum(_changed_lines(old, text) for old, text in changes)
        if self._changed_lines > _MOST_LINES:
            return f"more than {_MOST_LINES} changed lines"
        if new_secret(new, before):
            return "the new text holds what looks like a key or token"
        if (problem := unseen.problem_with(path, new, before)) is not None:
            return problem
        if any(found not in before for found in _left_out(new)):
            return "the new text leaves something out"
        whole = after.whole
        if whole is not None and syntax.breaks(path, before, whole):
            return "the file would no longer parse"
        self._files[path] = after
        return None


def _problem_with_replacement(replacement: Replacement, count: int) -> str | None:
    if not replacement.old:
        return "the old text is empty"
    if replacement.old == replacement.new:
        return "the old and the new text are the same"
    if count == 0:
        return "the old text does not occur in what was seen of the file"
    if count > 1 and not replacement.everywhere:
        return "the old text occurs more than once"
    return None


def _problem_with_new_file(request: ChatRequest, path: str) -> str | None:
    folder = path.rpartition("/")[0]
    if not any(_below(folder, seen.rpartition("/")[0]) for seen in seen_paths(request)):
        return "no file near the new one was seen"
    return "something may exist under this path" if _is_mentioned(request, path) else None


def _below(folder: str, top: str) -> bool:
    """Whether a folder is another one or lies in it. A path of one step from the root names no folder to lie in."""
    if not top:
        return not folder.startswith("/")
    return folder == top or folder.startswith(f"{top}/")


def _is_mentioned(request: ChatRequest, path: str) -> bool:
    """Whether a result speaks of the path, whole or by its last two steps: a search or a listing that found it."""
    end = "/".join(path.split("/")[-2:])
    by_itself = re.compile(rf"(?<![\w.-]){re.escape(end)}(?![\w-])")
    results = (p for m in request.messages for p in m.parts if isinstance(p, ToolResult) and not p.is_error)
    return any(end in result.text and by_itself.search(result.text) for result in results)


def _times(file: SeenFile, text: str) -> int:
    return sum(stretch.text.count(text) for stretch in file.stretches)


def _changed_lines(old: str, new: str) -> int:
    """Lines taken away or put in, whichever are more, without those both texts begin and end with."""
    before, after = old.split("\n"), new.split("\n")
    shorter = min(len(before), len(after))
    same = 0
    while same < shorter and before[same] == after[same]:
        same += 1
    tail = 0
    while tail < shorter - same and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    return max(len(before), len(after)) - same - tail


def _left_out(text: str) -> Iterator[str]:
    return (found.group() for found in _LEFT_OUT.finditer(text))
