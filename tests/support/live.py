"""The real daemon application on a real socket, in a thread of this process, with folders of its own."""

from __future__ import annotations

import asyncio
import http.client
import json
import logging
import secrets
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import genai_prices  # noqa: F401 - so that the prices are made in this process, once
import pytest

from rlmc.assembly import DaemonApp, build_daemon
from rlmc.daemon.listener import Listener


class Live:
    """A served daemon. `open_session` returns the base URL an agent would get."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.control_token = secrets.token_urlsafe(16)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.daemon: DaemonApp
        self._ready = threading.Event()
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(20), "the daemon did not start"
        if self._failed is not None:
            raise self._failed

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self._ending.set)
        self._thread.join(20)
        assert not self._thread.is_alive(), "the daemon did not stop"

    def open_session(
        self,
        *,
        overrides: Mapping[str, str] | None = None,
        keys: Mapping[str, str] | None = None,
        upstreams: Mapping[str, str] | None = None,
        protocol: str = "anthropic",
        client: str = "test",
        id: str | None = None,
    ) -> LiveSession:
        # Which drafts are audited is left to chance: a test that is not about it does without.
        overrides = {"audits": "off", **(overrides or {})}
        session_id, token = id or secrets.token_hex(8), secrets.token_urlsafe(24)
        status, answer = self.control(
            "POST",
            "/-/sessions",
            {
                "id": session_id,
                "token": token,
                "client": client,
                "overrides": overrides,
                "keys": dict(keys or {}),
                "upstreams": dict(upstreams or {}),
                "protocol": protocol,
                "network": {},
            },
        )
        assert status == 200, answer
        return LiveSession(self, session_id, f"http://127.0.0.1:{self.port}/s/{token}", answer["notes"])

    def settle(self) -> None:
        """Waits until audits have ended and everything is in the ledger."""
        ended = asyncio.run_coroutine_threadsafe(self.daemon.audits.wait(20), self.loop).result(25)
        assert ended == 0, "an audit does not end"
        assert asyncio.run_coroutine_threadsafe(self.daemon.books.flush(), self.loop).result(10)

    def control(
        self, method: str, path: str, body: object = None, token: str | None = None
    ) -> tuple[int, dict[str, Any]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(
                method,
                path,
                json.dumps(body).encode() if body is not None else None,
                {"authorization": f"Bearer {token or self.control_token}", "content-type": "application/json"},
            )
            response = connection.getresponse()
            return response.status, json.loads(response.read() or b"{}")
        finally:
            connection.close()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self.loop = asyncio.get_running_loop()
        try:
            log = logging.getLogger("rlmc.test")
            self.daemon = build_daemon(port=self.port, control_token=self.control_token, instance="test", log=log)
            await self.daemon.startup()
            self._ending = asyncio.Event()
            self.listener = Listener(self.daemon.app, keep_alive=5)
            await self.listener.start(self._socket)
        except BaseException as error:
            self._failed = error
            self._ready.set()
            raise
        self._ready.set()
        await self._ending.wait()
        await self.listener.drain(10)
        await self.daemon.shutdown()


class LiveSession:
    def __init__(self, live: Live, session_id: str, base_url: str, notes: list[str]) -> None:
        self.live = live
        self.id = session_id
        self.base_url = base_url
        self.notes = notes

    def end(self) -> dict[str, Any]:
        """Ends the session; afterwards the ledger has everything."""
        status, answer = self.live.control("POST", f"/-/sessions/{self.id}/end")
        assert status == 200, answer
        return answer


@contextmanager
def live_daemon(folder: Path, monkeypatch: pytest.MonkeyPatch, config: str = "") -> Iterator[Live]:
    for name in ("CONFIG", "DATA", "STATE"):
        monkeypatch.setenv(f"RLMC_{name}_DIR", str(folder / name.lower()))
    if config:
        (folder / "config").mkdir(parents=True, exist_ok=True)
        (folder / "config" / "config.toml").write_text(config)
    live = Live(folder)
    live.start()
    try:
        yield live
    finally:
        live.stop()
