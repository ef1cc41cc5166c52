"""Recorded sessions, one after the other, under every policy and draft model that is asked about.

Rule: a session is prepared once, played, counted and forgotten. One whose verify model has no known price is left out
of every figure, and said.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from rlmc.cascade.policies.policy import Policy
from rlmc.domain.frozen import dataclass
from rlmc.domain.turn import Model
from rlmc.ledger.report import Amount
from rlmc.pricing.catalog import PriceTable
from rlmc.replay.accuracy import Accuracy
from rlmc.replay.assumptions import Assumptions
from rlmc.replay.optimum import optimum
from rlmc.replay.prices import PricesOn
from rlmc.replay.recorded import RecordedCall
from rlmc.replay.report import DraftReport, Grouping, PolicyReport, Records, Tally
from rlmc.replay.run import Pair, PreparedSession, never_drafts, prepare, replay_all

# Those that decide by expected cost; what the best possible choice would be says nothing of the others.
ECONOMIC = ("balanced", "economy", "careful")
_BALANCED = "balanced"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the records. `day` names the local day of a moment; `since` and `until` choose sessions by their
    first call (unix microseconds). `prices_at` is the day of the prices."""

    pairs: tuple[Pair, ...]
    policies: tuple[Policy, ...]
    assumptions: Assumptions
    prices_at: int
    day: Callable[[int], str]
    by: Grouping | None = None
    since: int | None = None
    until: int | None = None
    optimum: bool = False
    accuracy: bool = False

    @property
    def verify(self) -> Model | None:
        return self.pairs[0].verify


class Study:
    def __init__(self, question: Question, table: PriceTable) -> None:
        self.question = question
        self.records = Records()
        self.drafts = [_empty(pair.draft, question) for pair in question.pairs]
        self.accuracy = Accuracy(question.verify) if question.accuracy else None
        self._prices = {clock: PricesOn(table, question.prices_at, clock=clock) for clock in (True, False)}

    def add(self, calls: Sequence[RecordedCall]) -> None:
        """One whole session, its calls in the order of time."""
        if not calls or not self._asked_for(calls):
            return
        prices = self._prices[calls[0].clock]
        unpriced = self._unpriced(calls, prices)
        if unpriced:
            self.records.unpriced_sessions += 1
            self.records.unpriced.update(map(str, unpriced))
            return
        question = self.question
        self.records.add(calls, question.day)
        session = prepare(calls, question.assumptions)
        if self.accuracy is not None:
            self.accuracy.add(session.prompts, prices)
        for pair, report in zip(question.pairs, self.drafts, strict=True):
            self._play(session, pair, report, prices)

    def _play(self, session: PreparedSession, pair: Pair, report: DraftReport, prices: PriceTable) -> None:
        question, assumed = self.question, self.question.assumptions
        plays: list[Policy] = []
        played: list[int] = []  # of each policy, which play is its own
        undrafted: int | None = None
        for policy in question.policies:
            never = never_drafts(session, policy)
            if never and undrafted is not None:
                # However they come to it, all policies that draft nothing here are the same.
                played.append(undrafted)
                continue
            if never:
                undrafted = len(plays)
            played.append(len(plays))
            plays.append(assumed.moved(policy))
        if report.edits_direct is not None:
            moved = replace(assumed, edits="direct")
            plays += [moved.moved(policy) for policy in question.policies if policy.name == _BALANCED]
        found = replay_all(session, plays, pair, assumed, prices)
        for policy, own, number in zip(question.policies, report.policies, played, strict=True):
            own.add(found[number], self._group if question.by is not None else None)
            if own.total.optimum is not None:
                best = optimum(session, policy, pair, assumed, prices)
                own.total.optimum.add(None if best is None else round(best))
        if report.edits_direct is not None:
            report.edits_direct.add(found[-1])

    def _asked_for(self, calls: Sequence[RecordedCall]) -> bool:
        question = self.question
        if question.since is None and question.until is None:
            return True
        if not calls[0].clock:
            self.records.undated += 1
            return False
        began = calls[0].at
        return (question.since is None or began >= question.since) and (
            question.until is None or began < question.until
        )

    def _unpriced(self, calls: Sequence[RecordedCall], prices: PriceTable) -> list[Model]:
        """The verify models of a session nobody knows a price of."""
        asked = {self.question.verify or Model(call.provider, call.model): call for call in calls}
        return [model for model, call in asked.items() if prices.lookup(model, call.at, call.prompt) is None]

    def _group(self, call: RecordedCall) -> str:
        match self.question.by:
            case "project":
                return call.project or ""
            case "model":
                return f"{call.provider}/{call.model}"
            case "day":
                return self.question.day(call.at) if call.clock else ""
            case _:
                return call.session


def _empty(draft: Model, question: Question) -> DraftReport:
    policies = [
        PolicyReport(policy.name, Tally(optimum=Amount() if question.optimum and policy.name in ECONOMIC else None))
        for policy in question.policies
    ]
    also = any(policy.name == _BALANCED for policy in question.policies) and question.assumptions.edits != "direct"
    return DraftReport(draft, policies, Tally() if also else None)
