"""Another process that a session lives as long as: the terminal in which `rlmc env` was called.

Rule: a number is given to another process once the first has ended, so a process is its number and when it began, where
the system tells that.
"""

from __future__ import annotations

import os
from pathlib import Path

from rlmc.domain.frozen import dataclass

_BEGAN = 18  # of the fields after the state, which follows a name that may hold anything


@dataclass(frozen=True, slots=True)
class Bound:
    pid: int
    began: str | None = None

    def alive(self) -> bool:
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass  # it is there, and somebody else's
        return began(self.pid) == self.began


def bound_to(pid: int) -> Bound:
    return Bound(pid, began(pid))


def began(pid: int) -> str | None:
    """When a process began, in the system's own count; None where there is no /proc."""
    try:
        _, _, rest = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(") ")
        state, *fields = rest.split()
    except (OSError, ValueError):
        return None
    return None if state in "ZX" else fields[_BEGAN]
