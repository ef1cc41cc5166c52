"""The breaker as a machine of its own: whatever comes, it lets drafts through again, and never two probes at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlmc.cascade.breaker import FIRST_PAUSE, LONGEST_PAUSE, Breaker, counts
from rlmc.cascade.patience import Patience


def broken(limit: int = 3, at: float = 100.0) -> Breaker:
    breaker = Breaker()
    for _ in range(limit):
        assert breaker.begin(at)
        breaker.failed(at, at, limit)
    return breaker


def test_failures_in_a_row_open_it_and_a_success_between_them_does_not() -> None:
    breaker = Breaker()
    for _ in range(10):
        for _ in range(2):
            breaker.begin(0.0)
            assert not breaker.failed(0.0, 0.0, 3)
        breaker.worked()
    assert breaker.lets(0.0)
    assert not broken().lets(100.0)


def test_after_the_pause_one_probe_is_let_through_and_only_one() -> None:
    breaker = broken()
    assert not breaker.begin(100.0 + FIRST_PAUSE - 0.1)
    assert breaker.begin(100.0 + FIRST_PAUSE)
    assert not breaker.begin(100.0 + FIRST_PAUSE + 50)
    breaker.worked()
    assert not breaker.open
    assert breaker.begin(200.0)
    assert breaker.begin(200.0), "closed, it lets any number through"


def test_a_probe_that_fails_doubles_the_pause_up_to_a_limit() -> None:
    breaker, now, pauses = broken(), 100.0, []
    for _ in range(12):
        pauses.append(breaker.until - now)
        now = breaker.until
        assert breaker.begin(now)
        assert breaker.failed(now, now, 3)
    assert pauses[:4] == [15.0, 30.0, 60.0, 120.0]
    assert pauses[-1] == LONGEST_PAUSE


def test_a_probe_whose_client_hung_up_frees_the_place() -> None:
    breaker = broken()
    assert breaker.begin(200.0)
    breaker.nothing(200.0)
    assert breaker.begin(200.0)


def test_what_was_begun_before_the_pause_says_nothing_new() -> None:
    breaker = broken()
    assert not breaker.failed(99.0, 130.0, 3)
    assert breaker.lets(100.0 + FIRST_PAUSE)


def test_a_provider_that_asks_for_a_pause_gets_it_at_once_and_not_for_ever() -> None:
    breaker = Breaker()
    assert breaker.failed(0.0, 0.0, 3, wait=40.0)
    assert breaker.until == 40.0
    breaker = Breaker()
    breaker.failed(0.0, 0.0, 3, wait=1e9)
    assert breaker.until == LONGEST_PAUSE


def test_limit_nought_never_opens() -> None:
    breaker = Breaker()
    assert not any(breaker.failed(0.0, 0.0, 0, wait=9.0) for _ in range(100))
    assert breaker.lets(0.0)


@pytest.mark.parametrize(
    ("status", "is_one"), [(None, True), (200, True), (429, True), (401, True), (400, False), (413, False)]
)
def test_a_refusal_of_the_request_is_no_failure_of_the_model(status: int | None, is_one: bool) -> None:
    assert counts(status) is is_one


EVENTS = st.lists(st.tuples(st.sampled_from(["begin", "worked", "failed", "gone"]), st.floats(0, 700)), max_size=60)


@given(events=EVENTS, limit=st.integers(1, 5))
def test_it_never_stays_shut(events: list[tuple[str, float]], limit: int) -> None:
    breaker, now, under_way = Breaker(), 0.0, list[float]()
    probes = 0
    for what, passed in events:
        now += passed
        if what == "begin":
            was_open = breaker.open
            if breaker.begin(now):
                under_way.append(now)
                probes += was_open
                assert probes <= 1
        elif under_way:
            began = under_way.pop()
            if what == "worked":
                breaker.worked()
            elif what == "failed":
                breaker.failed(began, now, limit)
            else:
                breaker.nothing(began)
            probes = 0 if not breaker.probing else probes
        assert breaker.until - now <= LONGEST_PAUSE
    for began in under_way:
        breaker.failed(began, now, limit)
    assert breaker.lets(now + LONGEST_PAUSE)


def test_patience_is_several_times_the_longest_wait_for_a_prompt_of_that_size() -> None:
    patience = Patience()
    assert patience.limit(1000) is None
    for seconds in (1.0, 2.0, 1.5):
        assert patience.limit(1000) is None
        patience.waited(seconds, 1000)
    assert patience.limit(1000) == 8.0
    assert patience.limit(10) == 8.0, "a short prompt is not hurried"
    assert patience.limit(10_000) == 80.0
    for _ in range(20):
        patience.waited(0.1, 1000)
    assert patience.limit(1000) == 5.0


def test_a_wait_of_a_moment_is_no_pause_and_an_old_draft_no_probe() -> None:
    breaker = Breaker()
    assert not breaker.failed(0.0, 0.0, 3, wait=1.0)
    assert breaker.lets(0.0)
    breaker = broken()
    assert breaker.begin(200.0)
    breaker.nothing(99.0)
    assert not breaker.begin(201.0), "the probe is still under way"
