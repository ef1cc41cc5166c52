"""How a provider's prompt cache sees a request: its blocks in the order the model reads them.

Rule: equal digests mean an equal prompt up to there, whatever the requests' cache markers are.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Literal

from rlmc.domain.frozen import dataclass

Lifetime = Literal["5m", "1h"]
Mark = tuple[int, Lifetime]
"""A cache marker: the block it stands at, and how long what is written there lives."""


@dataclass(frozen=True, slots=True)
class Layout:
    """One entry a block, in `digests`, `chars` and `positions`.

    `digests` name the prompt's beginning up to and including the block; `chars` is how long that beginning is, counted
    as `ChatRequest.chars` is. `positions` are the places a cache counts when it looks back from a marker: consecutive
    tool calls share one, and so do consecutive tool results. `marks` are ascending, at most one a block. `messages` is
    the first block of each message. `markers` counts all markers the request spends, also those of no block here.
    """

    digests: tuple[bytes, ...] = ()
    chars: tuple[int, ...] = ()
    positions: tuple[int, ...] = ()
    marks: tuple[Mark, ...] = ()
    messages: tuple[int, ...] = ()
    markers: int = 0

    def place(self, block: int) -> tuple[int, int] | None:
        """Which message a block is in, and as which of its blocks; None for tools, system blocks and no block."""
        message = bisect_right(self.messages, block) - 1
        if message < 0 or block >= len(self.digests):
            return None
        return message, block - self.messages[message]
