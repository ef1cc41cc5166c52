"""What states have come to so far: a file of JSON lines, so that a calibration that was broken off can go on.

Rule: it holds names of states made of digests, kinds and losses; no prompt, no answer, no path. A line that was cut off
is left out. A state whose models did not answer is not kept: it is tried again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self, get_args

from rlmc.calibrate.compare import How, Label
from rlmc.config.paths import ensure_dir

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
        for line in _lines(path):
            match line:
                case {"part": str(part), "session": str(session)}:
                    found.sessions[part] = session
                case {"state": str(state), "how": how, "bucket": str(bucket), "loss": None | int() | float() as loss}:
                    if how in _HOW:
                        found._found[state] = Label(state, how, bucket, loss)
        return found

    def begin(self, part: str, session: str) -> None:
        self.sessions[part] = session
        self._append({"part": part, "session": session})

    def add(self, label: Label) -> None:
        self._found[label.state] = label
        self._append(asdict(label))

    def get(self, state: str) -> Label | None:
        return self._found.get(state)

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
