"""An alarm for a change for the worse: a restarted test martingale (e-CUSUM) against a rate of half as much again as
the target.

Its value is at most 1 on average while the rate is below that; on a change it grows with every loss.
"""

from __future__ import annotations

from dataclasses import replace

from rlmc.domain.frozen import dataclass

BET = 0.08
WORSE = 1.5
RAISED = 1000.0


@dataclass(frozen=True, slots=True)
class Alarm:
    target: float
    value: float = 1.0
    times: int = 0

    def turn(self, estimate: float) -> Alarm:
        """One more turn that a draft answered; `estimate` is its loss over its audit's probability, 0 without one."""
        value = max(self.value, 1.0) * max(0.0, 1 + BET * (estimate - WORSE * self.target))
        if value > RAISED:
            return replace(self, value=1.0, times=self.times + 1)
        return replace(self, value=value)
