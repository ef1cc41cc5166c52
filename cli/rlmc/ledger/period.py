"""Stretches of time as people name them, in their own timezone.

Rule: days begin at local midnight, also where the clock changes; the end is exclusive.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from rlmc.errors import UsageError


@dataclass(frozen=True, slots=True)
class Period:
    """`since` and `until` are unix microseconds, None for no limit."""

    name: str
    since: int | None = None
    until: int | None = None


ALL = Period("all time")


def today(now: datetime) -> Period:
    return Period("today", _start(now.date()), None)


def yesterday(now: datetime) -> Period:
    day = now.date()
    return Period("yesterday", _start(day - timedelta(days=1)), _start(day))


def this_week(now: datetime) -> Period:
    """Since Monday."""
    return Period("this week", _start(now.date() - timedelta(days=now.weekday())))


def this_month(now: datetime) -> Period:
    return Period("this month", _start(now.date().replace(day=1)))


def between(since: str | None, until: str | None) -> Period:
    """From `--since` up to `--until`: days (the last one included) or moments, ISO 8601, local unless they say."""
    start = None if since is None else _moment("--since", since, last=False)
    end = None if until is None else _moment("--until", until, last=True)
    if start is not None and end is not None and end <= start:
        raise UsageError(f"--until {until} is not after --since {since}", "swap them")
    words = [f"since {since}" if since else "", f"until {until}" if until else ""]
    return Period(" ".join(word for word in words if word), start, end)


def day_of(at: int) -> str:
    """The local day of a moment in unix microseconds: `2026-11-23`."""
    return local(at).date().isoformat()


def local(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1_000_000).astimezone()


def _start(day: date) -> int:
    # A naive midnight is taken as local time of that very day, so the offset is that day's.
    return _micros(datetime.combine(day, time()).astimezone())


def _moment(option: str, text: str, *, last: bool) -> int:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        try:
            return _micros(datetime.fromisoformat(text).astimezone())
        except ValueError:
            raise UsageError(
                f"{option} {text}: not a date", "write a day like 2026-11-23 or a moment like 2026-11-23T14:30"
            ) from None
    return _start(day + timedelta(days=1) if last else day)


def _micros(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000)
