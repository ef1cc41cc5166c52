"""A provider over bare sockets that answers as it is told, to the byte, and breaks wherever it is told to.

    with FaultUpstream() as up:
        lane = up.lane(lambda ask: Delivery(status=503))
        ...  # ask {lane.url}/v1/messages

Rule: nothing here is decided by an HTTP library. A lane is the first part of a path, with a script and its own record.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Literal, Self

Json = dict[str, Any]
Headers = tuple[tuple[str, str], ...]

DATE = "Thu, 26 Nov 2026 12:00:00 GMT"
# Long enough that what was written has arrived before the connection is torn down.
_SETTLED = 0.05
_LONGEST_HANG = 120.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """One answer. Without a `status` nothing at all is sent but `pieces`, which are then no HTTP.

    `pieces` are written one by one, `gap` seconds apart, with a length where `sized` (that of `length`, if it is to be
    another one) and in chunks otherwise. `ending`: as it should be, "cut" (the connection ends), "reset", or "hang".
    """

    status: int | None = 200
    headers: Headers = ()
    pieces: tuple[bytes, ...] = ()
    sized: bool = False
    length: int | None = None
    gap: float = 0.0
    ending: Literal["end", "cut", "reset", "hang"] = "end"


@dataclass(frozen=True, slots=True)
class Ask:
    """One request for an answer. `number` counts those of its lane."""

    protocol: str
    headers: dict[str, str]
    body: bytes
    number: int

    @property
    def json(self) -> Json:
        return json.loads(self.body)

    @property
    def streamed(self) -> bool:
        return bool(self.json.get("stream"))


@dataclass
class Lane:
    """`asks` are the requests for an answer; `held` counts connections that hang, `let_go` those the client ended."""

    url: str
    script: Callable[[Ask], Delivery]
    asks: list[Ask] = field(default_factory=list)
    held: int = 0
    let_go: int = 0


_PROTOCOLS = {"/messages": "anthropic", "/chat/completions": "chat", "/responses": "responses"}


class FaultUpstream:
    def __init__(self) -> None:
        self.port = 0
        self._lanes: dict[str, Lane] = {}
        self._numbers = itertools.count()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: asyncio.Server
        # Bound, and never listening: whoever connects there is refused, and nobody else gets the port.
        self._closed = socket.socket()
        self._open: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        self._closed.bind(("127.0.0.1", 0))
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
        self._closed.close()

    @property
    def nowhere(self) -> str:
        """An address that refuses."""
        return f"http://127.0.0.1:{self._closed.getsockname()[1]}"

    @property
    def requests(self) -> int:
        return sum(len(lane.asks) for lane in self._lanes.values())

    def lane(self, script: Callable[[Ask], Delivery]) -> Lane:
        name = f"lane{next(self._numbers)}"
        self._lanes[name] = made = Lane(f"http://127.0.0.1:{self.port}/{name}", script)
        return made

    async def _start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=1 << 20, backlog=512)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            while await self._exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(task)
            writer.close()
            with suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request and its answer; whether the connection goes on."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ")
        headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:] if line)}
        body = await _body(reader, headers)
        _, name, path = path.partition("?")[0].split("/", 2)
        lane = self._lanes.get(name)
        protocol = next((p for end, p in _PROTOCOLS.items() if f"/{path}".endswith(end)), None)
        if lane is None or method != "POST" or protocol is None:
            writer.write(_head(Delivery(404, (("content-type", "application/json"),), (b"{}",), sized=True), headers))
            writer.write(b"" if method == "HEAD" else b"{}")
            await writer.drain()
            return True
        ask = Ask(protocol, headers, body, len(lane.asks))
        lane.asks.append(ask)
        return await _deliver(lane.script(ask), lane, headers, reader, writer)


async def _body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding") != "chunked":
        return await reader.readexactly(int(headers.get("content-length", 0)))
    body = b""
    while size := int((await reader.readline()).split(b";")[0], 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readuntil(b"\r\n")
    return body


def _head(told: Delivery, asked: dict[str, str]) -> bytes:
    assert told.status is not None
    known = {status.value: status.phrase for status in HTTPStatus}
    lines = [f"HTTP/1.1 {told.status} {known.get(told.status, 'Overloaded')}", f"Date: {DATE}"]
    lines += [f"{name}: {value}" for name, value in told.headers]
    if told.sized:
        length = told.length if told.length is not None else sum(map(len, told.pieces))
        lines.append(f"Content-Length: {length}")
    else:
        lines.append("Transfer-Encoding: chunked")
    if asked.get("connection", "").lower() == "close":
        lines.append("Connection: close")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


async def _deliver(
    told: Delivery,
    lane: Lane,
    asked: dict[str, str],
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> bool:
    chunked = told.status is not None and not told.sized
    if told.status is not None:
        writer.write(_head(told, asked))
    for number, piece in enumerate(told.pieces):
        if number and told.gap and await _gone(reader, told.gap):
            return False
        writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
        await writer.drain()
    if told.ending == "hang":
        lane.held += 1
        lane.let_go += await _gone(reader, _LONGEST_HANG)
        return False
    if told.ending == "end":
        writer.write(b"0\r\n\r\n" if chunked else b"")
        await writer.drain()
        return told.status is not None and asked.get("connection", "").lower() != "close"
    await writer.drain()
    await asyncio.sleep(_SETTLED)
    if told.ending == "reset":
        raw = writer.get_extra_info("socket")
        with suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
    return False


async def _gone(reader: asyncio.StreamReader, seconds: float) -> bool:
    """Whether the client hangs up in that time. It has no answer yet, so nothing else of it can come."""
    try:
        await asyncio.wait_for(reader.read(1), seconds)
    except TimeoutError:
        return False
    except ConnectionError:
        pass
    return True
