"""How often drafts of one kind are worse, as far as audits tell: a beta posterior that slowly forgets."""

from __future__ import annotations

from rlmc.domain.frozen import dataclass
from rlmc.quality.chances import beta_quantile

FORGETS = 0.998
"""What an older verdict weighs after each newer one: half after 346 of them."""
STRENGTH = 50.0
"""How many verdicts the prior is worth."""
_SURE = 0.7  # the quantile that is decided by: a kind that little is known of is held for somewhat worse than it seems


@dataclass(frozen=True, slots=True)
class Posterior:
    """`worse` and `good` are sums of losses and of what they leave of 1; without verdicts the rate is the target."""

    target: float
    worse: float = 0.0
    good: float = 0.0
    verdicts: int = 0

    def learn(self, loss: float) -> Posterior:
        return Posterior(self.target, FORGETS * self.worse + loss, FORGETS * self.good + 1 - loss, self.verdicts + 1)

    @property
    def risk(self) -> float:
        """The loss to reckon with, from 0 to 1."""
        worse = STRENGTH * self.target + self.worse
        good = STRENGTH * (1 - self.target) + self.good
        return beta_quantile(_SURE, worse, good)
