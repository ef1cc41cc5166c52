"""The daemon's HTTP listener in a thread of this process, with an application of the test's own."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rlmc.daemon.listener import Application, Listener


class Listening:
    def __init__(self, app: Application, keep_alive: float = 5.0) -> None:
        self._app, self._keep_alive = app, keep_alive
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.loop: asyncio.AbstractEventLoop
        self.listener: Listener
        self._ready = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    async def _serve(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._ending, self.drain_seconds = asyncio.Event(), 5.0
        self.listener = Listener(self._app, self._keep_alive)
        await self.listener.start(self._socket)
        self._ready.set()
        await self._ending.wait()
        await self.listener.drain(self.drain_seconds)

    def start(self) -> None:
        self.thread.start()
        assert self._ready.wait(10)

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self._ending.set)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)


@contextmanager
def listening(app: Application, keep_alive: float = 5.0) -> Iterator[Listening]:
    served = Listening(app, keep_alive)
    served.start()
    try:
        yield served
    finally:
        if served.thread.is_alive():
            served.stop()
        served.thread.join(10)
        assert not served.thread.is_alive(), "the listener does not end"


def read_to_end(connection: socket.socket) -> bytes:
    """What comes until the other side closes."""
    got = bytearray()
    while piece := connection.recv(65536):
        got += piece
    return bytes(got)


def read_until(connection: socket.socket, end: bytes) -> bytes:
    got = bytearray()
    while not got.endswith(end):
        piece = connection.recv(65536)
        assert piece, bytes(got)
        got += piece
    return bytes(got)
