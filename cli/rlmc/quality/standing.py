"""What may be said of the quality of one epoch: the bound, what it counts, and whether it meets its target.

An epoch is all turns under one draft model, verify model, judge, policy and audit rate; a change of any begins another.
Rule: never a rate without its count, and nothing is certified that the judge's misses could undo: half of what 95 %
leaves of 100 is for the bound, the other half for the judge.
"""

from __future__ import annotations

from rlmc.domain.frozen import dataclass
from rlmc.quality.canaries import AT_FIRST, THEN, corrected, sensitivity
from rlmc.quality.certificate import Certificate

_MOST_TURNS = 10_000_000
MINOR = 0.25
"""What a minor loss counts; found in one order of the two candidates only, it counts half of that."""


@dataclass(frozen=True, slots=True)
class Audited:
    """One audit: the probability of its coin and the loss it ended with; None while it has not, which counts as 1.
    `verdict` is false where there was none to be had, or, without a loss, where none is to come any more."""

    probability: float
    loss: float | None
    verdict: bool = True


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
    may miss, and the same of all turns. `judge` is the least share of faults the judge may be catching.

    Of the `audits` some are `waiting` for their end, some are `lost` and will have none, some `failed`: they ended
    without a verdict. Each of these counts as a loss of 1. The verdicts of the others were `material` losses, `minor`
    ones, in between where the judge `disputed` itself, or none. `estimate` is what the mean loss of all turns seems to
    be, without being a bound. `to_go` is about how many more audits without a loss it takes to meet the target; None
    where no number of them would.
    """

    turns: int
    served: int
    bound: float
    corrected: float
    overall: float
    judge: float
    planted: int
    caught: int
    audits: int
    waiting: int
    lost: int
    failed: int
    material: int
    minor: int
    disputed: int
    loss: float
    estimate: float
    target: float
    confidence: float
    to_go: int | None

    @property
    def worse(self) -> int:
        return self.material + self.minor + self.disputed

    @property
    def ended(self) -> int:
        return self.audits - self.waiting - self.lost

    @property
    def certified(self) -> bool:
        """Nothing is before an audit has ended."""
        return self.ended > 0 and self.overall <= self.target


def standing(epoch: Epoch, *, target: float, confidence: float, least: float) -> Standing:
    """`least` is the smallest probability an audit of this epoch may have had, `target` what the overall bound is to
    be at most."""
    half = half_of(confidence)
    judge = sensitivity(epoch.caught, epoch.planted, half)
    share = epoch.served / epoch.turns if epoch.turns else 0.0
    certificate = _certificate(epoch, half, least)
    bound = certificate.bound
    verdicts = [one.loss for one in epoch.audits if one.loss is not None and one.verdict]
    open = [one for one in epoch.audits if one.loss is None]
    waiting = sum(one.verdict for one in open)
    return Standing(
        turns=epoch.turns,
        served=epoch.served,
        bound=bound,
        corrected=corrected(bound, judge),
        overall=corrected(bound, judge) * share,
        judge=judge,
        planted=epoch.planted,
        caught=epoch.caught,
        audits=len(epoch.audits),
        waiting=waiting,
        lost=len(open) - waiting,
        failed=len(epoch.audits) - len(open) - len(verdicts),
        material=sum(loss >= 1 for loss in verdicts),
        minor=sum(0 < loss <= MINOR for loss in verdicts),
        disputed=sum(MINOR < loss < 1 for loss in verdicts),
        loss=sum(_loss(one) for one in epoch.audits),
        estimate=_estimate(epoch),
        target=target,
        confidence=confidence,
        to_go=_to_go(epoch, certificate, target, half, share),
    )


def half_of(confidence: float) -> float:
    """What is left for the bound, and as much again for the judge."""
    return (1 - confidence) / 2


def meets(certificate: Certificate, judge: float, share: float, target: float) -> bool:
    """Whether no more than `target` of all turns can be worse, if a draft answered this share of them and the judge
    catches at least `judge` of all faults. The same as working the bound out, without doing so."""
    return share <= target or not certificate.covers(target * judge / share)


def _loss(audit: Audited) -> float:
    return 1.0 if audit.loss is None else audit.loss


def _estimate(epoch: Epoch) -> float:
    """Each audit stands for as many served turns as its coin had to fall for one, each caught loss for some missed."""
    if not epoch.turns:
        return 0.0
    caught = epoch.caught / epoch.planted if epoch.caught else 1.0
    return sum(_loss(one) / one.probability for one in epoch.audits) / caught / epoch.turns


def _certificate(epoch: Epoch, delta: float, least: float) -> Certificate:
    certificate = Certificate(least, delta)
    certificate.served(epoch.served)
    for one in epoch.audits:
        if one.loss == 0:
            continue  # what was lost when it was drawn was given back when it ended
        certificate.drawn(one.probability)
        if one.loss is not None:
            certificate.settled(one.probability, one.loss)
    return certificate


def _to_go(epoch: Epoch, certificate: Certificate, target: float, half: float, share: float) -> int | None:
    """Counting on turns as they were: the same share of them served, audited at the least rate, none with a loss; and
    on a judge that finds planted faults as it did."""
    if not share or (epoch.planted and not epoch.caught):
        return None
    finds = epoch.caught / epoch.planted if epoch.planted else 1.0

    def met(served: int) -> bool:
        audits = (served - epoch.served) * certificate.least
        first = min(audits, max(0, AT_FIRST - epoch.planted))
        planted = round(first + (audits - first) * THEN)
        certificate.turns = served
        judge = sensitivity(epoch.caught + round(planted * finds), epoch.planted + planted, half)
        return judge > 0 and meets(certificate, judge, share, target)

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
    return max(1, round((high - epoch.served) * certificate.least))
