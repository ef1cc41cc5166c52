"""Days begin at local midnight, also on days that are 23 or 25 hours long."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime

import pytest

from rlmc.errors import UsageError
from rlmc.ledger import period as periods
from rlmc.ledger.period import ALL, between, day_of


@pytest.fixture(params=["Europe/Berlin", "America/Los_Angeles", "Pacific/Auckland", "UTC"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


def now(text: str = "2026-11-25T15:30") -> datetime:  # a Wednesday
    return datetime.fromisoformat(text).astimezone()


def spelled(at: int | None) -> str | None:
    return None if at is None else f"{periods.local(at):%Y-%m-%dT%H:%M}"


def test_named_periods(zone: str) -> None:
    def bounds(period: periods.Period) -> tuple[str | None, str | None]:
        return spelled(period.since), spelled(period.until)

    assert bounds(periods.today(now())) == ("2026-11-25T00:00", None)
    assert bounds(periods.yesterday(now())) == ("2026-11-24T00:00", "2026-11-25T00:00")
    assert bounds(periods.this_week(now())) == ("2026-11-23T00:00", None)
    assert bounds(periods.this_month(now())) == ("2026-11-01T00:00", None)
    assert bounds(ALL) == (None, None)


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-11-25", 24)])
def test_a_day_has_the_hours_it_has(monkeypatch: pytest.MonkeyPatch, day: str, hours: int) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        found = between(day, day)
        assert found.since is not None
        assert found.until is not None
        assert found.until - found.since == hours * 3_600_000_000
        assert day_of(found.since) == day_of(found.until - 1) == day
        assert day_of(found.until) > day
    finally:
        monkeypatch.undo()
        time.tzset()


def test_days_and_moments(zone: str) -> None:
    found = between("2026-11-20", "2026-11-22T12:30")
    assert (spelled(found.since), spelled(found.until)) == ("2026-11-20T00:00", "2026-11-22T12:30")
    assert between(None, "2026-11-22").since is None
    assert between("2026-11-22", None).until is None
    utc = between("2026-11-22T12:00+00:00", None)
    assert utc.since == 1_795_348_800_000_000


@pytest.mark.parametrize(("since", "until"), [("gestern", None), (None, "2026-13-01"), ("2026-11-23", "2026-11-21")])
def test_what_is_no_period_is_refused(since: str | None, until: str | None) -> None:
    with pytest.raises(UsageError) as found:
        between(since, until)
    assert found.value.hint
