"""Days and stretches of days as people write them: `yesterday`, `last week`, `3 days ago`, `nov 3`, `2026-11`.

Rule: what is written means one thing. A weekday or a day of a month without its year is the last one there was, today
included.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, datetime, timedelta

Days = tuple[date, date]
"""The first and the last day, both of them in."""

_AGO = re.compile(r"(\d{1,6}|an?) ?(m|mins?|minutes?|h|hours?|d|days?|w|weeks?|months?|y|years?) ago")
_MONTH = re.compile(r"(\d{4})-(\d{2})")
_DAY_OF_MONTH = re.compile(r"(?:(\d{1,2}) )?([a-z]+)(?: (\d{1,2}))?(?:,? (\d{4}))?")
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_LEAST = 3  # letters of a name that is cut short
_CLOCK = {"m": timedelta(minutes=1), "h": timedelta(hours=1)}


def span(text: str, now: datetime) -> Days | datetime | None:
    """The days the words name, or the moment; None where they name neither. Local time unless they say."""
    words = " ".join(text.lower().split())
    today = now.date()
    try:
        return _named(words, today) or _iso(text.strip()) or _ago(words, now) or _of_month(words, today)
    except (ValueError, OverflowError):  # the 31st of February, a million years ago
        return None


def _named(words: str, today: date) -> Days | None:
    monday = today - timedelta(days=today.weekday())
    first = today.replace(day=1)
    known = {
        "today": (today, today),
        "yesterday": (today - timedelta(days=1),) * 2,
        "this week": (monday, today),
        "last week": (monday - timedelta(days=7), monday - timedelta(days=1)),
        "this month": (first, today),
        "last month": _month(first - timedelta(days=1)),
        "this year": (today.replace(month=1, day=1), today),
        "last year": (date(today.year - 1, 1, 1), date(today.year - 1, 12, 31)),
    }
    if words in known:
        return known[words]
    number = _which(_WEEKDAYS, words.removeprefix("last "))
    if number is None:
        return None
    back = (today.weekday() - number) % 7
    day = today - timedelta(days=back or 7 * words.startswith("last "))
    return day, day


def _iso(text: str) -> Days | datetime | None:
    month = _MONTH.fullmatch(text)
    if month is not None:
        return _month(date(int(month[1]), int(month[2]), 1))
    try:
        day = date.fromisoformat(text)
    except ValueError:
        try:
            return datetime.fromisoformat(text).astimezone()
        except ValueError:
            return None
    return day, day


def _ago(words: str, now: datetime) -> Days | datetime | None:
    found = _AGO.fullmatch(words)
    if found is None:
        return None
    count = 1 if found[1] in ("a", "an") else int(found[1])
    unit = "month" if found[2].startswith("mo") else found[2][0]
    if unit in _CLOCK:
        return now - count * _CLOCK[unit]
    today = now.date()
    if unit in ("month", "y"):
        months = today.year * 12 + today.month - 1 - count * (12 if unit == "y" else 1)
        year, month = months // 12, months % 12 + 1
        day = date(year, month, min(today.day, monthrange(year, month)[1]))
    else:
        day = today - timedelta(days=count * (7 if unit == "w" else 1))
    return day, day


def _of_month(words: str, today: date) -> Days | None:
    """`nov 3`, `3 nov`, `november 3, 2025`, `november`."""
    found = _DAY_OF_MONTH.fullmatch(words)
    if found is None:
        return None
    before, name, after, year = found.groups()
    month = _which(_MONTHS, name)
    if month is None or (before and after):
        return None
    number = before or after
    first = date(int(year) if year else today.year, month + 1, int(number or 1))
    if year is None and first > today:
        first = first.replace(year=first.year - 1)
    return (first, first) if number else _month(first)


def _month(day: date) -> Days:
    return day.replace(day=1), day.replace(day=monthrange(day.year, day.month)[1])


def _which(names: tuple[str, ...], word: str) -> int | None:
    """The place of the name that is meant, whole or cut short."""
    return next((at for at, name in enumerate(names) if len(word) >= _LEAST and name.startswith(word)), None)
