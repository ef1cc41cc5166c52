"""A private file of JSON lines by which a long run that was broken off goes on. A line that was cut off is left out."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rlmc.config.paths import ensure_dir


def append(path: Path, line: dict[str, Any]) -> None:
    ensure_dir(path.parent)
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        cut = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"  # the end of a run that was killed
        os.write(descriptor, (b"\n" if cut else b"") + json.dumps(line).encode() + b"\n")
    finally:
        os.close(descriptor)


def kept(path: Path) -> Iterator[Any]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return
    for line in text.splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            continue
