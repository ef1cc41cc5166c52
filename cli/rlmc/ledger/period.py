"""Stretches of time as people name them, in their own timezone.

Rule: days begin at local midnight, also where the clock changes; the end is exclusive.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from rlmc.domain.frozen import dataclass
from rlmc.errors import UsageError
from rlmc.ledger.dates import span


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


def between(since: str | None, until: str | None, now: datetime | None = None) -> Period:
    """From the beginning of what `--since` names to the end of what `--until` names, in local time.

    A moment is both: `2026-11-23T14:30`, ISO 8601, and `2h ago`.
    """
    now = now or datetime.now().astimezone()
    start = None if since is None else _edge("--since", since, now)[0]
    end = None if until is None else _edge("--until", until, now)[1]
    if start is not None and end is not None and end <= start:
        raise UsageError(f"--until {until} is not after --since {since}", "swap them")
    words = [f"since {since}" if since else "", f"until {until}" if until else ""]
    return Period(" ".join(word for word in words if word), start, end)


def start_of(option: str, text: str) -> int:
    """The beginning of what an option names, in unix microseconds."""
    return _edge(option, text, datetime.now().astimezone())[0]


def day_of(at: int) -> str:
    """The local day of a moment in unix microseconds: `2026-11-23`."""
    return local(at).date().isoformat()


def local(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1_000_000).astimezone()


def _start(day: date) -> int:
    # A naive midnight is taken as local time of that very day, so the offset is that day's.
    return _micros(datetime.combine(day, time()).astimezone())


def _edge(option: str, text: str, now: datetime) -> tuple[int, int]:
    """The beginning and the end of what the words name."""
    named = span(text, now)
    if isinstance(named, datetime):
        return _micros(named), _micros(named)
    if named is None:
        raise UsageError(
            f"{option} {text}: not a date",
            "write a day (2026-11-23, yesterday, monday, nov 3), a stretch (last week, 2026-11), "
            "how long ago (3 days ago, 2h ago), or a moment (2026-11-23T14:30)",
        )
    first, last = named
    return _start(first), _start(last + timedelta(days=1))


def _micros(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000)
