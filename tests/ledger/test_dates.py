"""Days as people write them: each means one thing, and what means nothing is said to."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlmc.errors import UsageError
from rlmc.ledger.dates import span
from rlmc.ledger.period import between, local

NOW = datetime(2026, 11, 25, 15, 30).astimezone()


def days(text: str) -> tuple[str, str]:
    found = span(text, NOW)
    assert isinstance(found, tuple)
    return found[0].isoformat(), found[1].isoformat()


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("today", "2026-11-25", "2026-11-25"),
        ("Yesterday", "2026-11-24", "2026-11-24"),
        ("monday", "2026-11-23", "2026-11-23"),
        ("wed", "2026-11-25", "2026-11-25"),
        ("last wednesday", "2026-11-18", "2026-11-18"),
        ("thursday", "2026-11-19", "2026-11-19"),
        ("this week", "2026-11-23", "2026-11-25"),
        ("last  week", "2026-11-16", "2026-11-22"),
        ("last month", "2026-10-01", "2026-10-31"),
        ("this year", "2026-01-01", "2026-11-25"),
        ("last year", "2025-01-01", "2025-12-31"),
        ("3 days ago", "2026-11-22", "2026-11-22"),
        ("a week ago", "2026-11-18", "2026-11-18"),
        ("2w ago", "2026-11-11", "2026-11-11"),
        ("9 months ago", "2026-02-25", "2026-02-25"),
        ("1 year ago", "2025-11-25", "2025-11-25"),
        ("nov 3", "2026-11-03", "2026-11-03"),
        ("3 november", "2026-11-03", "2026-11-03"),
        ("dec 24", "2025-12-24", "2025-12-24"),
        ("February 29, 2024", "2024-02-29", "2024-02-29"),
        ("october", "2026-10-01", "2026-10-31"),
        ("december", "2025-12-01", "2025-12-31"),
        ("2026-02", "2026-02-01", "2026-02-28"),
        ("2026-11-03", "2026-11-03", "2026-11-03"),
    ],
)
def test_days(text: str, first: str, last: str) -> None:
    assert days(text) == (first, last)


@pytest.mark.parametrize(
    ("text", "before"),
    [("2h ago", timedelta(hours=2)), ("90 minutes ago", timedelta(minutes=90))],
)
def test_moments(text: str, before: timedelta) -> None:
    assert span(text, NOW) == NOW - before


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "tomorrow",
        "feb 31",
        "2026-13",
        "13 days",
        "mo",
        "3 nov 4",
        "999999 years ago",
        "nov 3 ago",
        "2026-02-30",
    ],
)
def test_what_is_no_date_is_said_with_what_is(text: str) -> None:
    assert span(text, NOW) is None
    with pytest.raises(UsageError, match="not a date") as caught:
        between(text or " ", None, NOW)
    assert "3 days ago" in caught.value.hint


def test_from_its_beginning_to_its_end() -> None:
    found = between("last week", "last week", NOW)
    assert found.since is not None
    assert found.until is not None
    assert local(found.since).isoformat().startswith("2026-11-16T00:00:00")
    assert local(found.until).isoformat().startswith("2026-11-23T00:00:00")
    moment = between("2h ago", None, NOW)
    assert moment.since == round((NOW - timedelta(hours=2)).timestamp() * 1e6)


def test_a_stretch_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(UsageError, match="is not after"):
        between("yesterday", "last week", NOW)


@given(st.dates(date(1971, 1, 1), date(2100, 1, 1)))
def test_every_day_can_be_written_in_full(day: date) -> None:
    for text in (day.isoformat(), f"{day:%B} {day.day}, {day.year}", f"{day.day} {day:%b} {day.year}"):
        assert span(text, NOW) == (day, day)


@given(st.text(max_size=20))
def test_no_words_are_an_accident(text: str) -> None:
    found = span(text, NOW)
    assert found is None or isinstance(found, datetime) or found[0] <= found[1]
