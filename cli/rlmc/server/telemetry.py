"""Traces and metrics over OpenTelemetry, where `otel.endpoint` is set: the observer, and who follows the setting.

Rule: nothing of OpenTelemetry is imported before an endpoint is set, no turn waits for a collector, and one that is
missing costs nothing but a line in `status`. Content is never sent.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from rlmc.config.schema import Settings
from rlmc.server.books import Booked

log = logging.getLogger("rlmc.telemetry")

INSTALL = "OpenTelemetry's packages are missing; install rlm-cascade[otel] where rlmc is installed, then rlmc restart"
_MOST_WAITING = 256
_CLOSE_SECONDS = 2.0


class Export(Protocol):
    """What sends. `error` is what is wrong with the collector at the moment."""

    @property
    def error(self) -> str | None: ...

    def send(self, booked: Booked) -> None: ...
    def close(self) -> None: ...


Opener = Callable[[str], Export]


class Telemetry:
    """`open_export` imports and opens what sends; it is called in a thread. Everything else belongs to the loop."""

    def __init__(self, settings: Callable[[], Settings], open_export: Opener) -> None:
        self._settings = settings
        self._open_export = open_export
        self._endpoint: str | None = None
        self._export: Export | None = None
        self._problem: str | None = None
        self._opening: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting: deque[Booked] = deque(maxlen=_MOST_WAITING)

    def observe(self, booked: Booked) -> None:
        self.follow()
        if self._export is not None:
            self._export.send(booked)
        elif self._opening is not None:
            self._waiting.append(booked)

    def follow(self) -> None:
        """Take up a changed setting."""
        endpoint = self._settings().otel_endpoint
        if endpoint == self._endpoint:
            return
        self._endpoint, self._problem = endpoint, None
        self._waiting.clear()
        before, self._export = self._export, None
        if before is not None:
            _in_background(before)
        # One that is opening still is left to end: cancelled, nobody would have what it opened, to close it.
        self._opening = None if endpoint is None else asyncio.create_task(self._open(endpoint))
        if self._opening is not None:
            self._tasks.add(self._opening)
            self._opening.add_done_callback(self._tasks.discard)

    def status(self) -> dict[str, Any] | None:
        """For `rlmc status`; None when nothing is to be sent."""
        self.follow()
        if self._endpoint is None:
            return None
        error = self._problem if self._export is None else self._export.error
        return {"endpoint": self._endpoint, "error": error}

    async def close(self) -> None:
        """Sends what waits, for a moment. A collector that hangs is left behind."""
        if self._opening is not None:
            self._opening.cancel()
        self._opening = None
        export, self._export = self._export, None
        if export is not None:
            closing = _in_background(export)
            for _ in range(round(_CLOSE_SECONDS / 0.02)):
                if not closing.is_alive():
                    break
                await asyncio.sleep(0.02)

    async def _open(self, endpoint: str) -> None:
        export, problem = None, None
        try:
            export = await asyncio.to_thread(self._open_export, endpoint)
        except ImportError:
            problem = INSTALL
            log.warning("%s", INSTALL)
        except Exception as error:
            problem = f"telemetry could not be started ({type(error).__name__})"
            log.exception("telemetry could not be started")
        if self._opening is not asyncio.current_task():  # the setting has changed meanwhile
            if export is not None:
                _in_background(export)
            return
        self._problem, self._export = problem, export
        if export is not None:
            log.info("telemetry goes to %s", endpoint)
            for booked in self._waiting:
                export.send(booked)
        self._waiting.clear()
        self._opening = None


def _in_background(export: Export) -> threading.Thread:
    thread = threading.Thread(target=export.close, name="rlmc-telemetry-close", daemon=True)
    thread.start()
    return thread
