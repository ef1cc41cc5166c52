"""The tally and what is read at the moment, as families of Prometheus: every name, type, label and help text.

Rule: imported at the first scrape, not before. docs/metrics.md lists what is here, and a test compares the two.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from rlmc.domain.money import PICO
from rlmc.domain.outcome import Outcome
from rlmc.ledger.report import SavingsReport
from rlmc.server.metrics import BUCKETS, Histogram, Labels, Readings, Tally

_MODEL = ("role", "provider", "model")


class Families(Collector):
    def __init__(self, tally: Tally, read: Callable[[], Readings]) -> None:
        self._tally = tally
        self._read = read

    def collect(self) -> Iterable[Metric]:
        yield from _turns(self._tally)
        yield from _calls(self._tally)
        yield from _money(self._tally)
        yield from _state(self._read())


def registry(tally: Tally, read: Callable[[], Readings]) -> CollectorRegistry:
    """One of its own: nothing that other libraries count gets into it. Of the process, what Linux tells of it."""
    found = CollectorRegistry()
    found.register(Families(tally, read))
    ProcessCollector(registry=found)
    return found


def _turns(tally: Tally) -> Iterator[Metric]:
    verdicts: dict[Labels, int] = {(outcome.name,): tally.outcomes[outcome] for outcome in Outcome}
    yield _counter("rlmc_requests", "Turns answered, by verdict.", ("verdict",), verdicts)
    yield _counter(
        "rlmc_turns", "Turns answered, by outcome, reason and agent.", ("outcome", "reason", "client"), tally.turns
    )
    yield _counter(
        "rlmc_unfinished_turns", "Turns that did not come to a proper end, by how.", ("ending",), tally.unfinished
    )
    yield _histogram(
        "rlmc_turn_duration_seconds",
        "Time from a request to the end of its answer, of turns that came to a proper end.",
        tally.durations,
    )
    yield _histogram(
        "rlmc_turn_time_to_first_byte_seconds",
        "Time from a request to the first byte of its answer, of turns that came to a proper end.",
        tally.first_bytes,
    )
    yield _counter(
        "rlmc_gate_findings", "Objections to drafts, by the check that has them.", ("check",), tally.findings
    )


def _calls(tally: Tally) -> Iterator[Metric]:
    yield _counter("rlmc_calls", "Model calls made, by class of HTTP status.", (*_MODEL, "status"), tally.calls)
    yield _counter(
        "rlmc_call_errors", "Model calls that did not end well, by kind of error.", ("role", "kind"), tally.call_errors
    )
    yield _counter(
        "rlmc_tokens",
        "Tokens billed, in classes that do not overlap; output includes thinking.",
        (*_MODEL, "simulated", "class"),
        tally.tokens,
    )
    yield _counter(
        "rlmc_thinking_tokens", "Tokens of thinking billed, a part of output.", (*_MODEL, "simulated"), tally.thinking
    )


def _money(tally: Tally) -> Iterator[Metric]:
    yield _counter(
        "rlmc_paid_dollars", "Cost of model calls with a known price.", (*_MODEL, "simulated"), _dollars(tally.paid)
    )
    accounts: dict[Labels, SavingsReport] = {(kind,): account for kind, account in tally.accounts.items()}
    baselines: dict[Labels, int] = {labels: account.baseline.known for labels, account in accounts.items()}
    yield _counter(
        "rlmc_baseline_dollars",
        "What the verify model alone would have cost, as far as it is known.",
        ("simulated",),
        _dollars(baselines),
    )
    savings = GaugeMetricFamily(
        "rlmc_saved_dollars",
        "Baseline minus paid since the daemon started; negative is a loss, a bound where either has unknown parts, "
        "NaN where both have.",
        labels=("simulated",),
    )
    for kind, account in accounts.items():
        saved = account.saving.amount
        savings.add_metric(kind, math.nan if saved is None else saved / PICO)
    yield savings
    yield _counter(
        "rlmc_unknown_costs",
        "Model calls of unknown cost, which rlmc_paid_dollars_total lacks, by cause.",
        ("role", "cause", "simulated"),
        tally.unknown_costs,
    )
    yield _counter(
        "rlmc_unknown_baselines",
        "Turns of unknown baseline, which rlmc_baseline_dollars_total lacks.",
        ("simulated",),
        {labels: account.baseline.missing for labels, account in accounts.items()},
    )
    yield _counter("rlmc_wasted_drafts", "Drafts no client received.", ("simulated",), tally.wasted_drafts)
    yield _counter(
        "rlmc_wasted_dollars",
        "Cost of drafts no client received, a part of what was paid.",
        ("simulated",),
        _dollars(tally.wasted),
    )


def _state(now: Readings) -> Iterator[Metric]:
    yield InfoMetricFamily("rlmc_build", "The version of rlmc that runs.", {"version": now.version})
    yield GaugeMetricFamily("rlmc_sessions_alive", "Sessions whose run is still there.", now.sessions_alive)
    yield GaugeMetricFamily("rlmc_requests_active", "Requests of agents under way.", now.requests_active)
    yield GaugeMetricFamily("rlmc_ledger_waiting_records", "Records not yet written to the ledger.", now.ledger_waiting)
    yield CounterMetricFamily(
        "rlmc_ledger_lost_records", "Records that could not be kept until they were written.", now.ledger_lost
    )
    yield GaugeMetricFamily("rlmc_ledger_ok", "1 when the ledger can be written and nothing was lost.", now.ledger_ok)
    yield GaugeMetricFamily(
        "rlmc_paused_draft_models", "Draft models left alone for a while, after failures in a row.", now.drafts_paused
    )
    yield GaugeMetricFamily(
        "rlmc_config_ok", "1 when the configuration in force is the one in the file.", now.config_ok
    )


def _counter(name: str, help: str, labels: Labels, values: Mapping[Labels, float]) -> Metric:
    family = CounterMetricFamily(name, help, labels=labels)
    for label, value in values.items():
        family.add_metric(label, value)
    return family


def _histogram(name: str, help: str, values: Mapping[Outcome, Histogram]) -> Metric:
    family = HistogramMetricFamily(name, help, labels=("verdict",))
    for outcome, one in values.items():
        reached, buckets = 0, []
        for bound, count in zip((*map(str, BUCKETS), "+Inf"), one.counts, strict=True):
            reached += count
            buckets.append((bound, reached))
        family.add_metric((outcome.name,), buckets, one.total)
    return family


def _dollars(amounts: Mapping[Labels, int]) -> dict[Labels, float]:
    return {labels: amount / PICO for labels, amount in amounts.items()}
