"""How likely a pause between two calls is longer than a cache lives: an empirical survivor function.

Rule: pauses after tool results and after a user's message are kept apart; the second are twenty times as likely to
outlive a five-minute cache. The table is what public sessions of coding agents show (19,000 pauses, start to start).
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Literal

Pause = Literal["tool-results", "user"]

# (seconds, share of pauses that are longer)
_SURVIVORS: dict[Pause, tuple[tuple[float, float], ...]] = {
    "tool-results": (
        (1, 1.0), (5, 0.89), (10, 0.63), (30, 0.21), (60, 0.105), (120, 0.055), (300, 0.022), (600, 0.012),
        (1800, 0.004), (3600, 0.0014), (86400, 0.0001),
    ),
    "user": (
        (1, 1.0), (5, 0.99), (10, 0.79), (30, 0.52), (60, 0.41), (120, 0.29), (300, 0.17), (600, 0.10), (1800, 0.05),
        (3600, 0.019), (86400, 0.0005),
    ),
}  # fmt: skip


def outlives(pause: Pause, seconds: float) -> float:
    """The probability that a pause of this kind is longer than `seconds`."""
    table = _SURVIVORS[pause]
    if seconds <= table[0][0]:
        return 1.0
    for (start, high), (end, low) in pairwise(table):
        if seconds <= end:
            part = math.log(seconds / start) / math.log(end / start)
            return high * math.pow(low / high, part)
    return 0.0
