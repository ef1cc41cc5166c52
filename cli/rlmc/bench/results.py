"""What the arms have come to so far: a file of JSON lines, so that a run that was broken off can go on.

Rule: it holds which task passed and a word on why not; no prompt, no answer. A line that was cut off is left out. Only
answered tasks are kept: what failed on the way is tried again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from rlmc.config.paths import ensure_dir


@dataclass(frozen=True, slots=True)
class Result:
    """`passed` is None where the task was not answered; `why` says what was wrong."""

    arm: str
    task: str
    passed: bool | None
    why: str


class Results:
    """By arm and task. `sessions` are the ids of the arms' sessions in the ledger: one for each, however often the run
    was broken off."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.sessions: dict[str, str] = {}
        self._found: dict[tuple[str, str], Result] = {}

    @classmethod
    def open(cls, path: Path, *, fresh: bool) -> Self:
        found = cls(path)
        if fresh:
            path.unlink(missing_ok=True)
        for line in _lines(path):
            match line:
                case {"arm": str(arm), "session": str(session)}:
                    found.sessions[arm] = session
                case {"arm": str(arm), "task": str(task), "passed": bool(passed), "why": str(why)}:
                    found._found[arm, task] = Result(arm, task, passed, why)
        return found

    def begin(self, arm: str, session: str) -> None:
        self.sessions[arm] = session
        self._append({"arm": arm, "session": session})

    def add(self, result: Result) -> None:
        self._found[result.arm, result.task] = result
        if result.passed is not None:
            self._append(asdict(result))

    def get(self, arm: str, task: str) -> Result | None:
        return self._found.get((arm, task))

    def answered(self, arm: str, task: str) -> bool:
        found = self.get(arm, task)
        return found is not None and found.passed is not None

    def _append(self, line: dict[str, Any]) -> None:
        ensure_dir(self._path.parent)
        descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            cut = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"  # the end of a run that was killed
            os.write(descriptor, (b"\n" if cut else b"") + json.dumps(line).encode() + b"\n")
        finally:
            os.close(descriptor)


def _lines(path: Path) -> Iterator[Any]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return
    for line in text.splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            continue
