"""The account: every call counted once, gaps said and never filled with zeros, losses shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.books import CENT
from tests.support.oracle import report_of
from tests.support.prices import START

from rlmc.domain.outcome import Reason
from rlmc.ledger.queries import CallRow, TurnRow
from rlmc.ledger.report import Amount, Latencies, SavingsReport


def call(role: str = "direct", cost: int | None = CENT, **changes: Any) -> CallRow:
    row = CallRow(
        role=role,
        provider="anthropic",
        model="claude-opus-5-5",
        served=True,
        latency_ms=1000.0,
        input=10,
        cache_read=60,
        cache_write_5m=20,
        cache_write_1h=10,
        output=7,
        thinking=2,
        measured=True,
        estimated=False,
        cost=cost,
        brief=False,
    )
    return row._replace(**changes)


def turn(*calls: CallRow, outcome: str = "direct", baseline: int | None = CENT, **changes: Any) -> TurnRow:
    row = TurnRow(
        id="t",
        session="s1",
        session_name=None,
        client="claude",
        directory="/home/ada/project",
        simulated=False,
        started_at=START,
        request_class="main",
        served_model="anthropic/claude-opus-5-5",
        outcome=outcome,
        reason="unsure",
        ending="complete",
        latency_ms=1500.0,
        baseline=baseline,
        baseline_estimated=False,
        baseline_bias=0.0,
        baseline_noise=0.0,
        draft_only=None,
        calls=calls or (call(),),
    )
    return row._replace(**changes)


def report(*turns: TurnRow) -> SavingsReport:
    return report_of(turns)


# --- money ----------------------------------------------------------------------------------------------------------


def test_paid_counts_every_call_also_drafts_nobody_saw() -> None:
    found = report(turn(call("draft", 3, served=False), call("direct", 100)), turn(call("draft", 5), outcome="skipped"))
    assert found.paid.exact == 108
    assert found.baseline.exact == 2 * CENT
    assert found.saving.amount == 2 * CENT - 108
    assert (found.draft.calls, found.draft.paid.exact) == (2, 8)
    assert (found.verify.calls, found.verify.paid.exact) == (1, 100)
    assert (found.wasted.calls, found.wasted.paid.exact) == (1, 3)


@pytest.mark.parametrize(
    ("paid", "baseline", "amount", "bound"),
    [
        (40, 100, 60, "exact"),
        (100, 40, -60, "exact"),
        (None, 100, 100, "at most"),
        (40, None, -40, "at least"),
        (None, None, None, "unknown"),
    ],
)
def test_an_unknown_amount_makes_a_saving_a_bound(
    paid: int | None, baseline: int | None, amount: int | None, bound: str
) -> None:
    found = report(turn(call(cost=paid), baseline=baseline))
    assert (found.saving.amount, found.saving.bound) == (amount, bound)
    assert (found.share is None) is (bound != "exact")


@given(st.lists(st.tuples(st.none() | st.integers(0, 10**15), st.none() | st.integers(0, 10**15)), max_size=30))
def test_totals_are_exact_or_say_how_many_parts_are_missing(amounts: list[tuple[int | None, int | None]]) -> None:
    found = report(*(turn(call(cost=paid), baseline=baseline) for paid, baseline in amounts))
    for total, parts in ((found.paid, [p for p, _ in amounts]), (found.baseline, [b for _, b in amounts])):
        known = [part for part in parts if part is not None]
        assert (total.known, total.missing) == (sum(known), len(parts) - len(known))
        assert total.exact == (total.known if len(known) == len(parts) else None)


def test_unknown_prices_are_counted_by_model_and_told_from_unknown_usage() -> None:
    found = report(
        turn(call(cost=None, provider="foo", model="bar"), call(cost=None, provider="foo", model="bar")),
        turn(call(cost=None, measured=False), call(cost=None, model="new"), call(estimated=True)),
    )
    assert found.unpriced == {"foo/bar": 2, "anthropic/new": 1}
    assert (found.unmeasured, found.estimated_calls, found.paid.missing) == (1, 1, 4)


def test_a_share_needs_a_baseline_and_a_break_even_needs_a_saving() -> None:
    assert report().share is None
    assert report(turn(call(cost=0), baseline=0)).share is None
    half = report(turn(call(cost=50), baseline=100))
    assert (half.share, half.break_even) == (0.5, 1.0)
    assert report(turn(call(cost=150), baseline=100)).share == -0.5
    assert report(turn(call(cost=150), baseline=100)).break_even is None
    assert report(turn(call(cost=0), baseline=100)).break_even is None


@given(st.lists(st.tuples(st.integers(0, 10**12), st.integers(0, 10**12)), max_size=30))
def test_bias_adds_up_and_noise_evens_out(parts: list[tuple[int, int]]) -> None:
    turns = [turn(baseline_bias=float(bias), baseline_noise=float(sigma) ** 2) for bias, sigma in parts]
    found = report(*turns).half_width
    bias, noise = sum(b for b, _ in parts), sum(s * s for _, s in parts)
    assert found == pytest.approx(bias + 1.96 * noise**0.5, rel=1e-9, abs=1)
    assert found <= 1 + sum(report(one).half_width + 1 for one in turns), "together they are off by no more than apart"


def test_the_draft_model_alone_is_a_sum_like_any_other() -> None:
    known, unknown = turn(draft_only=7), turn()
    assert report(known, known).draft_only.exact == 14
    assert (report(known, unknown).draft_only.known, report(known, unknown).draft_only.missing) == (7, 1)


# --- counts ----------------------------------------------------------------------------------------------------------


def test_outcomes_reasons_and_estimates_are_counted() -> None:
    found = report(
        turn(outcome="skipped", reason="after-read", baseline_estimated=True),
        turn(outcome="skipped", reason="auxiliary", baseline_estimated=True),
        turn(outcome="accepted", reason="verdict"),
        turn(outcome="direct", reason=Reason.SAFEGUARDS.value),
        turn(call("audit"), reason=Reason.SAFEGUARDS.value),
    )
    assert found.outcomes == {"skipped": 2, "accepted": 1, "direct": 2}
    assert found.reasons == {"after-read": 1, "auxiliary": 1, "verdict": 1, "safeguards": 2}
    assert (found.turns, found.baseline_estimated, found.auto_mode_turns, found.drafted_turns) == (5, 2, 2, 3)
    assert found.audits == 1


def test_checks_and_keepalives_are_calls_of_the_verify_model_counted_once_more() -> None:
    found = report(
        turn(call("draft", 1), call("verify", 20, brief=True), outcome="accepted"),
        turn(call("draft", 2, served=False), call("verify", 30, brief=True), call("direct", 400)),
        turn(call("direct", 500), call("keepalive", 6), call("keepalive", None)),
    )
    assert (found.verify.calls, found.verify.paid.known) == (6, 956)
    assert (found.brief.calls, found.brief.paid.exact) == (2, 50)
    assert (found.keepalive.calls, found.keepalive.paid.known, found.keepalive.paid.missing) == (2, 6, 1)
    assert (found.wasted.calls, found.wasted.paid.exact) == (1, 2)
    assert (found.paid.known, found.paid.missing) == (959, 1)


def test_cache_reads_are_a_share_of_the_whole_prompt() -> None:
    found = report(turn(call("draft"), call("verify", input=0, cache_read=100, cache_write_5m=0, cache_write_1h=0)))
    assert (found.draft.read_share, found.verify.read_share) == (0.6, 1.0)
    assert found.draft.prompt == 100
    assert report().draft.read_share is None


# --- time -----------------------------------------------------------------------------------------------------------


@given(st.lists(st.floats(0, 10**6), min_size=1, max_size=200), st.sampled_from([50, 95]))
def test_a_percentile_is_a_value_that_was_measured(values: list[float], percent: int) -> None:
    times = Latencies()
    for value in values:
        times.add(value)
    found = times.percentile(percent)
    assert times.count == len(values)
    assert found in values
    assert sum(v <= found for v in values) * 100 >= percent * len(values)
    assert sum(v < found for v in values) * 100 < percent * len(values)


def test_latencies_leave_out_turns_that_broke_off() -> None:
    found = report(
        turn(call("draft", latency_ms=900.0), outcome="skipped", latency_ms=1000.0),
        turn(call("draft", latency_ms=800.0, served=False), call("direct", latency_ms=3000.0), latency_ms=4000.0),
        turn(call(latency_ms=9.0), latency_ms=9.0, ending="client-gone"),
    )
    assert found.latency.percentile(50) == 1000.0
    assert found.latency.percentile(95) == 4000.0
    assert found.latency_by_outcome["direct"].percentile(50) == 4000.0
    alone = found.baseline_latency
    assert (alone.count, alone.p50, alone.p95) == (
        1,
        3000.0,
        3000.0,
    )  # the direct call alone, without the draft before it
    assert found.unfinished == 1
    assert Latencies().percentile(50) is None


def test_amounts_add_up() -> None:
    amount = Amount()
    amount.add(3)
    amount.add(None)
    assert (amount.known, amount.missing, amount.exact) == (3, 1, None)
    assert replace(amount, missing=0).exact == 3
