"""Local days and hours as stretches of time, so that a database can group by them without knowing a timezone.

Rule: a stretch has one name from its first microsecond to its last. Where a clock is put back, two stretches may have
the same name; where it is put forward, an hour may have none.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

_SECOND = 1_000_000
_HOUR = 3600
_STEP = 6 * _HOUR  # no clock is changed twice in it
_UNITS = {"day": 24 * _HOUR, "hour": _HOUR}
_NAMES = {"day": "%Y-%m-%d", "hour": "%Y-%m-%dT%H"}
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - local time, written without its offset


class Stretch(NamedTuple):
    """From `since` up to, not including, `until` (unix microseconds)."""

    name: str
    since: int
    until: int


def stretches(unit: Literal["day", "hour"], first: int, last: int) -> Iterator[Stretch]:
    """Those that hold the moments from `first` to `last`, in the order of time."""
    length = _UNITS[unit]
    for since, until, offset in _offsets(first // _SECOND, last // _SECOND + 1):
        # In here local time runs evenly, so that units of it begin at its multiples.
        at = since
        while at < until:
            number = (at + offset) // length
            end = min(until, (number + 1) * length - offset)
            name = (_EPOCH + timedelta(seconds=number * length)).strftime(_NAMES[unit])
            yield Stretch(name, at * _SECOND, end * _SECOND)
            at = end


def _offsets(since: int, until: int) -> Iterator[tuple[int, int, int]]:
    """The time from `since` to `until` (unix seconds) in parts of one offset from UTC each."""
    begin, offset, at = since, _offset(since), since
    while at < until:
        after = min(until, at + _STEP)
        if _offset(after) != offset:
            change = _change(at, after, offset)
            yield begin, change, offset
            begin, offset = change, _offset(change)
            after = change
        at = after
    if begin < until:
        yield begin, until, offset


def _change(low: int, high: int, offset: int) -> int:
    """The first second between these two that no longer has this offset."""
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset(middle) == offset else (low, middle)
    return high


def _offset(at: int) -> int:
    found = datetime.fromtimestamp(at, UTC).astimezone().utcoffset()
    return 0 if found is None else round(found.total_seconds())
