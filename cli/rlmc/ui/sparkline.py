"""What was saved day by day, as one line of small bars and the words that give them their measure.

Rule: a day that lost is not a low bar but another mark; a day of which it is not known whether it did is a third; a day
without turns is a gap. Where the days are more than fit, a bar is a week, a month or a year.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import TextIO

from rlmc.domain.frozen import dataclass
from rlmc.ledger.report import Amount, SavingsReport
from rlmc.ui.console import encodable
from rlmc.ui.palette import of_saving, tint
from rlmc.ui.prose import wrapped
from rlmc.views.figures import cells, short_saving


@dataclass(frozen=True, slots=True)
class _Marks:
    bars: str
    loss: str
    unknown: str = "?"


_BLOCKS = _Marks("▁▂▃▄▅▆▇█", "▾")
_ASCII = _Marks("_.-=+*%#", "v")


@dataclass(frozen=True, slots=True)
class _Unit:
    """`first` is the first day of the one a day lies in, `after` that of the next. `named` says when, for its first."""

    name: str
    first: Callable[[date], date]
    after: Callable[[date], date]
    named: Callable[[date, bool], str]


def _day(at: date, year: bool) -> str:
    return f"{at.day} {at:%b %Y}" if year else f"{at.day} {at:%b}"


_UNITS = (
    _Unit("day", lambda at: at, lambda at: at + timedelta(days=1), lambda at, year: f"on {_day(at, year)}"),
    _Unit(
        "week",
        lambda at: at - timedelta(days=at.weekday()),
        lambda at: at + timedelta(days=7),
        lambda at, year: f"in the week of {_day(at, year)}",
    ),
    _Unit(
        "month",
        lambda at: at.replace(day=1),
        lambda at: (at + timedelta(days=31)).replace(day=1),
        lambda at, _: f"in {at:%b %Y}",
    ),
    _Unit(
        "year",
        lambda at: at.replace(month=1, day=1),
        lambda at: at.replace(year=at.year + 1),
        lambda at, _: f"in {at.year}",
    ),
)


def saved_by_day(days: Sequence[tuple[str, SavingsReport]], width: int, out: TextIO) -> list[str]:
    """`days` are an account's groups by day. Nothing where there is only one."""
    if len(days) < 2:
        return []
    marks = _BLOCKS if encodable(_BLOCKS.bars + _BLOCKS.loss, out) == _BLOCKS.bars + _BLOCKS.loss else _ASCII
    reports = {date.fromisoformat(day): report for day, report in days}
    first, last = min(reports), max(reports)
    for unit in _UNITS:
        slots = _slots(first, last, unit)
        head = f"saved by {unit.name}  "
        if len(slots) <= width - len(head):
            break
    sums = _sums(reports, unit)
    bars = "".join(_bar(sums.get(slot), _best(sums), marks, out) for slot in slots)
    words = encodable(_words(sums, unit, first, last, marks), out)
    if len(head) + len(slots) + 2 + cells(words) <= width:
        return [f"{head}{bars}  {words}"]
    return [head + bars, *wrapped(words, width, " " * len(head), " " * len(head))]


def _slots(first: date, last: date, unit: _Unit) -> list[date]:
    found = [unit.first(first)]
    while found[-1] < unit.first(last):
        found.append(unit.after(found[-1]))
    return found


def _sums(reports: Mapping[date, SavingsReport], unit: _Unit) -> dict[date, SavingsReport]:
    """What the saving of each unit is made of."""
    found: dict[date, SavingsReport] = {}
    for day, report in reports.items():
        whole = found.setdefault(unit.first(day), SavingsReport())
        for one, part in ((whole.paid, report.paid), (whole.baseline, report.baseline)):
            _add(one, part)
    return found


def _add(whole: Amount, part: Amount) -> None:
    whole.known += part.known
    whole.missing += part.missing


def _best(sums: Mapping[date, SavingsReport]) -> int:
    gains = (report.saving for report in sums.values() if of_saving(report.saving) == "gain")
    return max((saved.amount or 0 for saved in gains), default=0)


def _bar(report: SavingsReport | None, best: int, marks: _Marks, out: TextIO) -> str:
    if report is None:
        return " "
    match of_saving(report.saving), report.saving.amount:
        case "gain", int(amount):
            return tint(marks.bars[-(-amount * len(marks.bars) // best) - 1], "gain", out)
        case "loss", _:
            return tint(marks.loss, "loss", out)
    return marks.unknown if _unknown(report) else marks.bars[0]


def _unknown(report: SavingsReport) -> bool:
    """Whether it is not known if this was a gain, a loss or neither."""
    saved = report.saving
    return of_saving(saved) is None and (saved.amount, saved.bound) != (0, "exact")


def _words(sums: Mapping[date, SavingsReport], unit: _Unit, first: date, last: date, marks: _Marks) -> str:
    years = first.year != last.year
    words = [f"{_day(first, years)} to {_day(last, years)}"]
    amounts = sorted((report.saving.amount or 0, slot) for slot, report in sums.items())
    gains, losses = ([slot for _, slot in amounts if of_saving(sums[slot].saving) == one] for one in ("gain", "loss"))
    if gains:
        words.append(f"best {short_saving(sums[gains[-1]].saving)} {unit.named(gains[-1], years)}")
    if losses:
        worst = short_saving(sums[losses[0]].saving)
        words.append(f"{marks.loss} a loss, worst {worst} {unit.named(losses[0], years)}")
    if any(_unknown(report) for report in sums.values()):
        words.append(f"{marks.unknown} unknown")
    return ", ".join(words)
