"""What the daemon's process holds of its machine: memory, open files, tasks.

Rule: what the system does not tell is None.
"""

from __future__ import annotations

import asyncio
import os
import resource
from pathlib import Path

_MEMORY = Path("/proc/self/statm")
_FILES = Path("/dev/fd")


def vitals() -> dict[str, int | None]:
    """`rss` is resident memory in bytes, `files` the open descriptors, sockets among them, of at most `files_limit`."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return {
        "rss": _rss(),
        "files": _files(),
        "files_limit": None if limit == resource.RLIM_INFINITY else limit,
        "tasks": len(asyncio.all_tasks()),
    }


def _rss() -> int | None:
    try:
        return int(_MEMORY.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return None


def _files() -> int | None:
    try:
        return sum(1 for _ in _FILES.iterdir()) - 1  # the folder itself was open
    except OSError:
        return None
