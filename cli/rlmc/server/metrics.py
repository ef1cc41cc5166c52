"""What the daemon counts for Prometheus: an observer of the books that adds up, and nothing else.

Rule: plain numbers in plain dicts, so that a turn waits for a few additions only and a daemon nobody scrapes imports
nothing. Counts begin with the daemon. Money is whole picodollars until it is shown; what is unknown is counted as
unknown, and simulated money is never added to real.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import field

from rlmc.domain.frozen import dataclass
from rlmc.domain.outcome import Outcome
from rlmc.domain.record import CallRecord, TurnRecord
from rlmc.ledger.report import SavingsReport
from rlmc.server.books import Booked
from rlmc.server.labels import (
    Models,
    check_label,
    client_label,
    error_label,
    provider_label,
    status_label,
)
from rlmc.server.sessions import Sessions

# Answers of models take from a part of a second to minutes.
BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0)
Labels = tuple[str, ...]


@dataclass(slots=True)
class Histogram:
    """`counts` are those of each bucket alone, the last one that of everything above."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    total: float = 0.0

    def observe(self, seconds: float) -> None:
        self.counts[bisect_left(BUCKETS, seconds)] += 1
        self.total += seconds


@dataclass(slots=True)
class Tally:
    """Labels are in the order the families name them."""

    sessions: Sessions
    models: Models = field(default_factory=Models)
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    turns: Counter[Labels] = field(default_factory=Counter)
    unfinished: Counter[Labels] = field(default_factory=Counter)
    durations: dict[Outcome, Histogram] = field(default_factory=dict)
    first_bytes: dict[Outcome, Histogram] = field(default_factory=dict)
    findings: Counter[Labels] = field(default_factory=Counter)
    calls: Counter[Labels] = field(default_factory=Counter)
    call_errors: Counter[Labels] = field(default_factory=Counter)
    tokens: Counter[Labels] = field(default_factory=Counter)
    thinking: Counter[Labels] = field(default_factory=Counter)
    paid: Counter[Labels] = field(default_factory=Counter)
    unknown_costs: Counter[Labels] = field(default_factory=Counter)
    wasted_drafts: Counter[Labels] = field(default_factory=Counter)
    wasted: Counter[Labels] = field(default_factory=Counter)
    # By kind of money: only paid and baseline are kept.
    accounts: dict[str, SavingsReport] = field(default_factory=lambda: {"false": SavingsReport()})

    def observe(self, booked: Booked) -> None:
        session = self.sessions.by_id(booked.turn.session_id)
        kind = "true" if booked.simulated else "false"
        account = self.accounts.get(kind)
        if account is None:
            account = self.accounts[kind] = SavingsReport()
        if booked.first:
            self._turn(booked.turn, booked.client)
            account.baseline.add(booked.turn.baseline)
        for call in booked.calls:
            self._call(call, self.models.label(call, session), kind)
            account.paid.add(call.cost)

    def _turn(self, turn: TurnRecord, client: str) -> None:
        outcome = turn.outcome
        self.outcomes[outcome] += 1
        self.turns[outcome, turn.reason, client_label(client)] += 1
        for finding in turn.findings:
            self.findings[(check_label(finding),)] += 1
        if turn.ending != "complete":
            self.unfinished[(turn.ending,)] += 1
            return
        _of(self.durations, outcome).observe(turn.latency_ms / 1000)
        if turn.ttfb_ms is not None:
            _of(self.first_bytes, outcome).observe(turn.ttfb_ms / 1000)

    def _call(self, call: CallRecord, name: str, simulated: str) -> None:
        role, provider = call.role, provider_label(call.provider)
        model = (role, provider, name, simulated)
        self.calls[role, provider, name, status_label(call.status)] += 1
        if call.error is not None:
            self.call_errors[call.role, error_label(call.error)] += 1
        if call.usage is not None:
            usage, tokens = call.usage, self.tokens
            tokens[role, provider, name, simulated, "input"] += usage.input
            tokens[role, provider, name, simulated, "cache_read"] += usage.cache_read
            tokens[role, provider, name, simulated, "cache_write"] += usage.cache_write_5m + usage.cache_write_1h
            tokens[role, provider, name, simulated, "output"] += usage.output
            self.thinking[model] += usage.thinking
        if call.cost is not None:
            self.paid[model] += call.cost
        else:
            self.unknown_costs[call.role, "no-usage" if call.usage is None else "no-price", simulated] += 1
        if call.role == "draft" and not call.served:
            self.wasted_drafts[(simulated,)] += 1
            self.wasted[(simulated,)] += call.cost or 0


def _of(histograms: dict[Outcome, Histogram], outcome: Outcome) -> Histogram:
    found = histograms.get(outcome)
    if found is None:
        found = histograms[outcome] = Histogram()
    return found


@dataclass(frozen=True, slots=True)
class Readings:
    """What is not counted but read when somebody asks."""

    version: str
    sessions_alive: int
    requests_active: int
    ledger_waiting: int
    ledger_lost: int
    ledger_ok: bool
    drafts_paused: int
    config_ok: bool
