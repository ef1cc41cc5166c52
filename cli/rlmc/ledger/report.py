"""From rows to the account a user reads: what was paid, what the verify model alone would have cost, what that saved.

Rule: pure, and honest about gaps. An unknown amount is never counted as 0: a sum over one is a bound (`Amount`), and a
saving between two bounds is a bound or unknown (`Saving`). Simulated turns are never added to real ones.
"""

from __future__ import annotations

import math
from bisect import insort
from collections import Counter
from collections.abc import Iterable
from dataclasses import field
from typing import Literal

from rlmc.domain.frozen import dataclass
from rlmc.domain.money import Picodollars
from rlmc.domain.outcome import Outcome, Reason
from rlmc.ledger.queries import CallRow, SessionRow, TurnRow

_SURE = 1.96  # standard deviations to either side that hold 95 %

AUDITING = ("audit", "judge")
"""The roles of calls that only judge a draft after the fact."""

Grouping = Literal["session", "day", "hour", "model", "outcome", "client", "project", "branch"]


@dataclass(slots=True)
class Amount:
    """A sum of money of which `missing` parts are unknown: with any of them it is "at least" `known`."""

    known: Picodollars = 0
    missing: int = 0

    @property
    def exact(self) -> Picodollars | None:
        return None if self.missing else self.known

    def add(self, part: Picodollars | None) -> None:
        if part is None:
            self.missing += 1
        else:
            self.known += part


@dataclass(frozen=True, slots=True)
class Saving:
    """Baseline minus paid; negative is a loss. `bound` says what the figure is when parts of either are unknown."""

    amount: Picodollars | None
    bound: Literal["exact", "at most", "at least", "unknown"]


@dataclass(slots=True)
class Side:
    """The calls of one side, draft or verify. Prompt tokens come in the four disjoint classes."""

    calls: int = 0
    input: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    output: int = 0
    thinking: int = 0
    paid: Amount = field(default_factory=Amount)

    @property
    def prompt(self) -> int:
        return self.input + self.cache_read + self.cache_write_5m + self.cache_write_1h

    @property
    def read_share(self) -> float | None:
        return self.cache_read / self.prompt if self.prompt else None

    def add(self, call: CallRow) -> None:
        self.calls += 1
        self.input += call.input
        self.cache_read += call.cache_read
        self.cache_write_5m += call.cache_write_5m
        self.cache_write_1h += call.cache_write_1h
        self.output += call.output
        self.thinking += call.thinking
        self.paid.add(call.cost)


@dataclass(slots=True)
class Latencies:
    """How many there are and their percentiles in milliseconds (nearest rank, see `rank`), None where there are none.

    The ledger's totals give the figures; who has single values adds them one by one, and they are kept.
    """

    count: int = 0
    p50: float | None = None
    p95: float | None = None
    _ordered: list[float] = field(default_factory=list, repr=False, compare=False)

    @classmethod
    def of(cls, values: Iterable[float]) -> Latencies:
        """Of many at once; they are not kept."""
        ordered = sorted(values)
        count = len(ordered)
        return cls(count, ordered[rank(50, count) - 1], ordered[rank(95, count) - 1]) if count else cls()

    def percentile(self, percent: int) -> float | None:
        """The 50th or the 95th: nobody asks for others."""
        return {50: self.p50, 95: self.p95}[percent]

    def add(self, value: float) -> None:
        insort(self._ordered, value)
        self.count = len(self._ordered)
        self.p50, self.p95 = (self._ordered[rank(percent, self.count) - 1] for percent in (50, 95))


def rank(percent: int, count: int) -> int:
    """Which of `count` ordered values, counted from 1, is the percentile: the first that so many do not exceed."""
    return max(1, -(-percent * count // 100))


def is_served(outcome: str, reason: str) -> bool:
    """Whether a draft answered without the verify model having seen it on the whole prompt: what audits are about."""
    return outcome == Outcome.SKIPPED or (outcome == Outcome.ACCEPTED and reason == Reason.BRIEF)


@dataclass(slots=True)
class SavingsReport:
    """The account of some turns. `first_at` and `session_name` are the first turn's. Latencies are those of turns that
    came to a proper end.

    Every call is one of `draft` or `verify`. Of these, `wasted` are drafts nobody got, `brief` verifications on a
    compact context, `keepalive` calls that only kept a cache warm, `audit` calls that only judged drafts after the fact
    (the verify model's answer without the draft, and comparisons). `draft_only` is what the draft model alone would
    have cost.
    Of the turns that a draft answered and the verify model did not check on the whole prompt, `coins` counts those for
    which a coin decided on an audit, by epoch, `unaudited` those that none could have been drawn for.
    `baseline_latency` is what turns would have taken without rlmc, judged by the direct calls. `unpriced` counts calls
    of which the tokens are known but not the price, by model; `unmeasured` calls that sent no usage at all.
    """

    turns: int = 0
    first_at: int | None = None
    session_name: str | None = None
    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    paid: Amount = field(default_factory=Amount)
    baseline: Amount = field(default_factory=Amount)
    baseline_estimated: int = 0
    baseline_bias: float = 0.0
    baseline_noise: float = 0.0
    draft_only: Amount = field(default_factory=Amount)
    draft: Side = field(default_factory=Side)
    verify: Side = field(default_factory=Side)
    wasted: Side = field(default_factory=Side)
    brief: Side = field(default_factory=Side)
    keepalive: Side = field(default_factory=Side)
    audit: Side = field(default_factory=Side)
    latency: Latencies = field(default_factory=Latencies)
    latency_by_outcome: dict[str, Latencies] = field(default_factory=dict)
    baseline_latency: Latencies = field(default_factory=Latencies)
    unpriced: Counter[str] = field(default_factory=Counter)
    unmeasured: int = 0
    estimated_calls: int = 0
    audits: int = 0
    coins: Counter[str] = field(default_factory=Counter)
    unaudited: int = 0
    unfinished: int = 0
    simulated: bool = False

    @property
    def half_width(self) -> Picodollars:
        """How far the baseline may be off to either side, at 95 %: what is biased adds up, what is noise evens out."""
        return round(self.baseline_bias + _SURE * math.sqrt(self.baseline_noise))

    @property
    def saving(self) -> Saving:
        difference = self.baseline.known - self.paid.known
        match bool(self.paid.missing), bool(self.baseline.missing):
            case False, False:
                return Saving(difference, "exact")
            case True, False:
                return Saving(difference, "at most")
            case False, True:
                return Saving(difference, "at least")
            case _:
                return Saving(None, "unknown")

    @property
    def share(self) -> float | None:
        """The saving as a share of the baseline, when both are known."""
        saved, whole = self.saving, self.baseline.known
        return None if saved.bound != "exact" or saved.amount is None or whole <= 0 else saved.amount / whole

    @property
    def break_even(self) -> float | None:
        """How many more turns, as a share, rlmc may have caused before the saving is gone."""
        share = self.share
        return None if share is None or not 0 < share < 1 else 1 / (1 - share) - 1

    @property
    def auto_mode_turns(self) -> int:
        return self.reasons[Reason.SAFEGUARDS.value]

    @property
    def drafted_turns(self) -> int:
        """Turns whose answer is a draft."""
        return self.outcomes[Outcome.SKIPPED.value] + self.outcomes[Outcome.ACCEPTED.value]

    def add(self, turn: TurnRow) -> None:
        if not self.turns:
            self.first_at, self.session_name = turn.started_at, turn.session_name
        self.turns += 1
        self.simulated = bool(turn.simulated)
        self.outcomes[turn.outcome] += 1
        self.reasons[turn.reason] += 1
        self.baseline.add(turn.baseline)
        self.baseline_estimated += bool(turn.baseline_estimated)
        self.baseline_bias += turn.baseline_bias
        self.baseline_noise += turn.baseline_noise
        self.draft_only.add(turn.draft_only)
        if turn.epoch is not None:
            self.coins[turn.epoch] += turn.coin is not None
        elif is_served(turn.outcome, turn.reason):
            self.unaudited += 1
        if turn.ending == "complete":
            self.latency.add(turn.latency_ms)
            self.latency_by_outcome.setdefault(turn.outcome, Latencies()).add(turn.latency_ms)
        else:
            self.unfinished += 1
        for call in turn.calls:
            self._add_call(turn, call)

    def _add_call(self, turn: TurnRow, call: CallRow) -> None:
        self.paid.add(call.cost)
        self.estimated_calls += bool(call.estimated)
        self.audits += call.role == "audit"
        if call.cost is None and call.measured:
            self.unpriced[f"{call.provider}/{call.model}"] += 1
        elif call.cost is None:
            self.unmeasured += 1
        if call.role == "draft":
            self.draft.add(call)
            if not call.served:
                self.wasted.add(call)
        else:
            self.verify.add(call)
        if call.brief:
            self.brief.add(call)
        if call.role == "keepalive":
            self.keepalive.add(call)
        if call.role in AUDITING:
            self.audit.add(call)
        if call.role == "direct" and call.served and turn.ending == "complete":
            self.baseline_latency.add(call.latency_ms)


@dataclass(frozen=True, slots=True)
class SessionAccount:
    """A session and its whole account, also where only some of its turns were asked for: a saving belongs to all."""

    session: SessionRow
    report: SavingsReport


@dataclass(frozen=True, slots=True)
class Account:
    """A report, the same by groups, and how many simulated turns were left out because there are real ones."""

    total: SavingsReport
    groups: tuple[tuple[str, SavingsReport], ...]
    left_out: int
