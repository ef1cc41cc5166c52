"""What is spent, by session and by local day, known to the daemon without asking the ledger on the way of a turn.

Rule: seeded once from the ledger, with what was booked before, then counted by the books' observer; every call once.
Turns under way are not counted before they end (and those of a daemon's first moments not before its prices are there),
so a budget is passed by at most what these cost. A turn belongs to the day it started on. A session is held against
money of its own kind, simulated or real.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import field
from datetime import datetime, time, timedelta
from pathlib import Path
from weakref import WeakValueDictionary

from rlmc.config.schema import Settings
from rlmc.domain.frozen import dataclass
from rlmc.domain.money import PICO
from rlmc.errors import RlmcError
from rlmc.ledger.period import local
from rlmc.ledger.queries import LedgerReader
from rlmc.ledger.report import Amount
from rlmc.ledger.spent import Spent, spent
from rlmc.server.books import Booked
from rlmc.server.calls import wall_us
from rlmc.views.budgets import Budget, budgets

log = logging.getLogger("rlmc.budgets")

_READ_SECONDS = 3.0
_LONGEST_TURN = 6 * 3_600_000_000  # microseconds
_DAYS_REMEMBERED = 4


@dataclass(slots=True)
class Day:
    """One local day's money; at midnight the next day's, which begins with none. Of a clock that is set back to a day
    of which nothing is remembered nobody knows what was spent on it."""

    since: int = 0
    until: int = 0
    spent: Spent = field(default_factory=Spent)
    _before: dict[int, Spent] = field(default_factory=dict)

    def at(self, moment: int) -> Spent:
        """The day's as of now, which is `moment` or a little after it: a turn may have begun on the day before."""
        if not self.since - _LONGEST_TURN <= moment < self.until:
            back = moment < self.since
            self._before[self.since] = self.spent
            while len(self._before) > _DAYS_REMEMBERED:
                del self._before[next(iter(self._before))]
            self.since, self.until = bounds(moment)
            known = self._before.get(self.since)
            self.spent = known or (_unknown() if back else Spent())
        return self.spent


def bounds(moment: int) -> tuple[int, int]:
    """The local day of a moment: its midnight and the next, also where that day is shorter or longer than others."""
    day = local(moment).date()
    # A naive midnight is taken as local time of that very day, so the offset is that day's.
    begin, end = (datetime.combine(one, time()).timestamp() for one in (day, day + timedelta(days=1)))
    return round(begin * 1_000_000), round(end * 1_000_000)


@dataclass(slots=True, weakref_slot=True, eq=False)
class Spending:
    """What counts against one session's budgets."""

    day: Day
    simulated: bool
    spent: Amount = field(default_factory=Amount)

    def passed(self, settings: Settings, at: int) -> Budget | None:
        """The budget that is passed at this moment, the session's before the day's. On the way of every turn."""
        session, daily = settings.budget_session, settings.budget_daily
        if (session is None or self.spent.known <= session * PICO) and (
            daily is None or self.day.at(at).of(self.simulated).known <= daily * PICO
        ):
            return None
        return next((budget for budget in self.budgets(settings, at) if budget.over), None)

    def stopped(self, settings: Settings, at: int) -> bool:
        return settings.budget_action == "stop" and self.passed(settings, at) is not None

    def budgets(self, settings: Settings, at: int) -> list[Budget]:
        return budgets(settings, self.spent, self.day.at(at).of(self.simulated))


class Budgets:
    """The daemon's. `observe` belongs to the books' observers; `clock` gives unix microseconds."""

    def __init__(self, ledger: Path, clock: Callable[[], int] = wall_us) -> None:
        self._ledger = ledger
        self._clock = clock
        self._began = clock()
        self._sessions: WeakValueDictionary[str, Spending] = WeakValueDictionary()
        self._day = Day()
        self._day.at(self._began)

    async def load(self) -> None:
        """What was spent today before this daemon began."""
        since, until = self._day.since, self._began
        before = await self._before(lambda reader: spent(reader, since, until))
        for kind in (True, False):
            _add(self._day.spent.of(kind), before.of(kind))

    def today(self, settings: Settings) -> list[Budget]:
        """The day's budget where one is set."""
        return budgets(settings, None, self._day.at(self._clock()).shown)

    async def open(self, id: str, *, simulated: bool) -> Spending:
        """A session's spending. One that is new here may have been another daemon's: what it spent is in the ledger."""
        known = self._sessions.get(id)
        if known is not None:
            known.simulated = known.simulated or simulated
            return known
        mine = self._sessions[id] = Spending(self._day, simulated)
        now = self._clock()
        before = await self._before(lambda reader: spent(reader, until=now, session=id))
        for kind in (True, False):
            _add(mine.spent, before.of(kind))
        return mine

    def observe(self, booked: Booked) -> None:
        mine = self._sessions.get(booked.turn.session_id)
        at = booked.turn.started_at
        day = self._day.at(at).of(booked.simulated) if at >= self._day.since else None
        for call in booked.calls:
            for amount in (None if mine is None else mine.spent, day):
                if amount is not None:
                    amount.add(call.cost)

    async def _before(self, read: Callable[[LedgerReader], Spent]) -> Spent:
        """From the ledger, off the loop. Never fails: what cannot be read is unknown, and a sum over it "at least"."""

        def look() -> Spent:
            reader = LedgerReader.open(self._ledger)
            try:
                return read(reader)
            finally:
                reader.close()

        try:
            async with asyncio.timeout(_READ_SECONDS):
                return await asyncio.to_thread(look)
        except (RlmcError, OSError, TimeoutError) as error:
            log.warning("what was spent before cannot be read: %s", error or type(error).__name__)
            return _unknown()


def _unknown() -> Spent:
    return Spent(Amount(0, 1), Amount(0, 1))


def _add(to: Amount, other: Amount) -> None:
    to.known += other.known
    to.missing += other.missing
