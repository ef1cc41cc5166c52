"""Which kinds of drafts may be served, told from labels: a fixed-sequence test over the kinds, the safest first.

A kind opens if the exact upper bound on its rate of worse drafts is at most the limit; the first that does not ends the
test, and all after it stay shut. Each kind is tested at the whole error level, and still the chance that any kind opens
whose rate is above the limit is at most that level: to open such a kind, the first of them in the order has to pass.

Rule: the order is fixed before anything is known. A kind with so few labels that it could not open even without a loss
is not tested but passed over, and stays shut: that follows from how many labels there are, which says nothing of how
many of them are losses, so the order of those that are tested is still fixed before the first loss is looked at. Any
loss counts as a whole one: the exact test knows yes and no.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, log
from typing import Literal

from rlmc.domain.frozen import dataclass
from rlmc.quality.chances import upper_rate

FACTOR = 2.5
"""A kind may be worse so many times as often as all turns may: most of them have no draft, or one of a better kind."""

Verdict = Literal["open", "shut", "few", "unreached"]
"""`shut` failed the test and ended it, `few` was not tested for want of labels, `unreached` stands after the end."""


@dataclass(frozen=True, slots=True)
class Labels:
    """What is known of one kind of drafts: how many were compared, how many of them were worse at all, and the sum of
    their losses."""

    bucket: str
    count: int
    worse: int
    loss: float


@dataclass(frozen=True, slots=True)
class Opening:
    """What follows for one kind. `bound` is the upper bound on its rate of worse drafts, 1 without labels."""

    labels: Labels
    bound: float
    verdict: Verdict

    @property
    def opened(self) -> bool:
        return self.verdict == "open"


def limit_of(target: float) -> float:
    """The highest rate of worse drafts a kind may have, if `target` is the share of turns that may be worse."""
    return min(1.0, FACTOR * target)


def needed(limit: float, confidence: float) -> int:
    """How many labels without a loss a kind takes to open."""
    if limit >= 1:
        return 1
    least = max(1, ceil(log(1 - confidence) / log(1 - limit)) - 1)  # rounding may have gone either way
    while upper_rate(0, least, confidence) > limit:
        least += 1
    return least


def openings(found: Sequence[Labels], limit: float, confidence: float) -> tuple[Opening, ...]:
    """`found` in the order of the test."""
    enough = needed(limit, confidence)
    results: list[Opening] = []
    over = False
    for one in found:
        bound = upper_rate(one.worse, one.count, confidence)
        verdict: Verdict
        if one.count < enough:
            verdict = "few"
        elif over:
            verdict = "unreached"
        else:
            verdict = "open" if bound <= limit else "shut"
            over = verdict == "shut"
        results.append(Opening(one, bound, verdict))
    return tuple(results)
