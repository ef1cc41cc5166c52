"""What broke a promise: kept once for each place, and told in one line."""

from __future__ import annotations

import hashlib
import traceback
from types import TracebackType

from tests.fuzz.target import FOUND, Target

MARK = "FOUND "
"""Begins the line."""


class Findings:
    """Of one run of one target."""

    def __init__(self, target: Target) -> None:
        self._folder = FOUND / target.name
        self._known: set[tuple[str, str]] = set()

    def add(self, data: bytes, error: Exception) -> None:
        place = _place(error.__traceback__)
        if (type(error).__name__, place) in self._known:
            return
        self._known.add((type(error).__name__, place))
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / hashlib.sha256(data).hexdigest()[:12]
        path.write_bytes(data)
        print(f"{MARK}{path} {place} {error!r:.300}", flush=True)


def _place(trace: TracebackType | None) -> str:
    """The innermost line of rlmc, or of the target for a promise that did not hold."""
    frames = traceback.extract_tb(trace)
    inner = [frame for frame in frames if "/rlmc/" in frame.filename or "/fuzz/" in frame.filename]
    last = (inner or frames)[-1]
    return f"{last.filename.rpartition('/')[2]}:{last.lineno}"
