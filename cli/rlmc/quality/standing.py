"""What may be said of the quality of one epoch: the bound, what it counts, and whether it meets its target.

An epoch is all turns under one draft model, verify model, judge, policy and audit rate; a change of any begins another.
Rule: never a rate without its count, and nothing is certified that the judge's misses could undo: half of what 95 %
leaves of 100 is for the bound, the other half for the judge.
"""

from __future__ import annotations

from dataclasses import dataclass

from rlmc.quality.canaries import corrected, sensitivity
from rlmc.quality.certificate import Certificate

_MOST_TURNS = 10_000_000


@dataclass(frozen=True, slots=True)
class Audited:
    """One audit: the probability of its coin and the loss it ended with; None while it has not, which counts as 1."""

    probability: float
    loss: float | None


@dataclass(frozen=True, slots=True)
class Epoch:
    """`turns` are all of the epoch's, `served` those that a draft answered, each with a coin; `planted` faults were
    shown to the judge, who `caught` so many."""

    turns: int
    served: int
    audits: tuple[Audited, ...]
    planted: int
    caught: int


@dataclass(frozen=True, slots=True)
class Standing:
    """Bounds on the mean loss, from 0 to 1: of served turns as the judge saw them, of served turns with what the judge
    may miss, and the same of all turns. `judge` is the least share of faults the judge may be catching. `to_go` is
    about how many more audits without a loss it takes to meet the target; None where no number of them would."""

    bound: float
    corrected: float
    overall: float
    judge: float
    audits: int
    waiting: int
    material: int
    minor: int
    loss: float
    target: float
    to_go: int | None

    @property
    def certified(self) -> bool:
        return self.overall <= self.target


def standing(epoch: Epoch, *, target: float, confidence: float, least: float) -> Standing:
    """`least` is the smallest probability an audit of this epoch may have had, `target` what the overall bound is to
    be at most."""
    half = (1 - confidence) / 2
    losses = [1.0 if one.loss is None else one.loss for one in epoch.audits]
    judge = sensitivity(epoch.caught, epoch.planted, half)
    share = epoch.served / epoch.turns if epoch.turns else 0.0
    bound = _bound(epoch, epoch.served, half, least)
    settled = [one.loss for one in epoch.audits if one.loss is not None]
    return Standing(
        bound=bound,
        corrected=corrected(bound, judge),
        overall=corrected(bound, judge) * share,
        judge=judge,
        audits=len(epoch.audits),
        waiting=len(epoch.audits) - len(settled),
        material=sum(loss >= 1 for loss in settled),
        minor=sum(0 < loss < 1 for loss in settled),
        loss=sum(losses),
        target=target,
        to_go=_to_go(epoch, target, half, least, judge, share),
    )


def _bound(epoch: Epoch, served: int, delta: float, least: float) -> float:
    certificate = Certificate(least, delta)
    certificate.served(served)
    for one in epoch.audits:
        certificate.drawn(one.probability)
        if one.loss is not None:
            certificate.settled(one.probability, one.loss)
    return certificate.bound


def _to_go(epoch: Epoch, target: float, delta: float, least: float, judge: float, share: float) -> int | None:
    """Counting on turns as they were: the same share of them served, audited at the least rate, none with a loss."""
    if not share or not judge:
        return None

    def met(served: int) -> bool:
        return corrected(_bound(epoch, served, delta, least), judge) * share <= target

    if met(epoch.served):
        return 0
    low, high = epoch.served, max(1, epoch.served)
    while not met(high):
        low, high = high, high * 2
        if high > _MOST_TURNS:
            return None
    while high - low > max(1, low // 100):
        middle = (low + high) // 2
        low, high = (low, middle) if met(middle) else (middle, high)
    return max(1, round((high - epoch.served) * least))
