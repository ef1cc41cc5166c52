"""How replayed turns add up: bounds where a price is unknown, intervals over sessions, groups, latencies."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.prices import MINUTE, START
from tests.support.recorded import call

from rlmc.domain.outcome import Outcome, Reason
from rlmc.replay.report import FEWEST_SESSIONS, PolicyReport, Records, Spread, Tally
from rlmc.replay.run import ReplayedTurn

CENT = 10**10


def turn(paid: int | None = 4 * CENT, baseline: int | None = 10 * CENT, **changes: object) -> ReplayedTurn:
    known = ReplayedTurn(
        call=call(),
        outcome=Outcome.SKIPPED,
        reason=Reason.AFTER_READ,
        paid=paid,
        baseline=baseline,
        draft_only=CENT,
        audit=CENT // 10,
        wasted=False,
        brief=False,
        latency_s=3.0,
    )
    return known._replace(**changes)


def tally(*sessions: Sequence[ReplayedTurn]) -> Tally:
    found = Tally()
    for session in sessions:
        found.add(session)
    return found


# --- sums -----------------------------------------------------------------------------------------------------------


def test_turns_are_added_up() -> None:
    found = tally(
        [turn(), turn(paid=10 * CENT, outcome=Outcome.DIRECT, wasted=True, audit=0)],
        [turn(paid=5 * CENT, outcome=Outcome.ACCEPTED, brief=True, audit=0)],
    )
    assert (found.calls, found.sessions, found.wasted, found.briefs) == (3, 2, 1, 1)
    assert (found.paid.exact, found.baseline.exact) == (19 * CENT, 30 * CENT)
    assert (found.saving.amount, found.saving.bound) == (11 * CENT, "exact")
    assert found.share == pytest.approx(11 / 30)
    assert found.outcome_share(Outcome.DIRECT) == pytest.approx(1 / 3)
    assert found.draft_only_share == pytest.approx(27 / 30)


def test_audits_are_in_no_figure_but_their_own() -> None:
    found = tally([turn(), turn()])
    assert found.share == pytest.approx(0.6)
    assert found.audits.exact == CENT // 5
    assert found.audited.amount == 12 * CENT - CENT // 5
    assert found.audited_share == pytest.approx(0.59)


@pytest.mark.parametrize(
    ("unknown", "bound", "amount"),
    [
        ({"paid": None}, "at most", 16 * CENT),
        ({"baseline": None}, "at least", 2 * CENT),
        ({"paid": None, "baseline": None}, "unknown", None),
    ],
)
def test_a_price_that_is_not_known_makes_a_bound_and_no_share(
    unknown: dict[str, None], bound: str, amount: int | None
) -> None:
    found = tally([turn(), turn(**unknown)])
    assert (found.saving.bound, found.saving.amount) == (bound, amount)
    assert found.share is None and found.audited_share is None and found.interval() is None


def test_nothing_is_no_share() -> None:
    assert Tally().share is None and Tally().interval() is None and Tally().outcome_share(Outcome.DIRECT) == 0


# --- the interval ---------------------------------------------------------------------------------------------------


def test_sessions_that_all_save_the_same_leave_no_doubt() -> None:
    low, high = tally(*([turn()] for _ in range(20))).interval() or (0.0, 0.0)
    assert low == pytest.approx(0.6) and high == pytest.approx(0.6)


def test_few_sessions_have_no_interval() -> None:
    assert tally(*([turn()] for _ in range(FEWEST_SESSIONS - 1))).interval() is None
    assert tally(*([turn()] for _ in range(FEWEST_SESSIONS))).interval() is not None


def test_the_interval_is_that_of_a_mean_over_sessions() -> None:
    """Of sessions of one size that save all or nothing, the saved share is a mean of coin tosses."""
    found = tally(*([turn(paid=0 if number % 2 else 10 * CENT)] for number in range(200)))
    low, high = found.interval() or (0.0, 0.0)
    half = 1.96 * math.sqrt(0.25 / 200)
    assert low == pytest.approx(0.5 - half, abs=0.015) and high == pytest.approx(0.5 + half, abs=0.015)


def test_many_sessions_are_drawn_in_bundles_and_tell_the_same() -> None:
    found = tally(*([turn(paid=0 if number % 2 else 10 * CENT)] for number in range(3_000)))
    low, high = found.interval() or (0.0, 0.0)
    half = 1.96 * math.sqrt(0.25 / 3_000)
    assert low == pytest.approx(0.5 - half, abs=0.005) and high == pytest.approx(0.5 + half, abs=0.005)


@given(st.lists(st.tuples(st.integers(0, 10**12), st.integers(0, 10**12)), min_size=FEWEST_SESSIONS, max_size=30))
def test_the_interval_is_fixed_and_in_order(pairs: list[tuple[int, int]]) -> None:
    found = tally(*([turn(paid=paid, baseline=baseline)] for baseline, paid in pairs))
    interval = found.interval()
    assert interval == found.interval()
    if interval is not None:
        assert interval[0] <= interval[1] <= 1


# --- groups and records ---------------------------------------------------------------------------------------------


def test_groups_add_up_to_the_whole() -> None:
    report = PolicyReport("balanced")
    for session in range(3):
        turns = [turn(paid=n * CENT, call=call(session=f"s{session}", model=f"m{n % 2}")) for n in range(5)]
        report.add(turns, lambda one: one.model)
    assert sorted(report.groups) == ["m0", "m1"]
    assert sum(group.calls for group in report.groups.values()) == report.total.calls == 15
    assert sum(group.paid.known for group in report.groups.values()) == report.total.paid.known
    assert [group.sessions for group in report.groups.values()] == [3, 3]


def test_without_a_grouping_there_are_no_groups() -> None:
    report = PolicyReport("balanced")
    report.add([turn()], None)
    assert not report.groups and report.total.calls == 1


def test_what_the_records_are_is_counted() -> None:
    records = Records()
    records.add(
        [call(), call(by_draft=True), call(known=False, output_estimated=True)], lambda at: f"day {at // 10**13}"
    )
    records.add([call(clock=False, at=5)], lambda _: "never asked")
    assert (records.sessions, records.calls, records.clockless) == (2, 4, 1)
    assert (records.by_draft, records.unknown_answers, records.estimated_outputs) == (1, 1, 1)
    assert len(records.days) == 1


# --- latencies ------------------------------------------------------------------------------------------------------


@given(st.lists(st.floats(0.01, 10_000), min_size=1, max_size=200), st.integers(1, 99))
def test_a_percentile_is_within_a_per_cent_of_the_nearest_rank(values: list[float], percent: int) -> None:
    spread = Spread()
    for value in values:
        spread.add(value)
    exact = sorted(values)[max(1, -(-percent * len(values) // 100)) - 1]
    assert spread.percentile(percent) == pytest.approx(exact, rel=0.01)


def test_no_duration_has_no_percentile_and_a_duration_of_nothing_has_one() -> None:
    spread = Spread()
    assert spread.percentile(50) is None
    spread.add(0.0)
    assert spread.percentile(50) == pytest.approx(0.001, rel=0.01)


def test_a_call_without_a_latency_is_in_neither_spread() -> None:
    found = tally([turn(), turn(latency_s=None, call=call(latency_s=None, at=START + MINUTE))])
    assert (found.recorded.count, found.estimate.count) == (1, 1)
