"""Sessions that come and go while the load runs: registered, used for one turn, kept a while, ended.

Rule: what the daemon refuses is counted and said, and every session that was begun is ended in the end.
"""

from __future__ import annotations

import http.client
import secrets
import threading
import time
from collections import deque

from tests.bench.process import HOST
from tests.bench.requests import HEADERS, body_of

from rlmc.daemon.control import Endpoint, Registration, end_session, register_session
from rlmc.errors import DaemonError


class Churn(threading.Thread):
    """`count` sessions over `seconds`, each kept for `life` seconds. `turns` are those that were answered."""

    def __init__(self, endpoint: Endpoint, count: int, seconds: float, life: float) -> None:
        super().__init__(name="churn", daemon=True)
        self._endpoint = endpoint
        self._count = count
        self._seconds = seconds
        self._life = life
        self._over = threading.Event()
        self._living: deque[tuple[float, str]] = deque()
        self.turns = self.registered = self.bad = 0
        self.problem: str | None = None

    def run(self) -> None:
        began = time.monotonic()
        for number in range(self._count):
            if self._over.wait(max(0.0, began + number * self._seconds / self._count - time.monotonic())):
                break
            self._try(self._begin)
            while self._living and self._living[0][0] <= time.monotonic():
                self._try(self._end)
        while self._living:
            self._try(self._end)

    def finish(self) -> None:
        """No more new ones; those there are end."""
        self._over.set()
        self.join(120)

    def _try(self, what: object) -> None:
        try:
            what()  # type: ignore[operator]
        except (DaemonError, OSError, http.client.HTTPException) as error:
            self.bad += 1
            self.problem = self.problem or f"a session: {error}"

    def _begin(self) -> None:
        id, token = secrets.token_hex(8), secrets.token_urlsafe(24)
        self._living.append((time.monotonic() + self._life, id))
        register_session(self._endpoint, Registration(id, token, "load"))
        self.registered += 1
        connection = http.client.HTTPConnection(HOST, self._endpoint.port, timeout=30)
        try:
            connection.request("POST", f"/s/{token}/v1/messages", body_of("small-whole"), dict(HEADERS))
            answer = connection.getresponse()
            answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise OSError(f"status {answer.status}")
        self.turns += 1

    def _end(self) -> None:
        _, id = self._living.popleft()
        end_session(self._endpoint, id)
