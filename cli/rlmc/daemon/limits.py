"""How many files a process may open. A turn under way takes two, and shells often allow no more than 256 or 1024."""

from __future__ import annotations

import resource
from contextlib import suppress

_ENOUGH = 65_536


def allow_many_files() -> None:
    """As many as the system lets this user have without asking. Never fails: with fewer, fewer turns go on at once."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    if soft == unlimited or soft >= _ENOUGH:
        return
    wanted = _ENOUGH if hard == unlimited else min(hard, _ENOUGH)
    for limit in (wanted, 10_240):  # macOS says "unlimited" and takes no more than its kernel's own limit
        if limit > soft:
            with suppress(OSError, ValueError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
                return
