"""An upper bound on the mean loss of the turns a draft answered, valid at every moment while the user keeps looking.

Of every turn that a draft answered, a coin of known probability decides whether it is audited; an audit ends with a
loss from 0 (as good) to 1 (materially worse). For a bet h let `kappa = pi_min * (1 - exp(-h))`. With the losses l of
audited turns and the probability pi each was drawn with,

    E(m) = product over losses of (1 - kappa / pi) ** l  /  (1 - kappa * m) ** turns

is, when m is the mean loss so far, at most a supermartingale that begins at 1: (1 - c) ** l <= 1 - c * l for l in
[0, 1], the chance of an audit cancels pi, and the product of 1 - kappa * mu over turns is at most its value at their
mean. A mixture over several bets is one, too, so by Ville's inequality it ever reaches 1 / delta with probability at
most delta: what it has not reached cannot be excluded. That holds under drift, for a policy that adapts to the audits,
and for probabilities that change, as long as each is fixed before its coin falls and none is below pi_min.

Rule: an audit counts as a loss of 1 from the moment its coin has fallen until it is settled, and for good where it
never is.
"""

from __future__ import annotations

from dataclasses import field
from math import exp, log, log1p

from rlmc.domain.frozen import dataclass

BETS = (0.15, 0.3, 0.5, 0.8, 1.2, 1.7, 2.5, 4.0)
"""How strongly each part of the mixture bets, with equal weights. Strong bets serve low rates, weak ones high rates."""
_STEPS = 40  # halvings of [0, 1]: far finer than what is ever shown


@dataclass(slots=True)
class Certificate:
    """One epoch's. `least` is the smallest probability an audit may have (pi_min), `delta` what 95 % leaves of 100."""

    least: float
    delta: float
    turns: int = 0
    _evidence: list[float] = field(default_factory=lambda: [0.0] * len(BETS))

    def __post_init__(self) -> None:
        if not (0 < self.least <= 1 and 0 < self.delta < 1):
            raise ValueError(f"least {self.least} and delta {self.delta} must be chances")

    def served(self, turns: int = 1) -> None:
        """A draft answered so many more turns, each with a coin of its own."""
        self.turns += turns

    def drawn(self, probability: float) -> None:
        """The coin of a served turn, which fell on an audit with this probability: a loss of 1 until it is settled."""
        self._lose(probability, 1.0)

    def settled(self, probability: float, loss: float) -> None:
        """An audit that was drawn has ended with this loss."""
        if not 0 <= loss <= 1:
            raise ValueError(f"a loss of {loss} is not within 0 and 1")
        self._lose(probability, loss - 1.0)

    def covers(self, mean: float) -> bool:
        """Whether a mean loss as high as this cannot be excluded."""
        return self._log_evidence(mean) < -log(self.delta)

    @property
    def bound(self) -> float:
        """The smallest mean loss that can be excluded, 1 where none can."""
        if self.covers(1.0):
            return 1.0
        low, high = 0.0, 1.0
        for _ in range(_STEPS):
            middle = (low + high) / 2
            low, high = (middle, high) if self.covers(middle) else (low, middle)
        return high

    def _lose(self, probability: float, loss: float) -> None:
        if not self.least <= probability <= 1:
            raise ValueError(f"an audit's probability {probability} is not within {self.least} and 1")
        for at, bet in enumerate(BETS):
            self._evidence[at] -= log1p(-self._kappa(bet) / probability) * loss

    def _kappa(self, bet: float) -> float:
        return self.least * (1 - exp(-bet))

    def _log_evidence(self, mean: float) -> float:
        logs = [
            -lost - self.turns * log1p(-self._kappa(bet) * mean) for bet, lost in zip(BETS, self._evidence, strict=True)
        ]
        most = max(logs)
        return most + log(sum(exp(one - most) for one in logs) / len(logs))
