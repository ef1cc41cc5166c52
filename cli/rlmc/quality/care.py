"""What is known of one epoch's drafts while it goes on, and what may be served next: the closed loop.

Every turn lets the price of a regression sink a little, every audit that is drawn lets it rise as if it had been lost,
and its end gives back what was not. Rule: nothing is forgotten on a restart, and a loss counts before it is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from math import log
from typing import Any

from rlmc.domain.frozen import dataclass
from rlmc.quality.alarm import Alarm
from rlmc.quality.controller import LOW, TOP, Controller
from rlmc.quality.posterior import Posterior

GRAVE = 0.5
"""A loss that counts towards a stop: material in one order of the two candidates at least."""
_IN_A_ROW = 3
_WATCHFUL, _WATCHFUL_RATE = 60, 0.10
_ALARM_RAISES = log(2)
_COSTS, _SOME_COSTS = 25, 5
# Leading indicators: so many signs of regret, so many times as often as after answers of the verify model.
_SIGNS, _RATIO, _FADES = 30.0, 2.0, 0.999


@dataclass(slots=True)
class Care:
    """`costs` are what the last direct turns were expected to cost, in picodollars. `since_bad` counts served turns
    since the last audit with a loss, `in_a_row` grave losses that followed each other. `stopped`: so many did that
    nothing is served until the user has looked. `signs`, by bucket: drafts, those of them with a sign of regret behind
    them, answers of the verify model, those of them."""

    controller: Controller
    alarm: Alarm
    posteriors: dict[str, Posterior] = field(default_factory=dict)
    costs: list[int] = field(default_factory=list)
    turns: int = 0
    since_bad: int = _WATCHFUL
    in_a_row: int = 0
    stopped: bool = False
    signs: dict[str, list[float]] = field(default_factory=dict)
    _risks: dict[str, float] = field(default_factory=dict, repr=False)
    _usual: float | None = field(default=None, repr=False)

    @classmethod
    def begin(cls, target: float) -> Care:
        return cls(Controller(target), Alarm(target))

    def aim(self, target: float) -> None:
        """The user's target from now on."""
        if target != self.controller.target:
            self.controller = replace(self.controller, target=target)
            self.alarm = replace(self.alarm, target=target)
            self.posteriors = {bucket: replace(one, target=target) for bucket, one in self.posteriors.items()}
            self._risks.clear()
            self._usual = None

    # --- what holds for the next turn ---------------------------------------------------------------------------------

    def probability(self, rate: float) -> float:
        """That of the next served turn's audit, never below `rate`: higher for a while after a loss."""
        return max(rate, _WATCHFUL_RATE) if self.since_bad < _WATCHFUL else rate

    @property
    def price(self) -> float:
        """Of one regression, in usual costs of a direct turn."""
        return self.controller.price

    @property
    def usual_cost(self) -> int | None:
        """Of a direct turn, in picodollars; None before some are known: the first of a session is a dear one."""
        return sorted(self.costs)[(len(self.costs) - 1) // 2] if len(self.costs) >= _SOME_COSTS else None

    @property
    def closed(self) -> bool:
        return self.controller.closed

    @property
    def risks(self) -> Mapping[str, float]:
        for bucket, posterior in self.posteriors.items():
            if bucket not in self._risks:
                self._risks[bucket] = posterior.risk
        return self._risks

    @property
    def usual_risk(self) -> float:
        """Of a bucket nothing is known of."""
        if self._usual is None:
            self._usual = Posterior(self.controller.target).risk
        return self._usual

    @property
    def suspects(self) -> frozenset[str]:
        """Buckets whose drafts are followed by signs of regret far more often than the verify model's answers are."""
        return frozenset(
            bucket
            for bucket, (drafts, bad, own, own_bad) in self.signs.items()
            if bad >= _SIGNS and own and bad / drafts > _RATIO * (own_bad + 1) / (own + 1)
        )

    # --- what happens -------------------------------------------------------------------------------------------------

    def turn(self, direct_cost: int | None) -> None:
        """A turn has ended, whoever answered it. `direct_cost` is what the verify model alone was expected to cost;
        None where that is unknown, or says nothing of others."""
        self.turns += 1
        self.controller = self.controller.turn()
        if direct_cost:
            self.costs = [*self.costs[-_COSTS + 1 :], direct_cost]

    def served(self, *, drawn: float | None) -> None:
        """A draft answered the turn. `drawn` is the probability of its audit where the coin fell on one."""
        self.since_bad += 1
        if drawn is None:
            self._watch(0.0)
        else:
            self.controller = self.controller.lost(1.0, drawn)

    def ended(self, bucket: str, probability: float, loss: float, *, judged: bool) -> None:
        """An audit that was drawn has ended. `judged` is false where there was no verdict, which is a loss of 1."""
        self.controller = self.controller.lost(loss - 1.0, probability)
        self._watch(loss / probability)
        if loss > 0:
            self.since_bad = 0
        if not judged:
            return
        self.learn(bucket, loss)
        self.in_a_row = self.in_a_row + 1 if loss >= GRAVE else 0
        if self.in_a_row >= _IN_A_ROW:
            self.stopped = True

    def learn(self, bucket: str, loss: float) -> None:
        known = self.posteriors.get(bucket) or Posterior(self.controller.target)
        self.posteriors[bucket] = known.learn(loss)
        self._risks.pop(bucket, None)

    def followed(self, bucket: str, *, by_draft: bool, regretted: bool) -> None:
        """What came after an answer is known. Older signs of its bucket fade, so that no suspicion lasts for ever:
        where nothing is drafted any more, the verify model's answers make it fade."""
        counts = self.signs[bucket] = [_FADES * count for count in self.signs.get(bucket, [0.0] * 4)]
        at = 0 if by_draft else 2
        counts[at] += 1
        counts[at + 1] += regretted

    def look(self) -> None:
        """The user has looked: drafts may be served again."""
        self.stopped, self.in_a_row = False, 0
        self.signs = {}

    def _watch(self, estimate: float) -> None:
        before, self.alarm = self.alarm.times, self.alarm.turn(estimate)
        if self.alarm.times > before:
            raised = min(self.controller.log_price + _ALARM_RAISES, TOP)
            self.controller = replace(self.controller, log_price=max(raised, self.controller.log_price))
            # What was learnt before the change tells little of what comes after it.
            self.posteriors = {b: replace(p, worse=p.worse / 2, good=p.good / 2) for b, p in self.posteriors.items()}
            self._risks.clear()

    # --- kept ---------------------------------------------------------------------------------------------------------

    def record(self) -> dict[str, Any]:
        return {
            "target": self.controller.target,
            "log_price": self.controller.log_price,
            "alarm": self.alarm.value,
            "alarms": self.alarm.times,
            "posteriors": {b: [p.worse, p.good, p.verdicts] for b, p in self.posteriors.items()},
            "costs": self.costs,
            "turns": self.turns,
            "since_bad": self.since_bad,
            "in_a_row": self.in_a_row,
            "stopped": self.stopped,
            "signs": {b: [round(count, 6) for count in counts] for b, counts in self.signs.items()},
        }

    @classmethod
    def from_record(cls, kept: Mapping[str, Any]) -> Care:
        """Raises KeyError, TypeError or ValueError on what `record` has not written."""
        target = float(kept["target"])
        if not 0 < target < 1:
            raise ValueError(f"a target of {target} is no share")
        return cls(
            Controller(target, max(LOW, float(kept["log_price"]))),
            Alarm(target, float(kept["alarm"]), int(kept["alarms"])),
            {
                str(bucket): Posterior(target, float(worse), float(good), int(verdicts))
                for bucket, (worse, good, verdicts) in kept["posteriors"].items()
            },
            [int(cost) for cost in kept["costs"]],
            int(kept["turns"]),
            int(kept["since_bad"]),
            int(kept["in_a_row"]),
            bool(kept["stopped"]),
            {str(b): [float(count) for count in counts] for b, counts in kept["signs"].items() if len(counts) == 4},
        )
