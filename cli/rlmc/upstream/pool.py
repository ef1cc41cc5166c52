"""The lines to providers: those that are free, for the next request, and all of them, to be closed.

Rule: a line that has waited long, or at which anything happens while it waits, is not used again: a provider may have
closed its end, and a request on it would fail. The one that became free last is used first, so that the others can go.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from rlmc.upstream.http_line import Line

IDLE_SECONDS = 30.0


# Where lines lead to, and by whose certificates: an origin, and the file of a user's own.
Key = tuple[str, str | None]


class Pool:
    """Made and used inside one event loop. It is the `Owner` of its lines, and knows those it was told of."""

    def __init__(self) -> None:
        self._free: dict[Key, list[Line]] = {}
        self._all: set[Line] = set()
        self._age = 0
        self._closed = False
        self._timer: asyncio.TimerHandle | None = None

    def take(self, key: Key) -> Line | None:
        free = self._free.get(key)
        while free:
            line = free.pop()
            if not line.closed and asyncio.get_running_loop().time() - line.idle_since < IDLE_SECONDS:
                return line
            line.drop()
        return None

    def made(self, line: Line) -> None:
        """A new line, which may end at any moment."""
        if line.closed:
            return
        line.age = self._age
        self._all.add(line)
        if self._closed:
            line.drop()

    def free(self, line: Line) -> None:
        if line.closed or line.age != self._age:
            line.drop()
            return
        loop = asyncio.get_running_loop()
        line.idle_since = loop.time()
        self._free.setdefault(line.key, []).append(line)
        if self._timer is None:
            self._timer = loop.call_later(IDLE_SECONDS, self._sweep)

    def gone(self, line: Line) -> None:
        self._all.discard(line)
        free = self._free.get(line.key)
        if free is not None and line in free:
            free.remove(line)

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        long_ago = loop.time() - IDLE_SECONDS
        self._timer = None
        kept: dict[Key, list[Line]] = {}
        for key, free in self._free.items():
            for line in free:
                if line.idle_since <= long_ago:
                    line.drop()
            left = [line for line in free if not line.closed]
            if left:
                kept[key] = left
        self._free = kept
        if kept:
            oldest = min(free[0].idle_since for free in kept.values())
            self._timer = loop.call_later(oldest - long_ago, self._sweep)

    def renew(self) -> None:
        """No line there is now is used for another request; what goes on on one goes on."""
        self._age += 1
        self._drop(line for free in self._free.values() for line in free)

    def close(self) -> None:
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._drop(self._all)

    def _drop(self, lines: Iterable[Line]) -> None:
        for line in list(lines):
            line.drop()
        self._free.clear()
