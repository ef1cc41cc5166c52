"""The daemon's log as a file: opened for its owner alone, read from its end, followed while it grows and rotates."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_STEP = 65_536
_LOOK_SECONDS = 0.25


def open_log(path: Path) -> int:
    """A descriptor that appends to the log."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def last_lines(path: Path, count: int) -> list[str]:
    """The end of the log, without reading all of it. Nothing when there is no log."""
    if count <= 0:
        return []
    try:
        with path.open("rb") as log:
            position = log.seek(0, os.SEEK_END)
            tail = b""
            while position > 0 and tail.count(b"\n") <= count:
                step = min(_STEP, position)
                position = log.seek(position - step)
                tail = log.read(step) + tail
    except OSError:
        return []
    return [line.decode("utf-8", "replace") for line in tail.splitlines()[-count:]]


def follow(path: Path, count: int) -> Iterator[str]:
    """The last `count` lines and then every new one, without end. A log that is not there yet is waited for."""
    yield from last_lines(path, count)
    log = _at_end(path)
    rest = b""
    try:
        while True:
            chunk = log.read(_STEP) if log is not None else b""
            if chunk:
                *lines, rest = (rest + chunk).split(b"\n")
                yield from (line.decode("utf-8", "replace") for line in lines)
                continue
            if log is None or _replaced(path, log.fileno()):
                fresh = _opened(path)
                if fresh is not None:
                    if log is not None:
                        log.close()
                    log = fresh
                    continue
            time.sleep(_LOOK_SECONDS)
    finally:
        if log is not None:
            log.close()


def _opened(path: Path) -> BinaryIO | None:
    try:
        return path.open("rb", buffering=0)
    except OSError:
        return None


def _at_end(path: Path) -> BinaryIO | None:
    log = _opened(path)
    if log is not None:
        log.seek(0, os.SEEK_END)
    return log


def _replaced(path: Path, descriptor: int) -> bool:
    try:
        return not os.path.samestat(path.stat(), os.fstat(descriptor))
    except OSError:
        return False
