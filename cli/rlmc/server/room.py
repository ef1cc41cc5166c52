"""How many bytes of requests are in memory at once. What has no room waits, and whoever sends it waits with it.

Rule: a body has its room before it is read, so that one that waits stays on its sender's side, and keeps it until its
turn has ended. Small bodies have a room of their own: they never wait behind large ones. Nobody waits for ever.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from types import TracebackType

ROOM_BYTES = 256 * 1024 * 1024
SMALL_BYTES = 1024 * 1024
WAIT_SECONDS = 30.0


class NoRoom(Exception):
    """There was none for too long."""


class Room:
    """So many bytes. First come, first served."""

    def __init__(self, size: int) -> None:
        self._size = size
        self.held = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    async def take(self, wanted: int, seconds: float) -> int:
        """Returns what was taken: something larger than the room gets all of it."""
        wanted = min(wanted, self._size)
        if not self._waiting and self._fits(wanted):
            self.held += wanted
            return wanted
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        one = (wanted, turn)
        self._waiting.append(one)
        try:
            async with asyncio.timeout(seconds):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                self.give(wanted)  # it came in the very moment in which nobody waited any more
            else:
                with suppress(ValueError):
                    self._waiting.remove(one)
                self._admit()  # smaller ones may have waited behind it
            if isinstance(error, TimeoutError):
                raise NoRoom from None
            raise
        return wanted

    def give(self, size: int) -> None:
        self.held -= size
        self._admit()

    def _admit(self) -> None:
        while self._waiting:
            wanted, turn = self._waiting[0]
            if not turn.cancelled():
                if not self._fits(wanted):
                    return
                self.held += wanted
                turn.set_result(None)
            self._waiting.popleft()

    def _fits(self, wanted: int) -> bool:
        return self.held + wanted <= self._size


class Bodies:
    """The daemon's, all sessions together."""

    def __init__(self, room: int = ROOM_BYTES, seconds: float = WAIT_SECONDS) -> None:
        self.small = Room(room)
        self.large = Room(room)
        self.seconds = seconds

    @property
    def held(self) -> int:
        return self.small.held + self.large.held

    @property
    def waiting(self) -> int:
        return self.small.waiting + self.large.waiting

    def room_for(self, size: int) -> Held:
        """For an `async with` around all that is done with the body. Raises NoRoom on the way in."""
        return Held(self.small if size <= SMALL_BYTES else self.large, size, self.seconds)


class Held:
    """One body's share."""

    def __init__(self, room: Room, size: int, seconds: float) -> None:
        self._room = room
        self._size = size
        self._seconds = seconds

    async def __aenter__(self) -> Held:
        self._size = await self._room.take(self._size, self._seconds)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shrink(0)

    def shrink(self, size: int) -> None:
        """It has turned out to be smaller; the rest is free for others."""
        if size < self._size:
            unused, self._size = self._size - size, size
            self._room.give(unused)
