"""A circuit breaker for a draft model: one that fails again and again is left alone for a while, then tried once.

Closed, drafts are asked for. After `limit` failures in a row it is open for a pause; then it is half-open: one draft,
the probe, is asked for, and its end closes the breaker or begins a pause twice as long. Times are seconds on the
caller's clock.
"""

from __future__ import annotations

from rlmc.domain.frozen import dataclass

FIRST_PAUSE, LONGEST_PAUSE = 15.0, 600.0
_SHORT_WAIT = 5.0

# What says something of the request, and nothing of the model that refuses it.
_OF_THE_REQUEST = frozenset({400, 413, 422})


@dataclass(slots=True)
class Breaker:
    """`failures` and `pauses` are those in a row; `until` is when the latest pause ends."""

    failures: int = 0
    pauses: int = 0
    opened: float = 0.0
    until: float = 0.0
    probing: bool = False

    @property
    def open(self) -> bool:
        """Whether the model is paused, or about to be tried again."""
        return self.pauses > 0

    def lets(self, now: float) -> bool:
        """Whether a draft may be asked for."""
        return not self.open or (now >= self.until and not self.probing)

    def begin(self, now: float) -> bool:
        """The same, when it is about to be: the probe is taken by the first who asks."""
        if not self.lets(now):
            return False
        self.probing = self.open
        return True

    def worked(self) -> None:
        self.failures = self.pauses = 0
        self.probing = False

    def failed(self, began: float, now: float, limit: int, wait: float | None = None) -> bool:
        """True where a pause begins with this. `limit` 0 is never; `wait` is what the provider itself asks for, in
        seconds. A draft that was `began` before the pause says nothing new."""
        if self.open and began < self.opened:
            return False
        self.failures += 1
        probe, self.probing = self.probing, False
        often = probe or self.failures >= limit
        # A wait of a moment is over with the next turn.
        if limit == 0 or not (often or (wait or 0.0) >= _SHORT_WAIT):
            return False
        pause = min(FIRST_PAUSE * 2 ** min(self.pauses, 10), LONGEST_PAUSE) if often else 0.0
        self.pauses += 1
        self.opened, self.until = now, now + min(max(pause, wait or 0.0), LONGEST_PAUSE)
        return True

    def nothing(self, began: float) -> None:
        """The draft came to no end of its own: its client hung up. One begun before the pause is no probe."""
        if began >= self.opened:
            self.probing = False


def counts(status: int | None) -> bool:
    """Whether an answer with this status is a failure of the model, and not of what it was asked."""
    return status not in _OF_THE_REQUEST
