"""What the arms have come to so far: a file of JSON lines, so that a run that was broken off can go on.

Rule: it holds which task passed and a word on why not; no prompt, no answer. Only answered tasks are kept: what failed
on the way is tried again.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Self

from rlmc.config.kept_lines import append, kept
from rlmc.domain.frozen import dataclass


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
        for line in kept(path):
            match line:
                case {"arm": str(arm), "session": str(session)}:
                    found.sessions[arm] = session
                case {"arm": str(arm), "task": str(task), "passed": bool(passed), "why": str(why)}:
                    found._found[arm, task] = Result(arm, task, passed, why)
        return found

    def begin(self, arm: str, session: str) -> None:
        self.sessions[arm] = session
        append(self._path, {"arm": arm, "session": session})

    def add(self, result: Result) -> None:
        self._found[result.arm, result.task] = result
        if result.passed is not None:
            append(self._path, asdict(result))

    def get(self, arm: str, task: str) -> Result | None:
        return self._found.get((arm, task))

    def answered(self, arm: str, task: str) -> bool:
        found = self.get(arm, task)
        return found is not None and found.passed is not None
