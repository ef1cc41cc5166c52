"""The newest state of each period that somebody looks at: reckoned once for all pages, when something has changed.

Rule: the ledger is read in a thread of its own, never in the loop. Nobody looking costs nothing; a page that does not
read gets the newest state when it does, and what came between is dropped.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from rlmc.domain.frozen import dataclass
from rlmc.views.stats_data import Data

log = logging.getLogger("rlmc.dashboard")

SCHEMA = "rlmc.dashboard/1"
LOOK_SECONDS = 0.5
# Of the time a state takes to reckon, so much is left between two of them for everything else.
_BREATHE = 4.0
_RESULT = TypeVar("_RESULT")


@dataclass(frozen=True, slots=True)
class State:
    """One period's, as the JSON a page gets. Later ones have higher numbers."""

    number: int
    body: bytes


class Feed:
    """`status` gives the daemon's state, `used` is told that somebody looks."""

    def __init__(self, ledger: Path, status: Callable[[], dict[str, Any]], used: Callable[[], None]) -> None:
        self._ledger = ledger
        self._status = status
        self._used = used
        self._thread = ThreadPoolExecutor(1, "rlmc-dashboard")
        self._watch = _Watch(ledger)
        self._looking: Counter[str] = Counter()
        self._states: dict[str, State] = {}
        self._news = asyncio.Event()
        self._wanted = asyncio.Event()
        self._pulse: asyncio.Task[None] | None = None
        self.reckoned = 0

    @property
    def open(self) -> int:
        return self._looking.total()

    async def follow(self, period: str) -> AsyncGenerator[State, None]:
        """States of a period, the newest one at once, for as long as somebody asks."""
        self._looking[period] += 1
        self._wanted.set()
        if self._pulse is None:
            self._pulse = asyncio.create_task(self._beat())
        seen = 0
        try:
            while True:
                news, state = self._news, self._states.get(period)
                if state is not None and state.number > seen:
                    seen = state.number
                    yield state
                    continue
                await news.wait()
        finally:
            self._looking[period] -= 1
            if not self._looking[period]:
                # Whoever looks next shall not be shown how things were when the last one left.
                del self._looking[period]
                self._states.pop(period, None)

    async def overview(self, period: str) -> bytes:
        """As it is now, whether somebody follows it or not."""
        return await self.read(_body, self._ledger, self._status(), period)

    async def turns(self, session: str, before: str | None) -> Data | None:
        """A page of a session's."""
        from rlmc.server.dashboard import facts

        return await self.read(facts.turns, self._ledger, self._status(), session, before)

    async def read(self, what: Callable[..., _RESULT], *args: object) -> _RESULT:
        """Something of the ledger's, in the thread that reads it."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, what, *args)

    async def close(self) -> None:
        if self._pulse is not None:
            self._pulse.cancel()
            with suppress(asyncio.CancelledError):
                await self._pulse
        self._thread.submit(self._watch.close)
        self._thread.shutdown(wait=False)

    async def _beat(self) -> None:
        """Looks for changes while there is somebody to tell."""
        before: object = None
        while self._looking:
            took = 0.0
            self._wanted.clear()
            try:
                self._used()
                status = self._status()
                stamp = (await self.read(self._watch.stamp), _lasting(status), date.today().isoformat())  # noqa: DTZ011
                stale = [name for name in self._looking if stamp != before or name not in self._states]
                began = time.monotonic()
                for name in stale:
                    body = await self.read(_body, self._ledger, status, name)
                    self.reckoned += 1
                    if self._looking[name]:  # whoever looked may have left meanwhile
                        self._states[name] = State(self.reckoned, body)
                took = time.monotonic() - began
                before = stamp
                if stale:
                    news, self._news = self._news, asyncio.Event()
                    news.set()
            except Exception:
                log.exception("the dashboard's figures could not be reckoned")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), max(LOOK_SECONDS, _BREATHE * took))
        self._pulse = None


def _body(ledger: Path, status: dict[str, Any], period: str) -> bytes:
    from rlmc.server.dashboard import facts

    return body(facts.overview(ledger, status, period))


def body(data: object) -> bytes:
    return msgspec.json.encode({"schema": SCHEMA, "data": data})


def _lasting(status: dict[str, Any]) -> bytes:
    """What of the daemon's state is news when it changes; that time passes, and what its process takes, is none."""
    return msgspec.json.encode({key: value for key, value in status.items() if key not in ("uptime_s", "process")})


class _Watch:
    """Tells whether the ledger has changed, for next to nothing. Belongs to the thread that reads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None

    def stamp(self) -> object:
        """Another value whenever something was written, or the file is another one."""
        try:
            stat = self._path.stat()
            if self._db is None or self._file != (stat.st_dev, stat.st_ino):
                self.close()
                self._db = sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True)
                self._file = (stat.st_dev, stat.st_ino)
            return self._file, self._db.execute("PRAGMA data_version").fetchone()[0]
        except (OSError, sqlite3.Error) as error:
            self.close()
            return str(error)

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None
