"""The price of a regression: what keeps the mean loss of all turns at its target, whatever the posteriors believe.

A turn is drafted only while what that is expected to save is more than the price times the risk. After every turn the
price moves by its estimated loss: `Z = loss / probability` where a draft was served and audited, else 0. At the top no
turn is drafted, and the price sinks again. Since log price never leaves [low, top + one step], the mean of Z over T
turns is at most `target + (top - start + overshoot) / (RATE * T)`, without trusting anything that was learnt; and the
mean of Z is, in expectation, the mean loss. It is no promise for a single run.
"""

from __future__ import annotations

from dataclasses import replace
from math import exp, log

from rlmc.domain.frozen import dataclass

RATE = 0.05
"""How fast log price follows."""
AIM = 0.9
"""Of the target, what is aimed at: the way up from a low price costs something, and is to be made good again."""
UNIT = 50.0
"""The price of one regression at log price 0, in median costs of a direct turn."""
LOW, TOP = -log(10), log(8)


@dataclass(frozen=True, slots=True)
class Controller:
    """`target` is the mean loss over all turns that is aimed at, drafted or not."""

    target: float
    log_price: float = LOW

    def turn(self, turns: int = 1) -> Controller:
        """So many more turns have ended, of which no loss is known (yet)."""
        return replace(self, log_price=max(LOW, self.log_price - RATE * AIM * self.target * turns))

    def lost(self, loss: float, probability: float) -> Controller:
        """An audit has ended so; or it was drawn, which is a loss of 1, and the settled rest is given back."""
        return replace(self, log_price=max(LOW, self.log_price + RATE * loss / probability))

    @property
    def closed(self) -> bool:
        return self.log_price >= TOP

    @property
    def price(self) -> float:
        """Of one regression, in median costs of a direct turn; at the top it is as high as it gets."""
        return UNIT * exp(min(self.log_price, TOP))
