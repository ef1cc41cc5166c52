"""All lines of a daemon: taken in, given to its application, closed when their time is over, and drained at its end.

Rule: one timer watches over all lines, as most of them are used again long before it matters.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable

from rlmc.daemon.exchange import HttpExchange
from rlmc.daemon.protocol import Line
from rlmc.server.exchange import Exchange

log = logging.getLogger("rlmc.daemon")

_BACKLOG = 2048
_FAILED = b"Internal Server Error"

Application = Callable[[Exchange], Awaitable[None]]


class Listener:
    """`keep_alive` is how long an idle line stays open (seconds). Must be made inside its event loop."""

    def __init__(self, app: Application, keep_alive: float) -> None:
        self.loop = asyncio.get_running_loop()
        self.keep_alive = keep_alive
        self.lines: set[Line] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        self._app = app
        self._server: asyncio.Server | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._ending = False
        self._empty = asyncio.Event()

    async def start(self, listening: socket.socket) -> None:
        self._server = await self.loop.create_server(lambda: Line(self), sock=listening, backlog=_BACKLOG)

    async def drain(self, seconds: float) -> None:
        """No more lines; what is being answered has so long, and is cancelled then."""
        self._ending = True
        if self._server is not None:
            self._server.close()
        for line in list(self.lines):
            line.finish()
        try:
            async with asyncio.timeout(seconds):
                if self.tasks:
                    await asyncio.wait(self.tasks)
                while self.lines:
                    self._empty.clear()
                    await self._empty.wait()
        except TimeoutError:
            self.cancel()
        if self._timer is not None:
            self._timer.cancel()

    def cancel(self) -> None:
        """End at once what is being answered."""
        for task in self.tasks:
            task.cancel()
        for line in self.lines:
            line.close()

    # --- what lines tell ----------------------------------------------------------------------------------------------

    def add(self, line: Line) -> None:
        self.lines.add(line)
        if self._ending:
            line.finish()

    def remove(self, line: Line) -> None:
        self.lines.discard(line)
        if not self.lines:
            self._empty.set()

    def serve(self, exchange: HttpExchange) -> None:
        task = self.loop.create_task(self._serve(exchange))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _serve(self, exchange: HttpExchange) -> None:
        try:
            await self._app(exchange)
        except asyncio.CancelledError:
            exchange.hang_up()
            raise
        except Exception:
            log.exception("a request failed inside rlmc")
        if exchange.is_open:
            if not exchange.begun:
                exchange.keep_alive = False
                exchange.begin(500, [(b"content-length", str(len(_FAILED)).encode())])
                await exchange.end(_FAILED)
            else:
                exchange.hang_up()

    # --- the one timer ------------------------------------------------------------------------------------------------

    def watch(self, deadline: float) -> None:
        """There is a line whose time is over then."""
        if self._timer is None or deadline < self._timer.when():
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self.loop.call_at(deadline, self._look)

    def _look(self) -> None:
        self._timer = None
        now = self.loop.time()
        for line in list(self.lines):
            if line.deadline is not None and line.deadline <= now:
                line.expire(now)
        deadlines = [line.deadline for line in self.lines if line.deadline is not None]
        if deadlines:
            self.watch(min(deadlines))
