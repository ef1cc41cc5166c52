"""The line of small bars: gains by height, losses by another mark, gaps, units, and what a terminal can show."""

from __future__ import annotations

import io
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlmc.ledger.report import Amount, SavingsReport
from rlmc.ui.sparkline import saved_by_day
from rlmc.views.figures import cells

DOLLAR = 10**12
FIRST = date(2026, 11, 12)


class Stream(io.StringIO):
    def __init__(self, encoding: str) -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding


def report(saved: int | None, missing: int = 0) -> SavingsReport:
    if saved is None:
        return SavingsReport(paid=Amount(0, 1), baseline=Amount(0, 1))
    return SavingsReport(paid=Amount(10 * DOLLAR), baseline=Amount(10 * DOLLAR + saved, missing))


def days(*saved: int | str | None) -> list[tuple[str, SavingsReport]]:
    """Of consecutive days; text is a day without turns."""
    found = [(FIRST + timedelta(days=at), one) for at, one in enumerate(saved)]
    return [(day.isoformat(), report(one)) for day, one in found if not isinstance(one, str)]


def test_the_range_the_best_and_the_worst_are_said() -> None:
    shown = saved_by_day(days(DOLLAR, 2 * DOLLAR, "none", -DOLLAR, 8 * DOLLAR), 120, io.StringIO())
    assert shown == [
        "saved by day  ▁▂ ▾█  12 Nov to 16 Nov, best $8.00 on 16 Nov, ▾ a loss, worst -$1.00 on 15 Nov",
    ]


def test_where_there_is_no_room_the_words_come_below() -> None:
    first, *words = saved_by_day(days(DOLLAR, 2 * DOLLAR, -DOLLAR), 50, io.StringIO())
    assert first == "saved by day  ▄█▾"
    assert " ".join(" ".join(words).split()).startswith("12 Nov to 14 Nov, best $2.00 on 13 Nov, ▾ a loss")
    assert all(line.startswith(" " * 14) and len(line) <= 50 for line in words)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "iso8859-15"])
def test_without_the_blocks_there_are_other_marks(encoding: str) -> None:
    [line] = saved_by_day(days(DOLLAR, -DOLLAR, 8 * DOLLAR), 120, Stream(encoding))
    assert line.startswith("saved by day  _v#  12 Nov to 14 Nov")
    line.encode(encoding)


def test_one_day_is_not_drawn() -> None:
    assert saved_by_day(days(DOLLAR), 80, io.StringIO()) == []
    assert saved_by_day([], 80, io.StringIO()) == []


def test_what_is_unknown_is_neither_a_gain_nor_a_loss() -> None:
    [line] = saved_by_day(days(None, DOLLAR), 120, io.StringIO())
    assert line == "saved by day  ?█  12 Nov to 13 Nov, best $1.00 on 13 Nov, ? unknown"
    [line] = saved_by_day([*days(0), ("2026-11-13", report(DOLLAR, missing=2))], 120, io.StringIO())
    assert line == "saved by day  ▁█  12 Nov to 13 Nov, best ≥ $1.00 on 13 Nov"
    at_most = SavingsReport(paid=Amount(0, 1), baseline=Amount(DOLLAR))
    [line] = saved_by_day([*days(0), ("2026-11-13", at_most)], 120, io.StringIO())
    assert line == "saved by day  ▁?  12 Nov to 13 Nov, ? unknown", "it may have been a loss"


def test_days_that_all_lost_have_no_best() -> None:
    [line] = saved_by_day(days(-DOLLAR, -2 * DOLLAR), 120, io.StringIO())
    assert line == "saved by day  ▾▾  12 Nov to 13 Nov, ▾ a loss, worst -$2.00 on 13 Nov"


@pytest.mark.parametrize(
    ("count", "unit", "bars", "named"),
    [
        (60, "day", 60, "on 15 Nov"),
        (106, "day", 106, "on 15 Nov"),
        (200, "week", 29, "in the week of 9 Nov 2026"),
        (1000, "month", 34, "in Nov 2026"),
        (9000, "year", 26, "in 2026"),
    ],
)
def test_more_days_than_fit_are_drawn_by_larger_units(count: int, unit: str, bars: int, named: str) -> None:
    saved = [DOLLAR if at == 3 else DOLLAR // 10**4 for at in range(count)]
    first, *words = saved_by_day(days(*saved), 120, io.StringIO())
    label, _, drawn = first.partition("  ")
    assert label == f"saved by {unit}"
    assert len(drawn.partition("  ")[0]) == bars
    assert named in " ".join([first, *words])


@given(
    st.lists(st.none() | st.just("none") | st.integers(-DOLLAR, DOLLAR), min_size=2, max_size=400),
    st.integers(60, 120),
    st.sampled_from(["utf-8", "ascii"]),
)
def test_no_line_is_too_wide_and_every_day_with_turns_has_a_mark(
    saved: list[int | str | None], width: int, encoding: str
) -> None:
    found = days(*saved)
    shown = saved_by_day(found, width, Stream(encoding))
    assert all(cells(line) <= width for line in shown)
    assert bool(shown) is (len(found) > 1)
    if shown and shown[0].startswith("saved by day"):
        first = date.fromisoformat(found[0][0])
        drawn = shown[0][len("saved by day  ") :]
        assert all(drawn[(date.fromisoformat(day) - first).days] != " " for day, _ in found)
