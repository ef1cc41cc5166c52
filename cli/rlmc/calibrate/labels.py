"""What states have come to so far: a file of JSON lines, so that a calibration that was broken off can go on.

Rule: it holds names of states made of digests, kinds and losses; no prompt, no answer, no path. A state whose models
did not answer is not kept: it is tried again.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Self, get_args

from rlmc.calibrate.compare import How, Label
from rlmc.config.kept_lines import append, kept

_HOW = get_args(How)


class Labels:
    """By the states' digests. `sessions` are the ids of the two sessions in the ledger, by their part."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.sessions: dict[str, str] = {}
        self._found: dict[str, Label] = {}

    @classmethod
    def open(cls, path: Path, *, fresh: bool) -> Self:
        found = cls(path)
        if fresh:
            path.unlink(missing_ok=True)
        for line in kept(path):
            match line:
                case {"part": str(part), "session": str(session)}:
                    found.sessions[part] = session
                case {"state": str(state), "how": how, "bucket": str(bucket), "loss": None | int() | float() as loss}:
                    if how in _HOW:
                        found._found[state] = Label(state, how, bucket, loss)
        return found

    def begin(self, part: str, session: str) -> None:
        self.sessions[part] = session
        append(self._path, {"part": part, "session": session})

    def add(self, label: Label) -> None:
        self._found[label.state] = label
        append(self._path, asdict(label))

    def get(self, state: str) -> Label | None:
        return self._found.get(state)
