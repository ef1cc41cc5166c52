"""Raw connections of the load: one question after another, answers whole, slow, or left in the middle."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import httptools
from tests.bench.process import HOST

_SIP_SECONDS = 0.5
_LEAVE_SECONDS = 0.05
_SIP_BUFFER = 64 * 1024  # of the kernel's: what it takes on its own is not read slowly


class Broken(Exception):
    """The connection ended before the answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`ended` is when its last byte came, by the performance counter."""

    status: int
    body: bytes
    ended: float


def request(port: int, path: str, body: bytes, headers: Sequence[tuple[str, str]]) -> bytes:
    lines = [f"POST {path} HTTP/1.1", f"host: {HOST}:{port}", *(f"{k}: {v}" for k, v in headers)]
    return ("\r\n".join([*lines, f"content-length: {len(body)}"]) + "\r\n\r\n").encode() + body


class Connection(asyncio.Protocol):
    """`sip` has it read a little at a time."""

    def __init__(self, *, sip: bool = False) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport
        self._body: list[bytes] = []
        self._answer: asyncio.Future[Answer] | None = None
        self._begun: asyncio.Future[None] | None = None
        self._sip = sip
        self.open = False

    @classmethod
    async def to(cls, port: int, *, sip: bool = False) -> Connection:
        loop = asyncio.get_running_loop()
        line = socket.socket()
        line.setblocking(False)
        try:
            if sip:
                line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SIP_BUFFER)
            await loop.sock_connect(line, (HOST, port))
            _, connection = await loop.create_connection(lambda: cls(sip=sip), sock=line)
        except BaseException:
            line.close()
            raise
        return connection

    async def ask(self, data: bytes) -> Answer:
        """Raises Broken."""
        self._answer = asyncio.get_running_loop().create_future()
        self._send(data)
        return await self._answer

    async def ask_and_leave(self, data: bytes, seconds: float) -> bool:
        """Hangs up in the middle of the answer, a while after its first bytes. False when it had ended by then."""
        loop = asyncio.get_running_loop()
        self._answer, self._begun = loop.create_future(), loop.create_future()
        self._send(data)
        await self._begun
        await asyncio.wait({self._answer}, timeout=seconds)
        left = not self._answer.done()
        self._answer.cancel()
        self.leave()
        return left

    async def send_and_leave(self, data: bytes) -> None:
        """Hangs up in the middle of the question."""
        self._transport.write(data)
        await asyncio.sleep(_LEAVE_SECONDS)
        self.leave()

    @property
    def heard(self) -> bool:
        """Whether anything of the answer has come."""
        return bool(self._body)

    def leave(self) -> None:
        self.open = False
        self._transport.abort()

    def _send(self, data: bytes) -> None:
        self._body = []
        if self._transport.is_closing():
            raise Broken("the connection was closed before the question")
        self._transport.write(data)

    # --- the transport's side -------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own is no subclass
        self.open = True

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(f"no HTTP: {error}")
            self._transport.abort()
            return
        if self._sip and not self._transport.is_closing():
            self._transport.pause_reading()
            asyncio.get_running_loop().call_later(_SIP_SECONDS, self._go_on)

    def connection_lost(self, exc: Exception | None) -> None:
        self.open = False
        self._fail(f"the connection broke ({exc or 'closed'})")

    def _go_on(self) -> None:
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def _fail(self, why: str) -> None:
        for future in (self._begun, self._answer):
            if future is not None and not future.done():
                future.set_exception(Broken(why))

    # --- the parser's side ------------------------------------------------------------------------------------------

    def on_body(self, body: bytes) -> None:
        self._body.append(body)
        if self._begun is not None and not self._begun.done():
            self._begun.set_result(None)

    def on_message_complete(self) -> None:
        self.open = self._parser.should_keep_alive()
        if self._answer is not None and not self._answer.done():
            answer = Answer(self._parser.get_status_code(), b"".join(self._body), time.perf_counter())
            self._answer.set_result(answer)


class Pool:
    """Connections to one port that wait for a question."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._idle: list[Connection] = []

    async def ask(self, data: bytes) -> Answer:
        while self._idle:
            connection = self._idle.pop()
            if connection.open:
                break
        else:
            connection = await Connection.to(self.port)
        answer = await connection.ask(data)
        if connection.open:
            self._idle.append(connection)
        return answer

    def close(self) -> None:
        for connection in self._idle:
            connection.leave()
        self._idle.clear()
