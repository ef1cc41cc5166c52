"""What a calibration may cost, told before it begins: about, and at most.

Rule: an unknown price makes both unknown. What a cache may spare is left out.
"""

from __future__ import annotations

from collections.abc import Sequence

from rlmc.calibrate.compare import JUDGE_TOKENS
from rlmc.calibrate.states import MAX_TOKENS, Models, State
from rlmc.domain.chat import Usage
from rlmc.domain.frozen import dataclass
from rlmc.domain.money import Picodollars, add
from rlmc.pricing.catalog import PriceTable

# A request's own tools and instruction, in tokens; a judge's instruction; and what usual answers are long.
_FRAME, _JUDGE_FRAME = 2_500, 700
_USUAL_DRAFT, _USUAL_JUDGEMENT = 300, 200
_USUAL_CHARS, _FEWEST_CHARS = 3.7, 2.5  # for a token
# Of ten drafts so many usually differ from what was done, and are judged; some of them in both orders.
_JUDGEMENTS_OF_TEN = 6
_MOST_JUDGEMENTS = 2


@dataclass(frozen=True, slots=True)
class Estimate:
    states: int
    about: Picodollars | None
    most: Picodollars | None


def estimate(states: Sequence[State], models: Models, prices: PriceTable, at: int) -> Estimate:
    """`at` is the moment whose prices hold."""
    if not states:
        return Estimate(0, 0, 0)
    about: list[Picodollars | None] = []
    most: list[Picodollars | None] = []
    question = models.brief_tokens + _JUDGE_FRAME

    def charge(usage: Usage, *, judge: bool) -> Picodollars | None:
        return prices.charge(models.verify if judge else models.draft, usage, at).cost

    for state in states:
        about.append(charge(Usage(input=_tokens(state, _USUAL_CHARS), output=_USUAL_DRAFT), judge=False))
        most.append(charge(Usage(input=_tokens(state, _FEWEST_CHARS), output=MAX_TOKENS), judge=False))
    usual = charge(Usage(input=question, output=_USUAL_JUDGEMENT), judge=True)
    longest = charge(Usage(cache_write_5m=question + MAX_TOKENS, output=JUDGE_TOKENS), judge=True)
    about.append(None if usual is None else usual * len(states) * _JUDGEMENTS_OF_TEN // 10)
    most.append(None if longest is None else longest * len(states) * _MOST_JUDGEMENTS)
    return Estimate(len(states), add(about), add(most))


def _tokens(state: State, chars: float) -> int:
    return round(state.chars / chars) + _FRAME
