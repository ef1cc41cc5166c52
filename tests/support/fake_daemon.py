"""A daemon process with a tiny app in the place of the real one: `python fake_daemon.py [options] --port P`.

It speaks just enough of the control channel for everything that starts, finds, keeps and ends daemons.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import sys
import time
from typing import Any

import rlmc
from rlmc.daemon.serve import serve
from rlmc.server.exchange import Exchange
from rlmc.server.proof import proof


class FakeDaemon:
    def __init__(self, options: argparse.Namespace, *, port: int, control_token: str, instance: str) -> None:
        self._options = options
        self._port = port
        self._token = control_token
        self._instance = instance
        self._alive = options.sessions
        self._known: dict[str, dict[str, Any]] = {}
        self._streams = 0
        self._used = time.monotonic()
        self.stop_requested = asyncio.Event()

    async def startup(self) -> None:
        if self._options.fail:
            raise RuntimeError("this daemon is made to fail")

    async def shutdown(self) -> None:
        logging.getLogger("rlmc").info("books closed")

    def busy(self) -> bool:
        return self._alive > 0 or self._streams > 0

    def idle_seconds(self) -> float:
        return time.monotonic() - self._used

    def idle_timeout(self) -> float:
        return float(self._options.idle_timeout)

    async def app(self, exchange: Exchange) -> None:
        headers = dict(exchange.headers)
        path = exchange.path
        if path.startswith("/s/"):
            self._used = time.monotonic()
            await self._stream(exchange)
            return
        if path == "/-/proof":
            nonce = headers["x-rlmc-nonce"]
            await _reply(exchange, 200, {"proof": proof(self._token, self._port, nonce)})
        elif headers.get("authorization") != f"Bearer {self._token}":
            await _reply(exchange, 401, {"error": "wrong token"})
        elif path == "/-/health":
            await _reply(
                exchange,
                200,
                {
                    "version": self._options.version,
                    "pid": os.getpid(),
                    "instance": self._instance,
                    "sessions_alive": self._alive,
                },
            )
        elif path == "/-/status":
            await _reply(exchange, 200, {"known": self._known})
        elif path == "/-/stop":
            if not self._options.deaf:
                self.stop_requested.set()
            await _reply(exchange, 200, {"ok": True})
        elif path == "/-/reload":
            await _reply(exchange, 200, {"ok": False, "error": "made to refuse"})
        elif path == "/-/sessions":
            wanted = json.loads(await exchange.body(1 << 20))
            self._known[wanted["id"]] = wanted
            await _reply(exchange, 200, {"notes": ["a note"]})
        elif path.endswith("/attach") and path.split("/")[3] in self._known:
            await self._attach(exchange)
        elif path.endswith("/end"):
            known = self._known.pop(path.split("/")[3], None)
            answer = {"error": "no such session"} if known is None else {"requests": 0, "turns": 0, "notes": []}
            await _reply(exchange, 400 if known is None else 200, answer)
        else:
            await _reply(exchange, 404, {"error": "no such path"})

    async def _attach(self, exchange: Exchange) -> None:
        self._alive += 1
        gone = asyncio.ensure_future(exchange.gone())
        stopping = asyncio.ensure_future(self.stop_requested.wait())
        try:
            exchange.begin(200, [])
            await exchange.write(b"\n")
            await asyncio.wait({gone, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not gone.done():
                await exchange.end()
        finally:
            self._alive -= 1
            gone.cancel()
            stopping.cancel()

    async def _stream(self, exchange: Exchange) -> None:
        """An answer that takes a while: its last words come after it was told to stop."""
        self._streams += 1
        try:
            exchange.begin(200, [])
            await exchange.write(b"first ")
            await self.stop_requested.wait()
            await asyncio.sleep(self._options.last_words_after)
            await exchange.end(b"last")
        finally:
            self._streams -= 1


async def _reply(exchange: Exchange, status: int, answer: object) -> None:
    body = json.dumps(answer).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    exchange.begin(status, headers)
    await exchange.end(body)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log-level", default="info")
    parser.add_argument("--version", default=rlmc.__version__)
    parser.add_argument("--sessions", type=int, default=0, help="sessions it claims to be alive")
    parser.add_argument("--idle-timeout", type=float, default=120.0, help="also ends what a broken test leaves behind")
    parser.add_argument("--last-words-after", type=float, default=0.2)
    parser.add_argument("--fail", action="store_true")
    parser.add_argument("--deaf", action="store_true", help="say yes to a stop and go on")
    options = parser.parse_args()

    def build(*, port: int, control_token: str, instance: str, log: logging.Logger) -> FakeDaemon:
        return FakeDaemon(options, port=port, control_token=control_token, instance=instance)

    return serve(options.port, options.log_level, build)


if __name__ == "__main__":
    sys.exit(main())
