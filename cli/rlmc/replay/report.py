"""What policies would have made of recorded calls, added up: paid, baseline, saved, and how sure that is.

Rule: a price that is not known is never counted as 0: a sum over one is a bound. Savings belong to whole sessions, so
the interval is over sessions, drawn anew with a fixed seed: the same replay gives the same interval. Memory grows by
two numbers a session, not with its calls.
"""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import field
from functools import lru_cache
from random import Random
from typing import Literal

from rlmc.domain.frozen import dataclass
from rlmc.domain.money import Picodollars
from rlmc.domain.outcome import Outcome
from rlmc.domain.turn import Model
from rlmc.ledger.report import Amount, Saving
from rlmc.replay.recorded import RecordedCall
from rlmc.replay.run import ReplayedTurn

Grouping = Literal["project", "model", "day", "session"]

_RESAMPLES = 2000
_SEED = 20
# With fewer sessions the draws repeat themselves, and an interval would look surer than it is.
FEWEST_SESSIONS = 5
# Sessions beyond so many are drawn in this many bundles, which tell as much and cost less.
_BUNDLES = 1000
_TAIL = 0.025
# Durations are kept as counts of steps of one per cent.
_STEPS = 100


@lru_cache(maxsize=1 << 14)  # every policy counts the same ones
def _step(seconds: float) -> int:
    return round(math.log(max(seconds, 1e-3)) * _STEPS)


@dataclass(slots=True)
class Spread:
    """How durations spread, in bounded memory. A percentile (nearest rank) is within half a per cent."""

    count: int = 0
    _steps: Counter[int] = field(default_factory=Counter)

    def add(self, seconds: float) -> None:
        self.count += 1
        self._steps[_step(seconds)] += 1

    def percentile(self, percent: int) -> float | None:
        """In seconds; None of nothing."""
        rank = max(1, -(-percent * self.count // 100))
        for step in sorted(self._steps):
            rank -= self._steps[step]
            if rank <= 0:
                return math.exp(step / _STEPS)
        return None


@dataclass(slots=True)
class Tally:
    """What one policy, with one draft model, would have made of some calls.

    `audits` is what looking at a share of the skipped turns afterwards is expected to cost; it is in no other figure.
    `draft_only` is what the draft model alone would have cost, `optimum` the least anybody could have paid under the
    policy's constraints (None where that was not reckoned). `recorded` and `estimate` are durations of the same calls.
    """

    calls: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    paid: Amount = field(default_factory=Amount)
    baseline: Amount = field(default_factory=Amount)
    draft_only: Amount = field(default_factory=Amount)
    audits: Amount = field(default_factory=Amount)
    optimum: Amount | None = None
    wasted: int = 0
    briefs: int = 0
    recorded: Spread = field(default_factory=Spread)
    estimate: Spread = field(default_factory=Spread)
    _sessions: list[tuple[Picodollars, Picodollars]] = field(default_factory=list)

    def add(self, turns: Iterable[ReplayedTurn]) -> None:
        """The turns of one session, or those of its turns that belong here."""
        baseline = paid = 0
        for turn in turns:
            self.calls += 1
            self.outcomes[turn.outcome] += 1
            self.paid.add(turn.paid)
            self.baseline.add(turn.baseline)
            self.draft_only.add(turn.draft_only)
            self.audits.add(turn.audit)
            self.wasted += turn.wasted
            self.briefs += turn.brief
            baseline += turn.baseline or 0
            paid += turn.paid or 0
            if turn.latency_s is not None and turn.call.latency_s is not None:
                self.recorded.add(turn.call.latency_s)
                self.estimate.add(turn.latency_s)
        self._sessions.append((baseline, paid))

    @property
    def sessions(self) -> int:
        return len(self._sessions)

    @property
    def saving(self) -> Saving:
        return saving(self.baseline, self.paid)

    @property
    def share(self) -> float | None:
        """The saving as a share of the baseline, where both are known."""
        return _share(self.saving, self.baseline)

    @property
    def audited(self) -> Saving:
        """The saving once the audits are paid, too."""
        return saving(self.baseline, _sum(self.paid, self.audits))

    @property
    def audited_share(self) -> float | None:
        return _share(self.audited, self.baseline)

    @property
    def draft_only_share(self) -> float | None:
        return _share(saving(self.baseline, self.draft_only), self.baseline)

    @property
    def optimum_share(self) -> float | None:
        return None if self.optimum is None else _share(saving(self.baseline, self.optimum), self.baseline)

    def outcome_share(self, outcome: Outcome) -> float:
        return self.outcomes[outcome] / self.calls if self.calls else 0.0

    def interval(self) -> tuple[float, float] | None:
        """Where the saved share lies in 95 of 100 draws of as many sessions; None where it is unknown, or the sessions
        are too few."""
        if self.share is None or len(self._sessions) < FEWEST_SESSIONS:
            return None
        bundles = self._sessions
        if len(bundles) > _BUNDLES:
            mixed = Random(_SEED).sample(bundles, len(bundles))  # noqa: S311 - neighbours may be alike
            parts = (mixed[start::_BUNDLES] for start in range(_BUNDLES))
            bundles = [(sum(whole for whole, _ in part), sum(paid for _, paid in part)) for part in parts]
        return _bootstrap(bundles)


def _bootstrap(pairs: Sequence[tuple[Picodollars, Picodollars]]) -> tuple[float, float] | None:
    wholes, paids = [float(whole) for whole, _ in pairs], [float(paid) for _, paid in pairs]
    shares: list[float] = []
    for drawn in _draws(len(pairs)):
        whole = sum(map(wholes.__getitem__, drawn))
        if whole > 0:
            shares.append(1 - sum(map(paids.__getitem__, drawn)) / whole)
    if not shares:
        return None
    shares.sort()
    return shares[int(_TAIL * len(shares))], shares[min(len(shares) - 1, math.ceil((1 - _TAIL) * len(shares)) - 1)]


@lru_cache(maxsize=1)
def _draws(count: int) -> tuple[array[int], ...]:
    """Draws do not depend on the figures, so policies over the same sessions are compared on the same draws."""
    random = Random(_SEED)  # noqa: S311 - statistics, not secrets
    return tuple([array("H", random.choices(range(count), k=count)) for _ in range(_RESAMPLES)])


def saving(baseline: Amount, paid: Amount) -> Saving:
    difference = baseline.known - paid.known
    match bool(paid.missing), bool(baseline.missing):
        case False, False:
            return Saving(difference, "exact")
        case True, False:
            return Saving(difference, "at most")
        case False, True:
            return Saving(difference, "at least")
        case _:
            return Saving(None, "unknown")


def _share(saved: Saving, baseline: Amount) -> float | None:
    known = saved.bound == "exact" and saved.amount is not None and baseline.known > 0
    return saved.amount / baseline.known if known and saved.amount is not None else None


def _sum(one: Amount, other: Amount) -> Amount:
    return Amount(one.known + other.known, one.missing + other.missing)


@dataclass(slots=True)
class PolicyReport:
    """One policy with one draft model: everything, and by groups."""

    policy: str
    total: Tally = field(default_factory=Tally)
    groups: dict[str, Tally] = field(default_factory=dict)

    def add(self, turns: Sequence[ReplayedTurn], group_of: Callable[[RecordedCall], str] | None) -> None:
        """The turns of one session."""
        self.total.add(turns)
        if group_of is None:
            return
        parts: dict[str, list[ReplayedTurn]] = {}
        for turn in turns:
            parts.setdefault(group_of(turn.call), []).append(turn)
        for key, part in parts.items():
            self.groups.setdefault(key, Tally()).add(part)


@dataclass(slots=True)
class DraftReport:
    """All policies with one draft model. `edits_direct` is balanced once more, with drafted edits left to the verify
    model; None where that was not asked or is the assumption anyway."""

    draft: Model
    policies: list[PolicyReport]
    edits_direct: Tally | None = None


@dataclass(slots=True)
class Records:
    """What the records themselves are. `unpriced` counts by verify model the sessions that were left out because it has
    no known price; `undated` those left out because they tell no time and a period was asked for."""

    sessions: int = 0
    calls: int = 0
    days: set[str] = field(default_factory=set)
    by_draft: int = 0
    unknown_answers: int = 0
    estimated_outputs: int = 0
    unpriced_sessions: int = 0
    unpriced: Counter[str] = field(default_factory=Counter)
    undated: int = 0
    clockless: int = 0

    def add(self, calls: Sequence[RecordedCall], day: Callable[[int], str]) -> None:
        """One session that is replayed."""
        self.sessions += 1
        self.calls += len(calls)
        self.clockless += not all(call.clock for call in calls)
        for call in calls:
            self.by_draft += call.by_draft
            self.unknown_answers += not call.known
            self.estimated_outputs += call.output_estimated
            if call.clock:
                self.days.add(day(call.at))
