"""How long this machine has slept: connections and caches do not outlive that, and a steady clock does not show it."""

from __future__ import annotations

import time


def asleep() -> float:
    """Seconds that grow while the machine sleeps, when most systems' steady clock stands still; and when the clock is
    set. Only what it has grown by since an earlier look means anything."""
    return time.time() - time.monotonic()
