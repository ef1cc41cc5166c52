"""One request and its answer on a line; see `Exchange`. Answers are framed here, and bodies put together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING

from rlmc.server.exchange import ClientGone, RawHeaders, TooLarge

if TYPE_CHECKING:
    from rlmc.daemon.protocol import Line

# Of a body that nobody has asked for yet, or of requests sent ahead.
_AHEAD_BYTES = 64 * 1024
# Larger bodies are put together where they are given away without being copied.
_LARGE_BYTES = 1024 * 1024
# Larger pieces are handed to the socket as they are, not copied into one with their frame.
_COPIED_BYTES = 16 * 1024
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_BODILESS = frozenset({204, 304})
_STATUS_LINES = {one.value: f"HTTP/1.1 {one.value} {one.phrase}\r\n".encode() for one in HTTPStatus}


class HttpExchange:
    """See `Exchange`. `complete` is true once the whole request has come, `begun` and `ended` are of the answer."""

    __slots__ = (
        "_asked",
        "_chunked",
        "_large",
        "_left",
        "_line",
        "_parts",
        "_size",
        "_told",
        "_wait",
        "begun",
        "complete",
        "ended",
        "expects",
        "headers",
        "http_version",
        "is_gone",
        "keep_alive",
        "method",
        "path",
        "query",
        "raw_path",
    )

    def __init__(self, line: Line, headers: list[tuple[str, str]]) -> None:
        self.method = self.path = self.raw_path = self.query = ""
        self.http_version = "1.1"
        self.headers = headers
        self.keep_alive = True
        self.expects = False
        self.begun = self.complete = self.ended = self.is_gone = False
        self._line = line
        self._parts: list[bytes] = []
        self._large: BytesIO | None = None
        self._size = 0
        self._asked = self._chunked = False
        # What is still to come of a body of known length; None where it has none, or its frames say.
        self._left: int | None = None
        self._told: Callable[[], object] | None = None
        self._wait: asyncio.Future[None] | None = None

    # --- the request --------------------------------------------------------------------------------------------------

    async def body(self, limit: int) -> bytes:
        self._asked = True
        line = self._line
        if not self.complete and self.expects and not self.begun and not self.is_gone:
            line.transport.write(_CONTINUE)
        line.read_on()
        while not self.complete and self._size <= limit:
            if self.is_gone:
                raise ClientGone
            await self._change()
        if self._size > limit:
            self._parts, self._large = [], None
            raise TooLarge
        if self._large is not None:
            large, self._large = self._large, None
            return large.getvalue()
        parts, self._parts = self._parts, []
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def take(self, data: bytes) -> None:
        """A piece of the body."""
        if self.ended:
            return  # answered already, and nobody reads it
        self._size += len(data)
        if self._large is not None:
            self._large.write(data)
        elif self._size > _LARGE_BYTES:
            self._large = BytesIO()
            self._large.writelines((*self._parts, data))
            self._parts = []
        else:
            self._parts.append(data)
        if not self._asked and self._size > _AHEAD_BYTES:
            self._line.hold()
        self.changed()

    async def _change(self) -> None:
        if self._wait is None:
            self._wait = self._line.loop.create_future()
        await asyncio.shield(self._wait)  # there may be others who wait for it

    def changed(self) -> None:
        wait, self._wait = self._wait, None
        if wait is not None and not wait.done():
            wait.set_result(None)

    # --- the answer ---------------------------------------------------------------------------------------------------

    def begin(self, status: int, headers: RawHeaders) -> None:
        if self.is_gone or self._line.transport.is_closing():
            return
        if self.begun:
            raise RuntimeError("an answer begins once")
        self.begun = True
        lines = [_STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status]
        framed = self.method == "HEAD" or status in _BODILESS
        self._left = 0 if framed else None
        for name, value in headers:
            if name == b"content-length" and not framed:
                self._left, framed = int(value), True
            elif name == b"connection" and value.lower() == b"close":
                self.keep_alive = False
            lines += (name, b": ", value, b"\r\n")
        if not framed:
            self._chunked = True
            lines.append(b"transfer-encoding: chunked\r\n")
        if not self._line.stays_open:
            self.keep_alive = False
        if not self.keep_alive and b"connection" not in {name for name, _ in headers}:
            lines.append(b"connection: close\r\n")
        lines.append(b"\r\n")
        self._line.transport.write(b"".join(lines))

    async def write(self, data: bytes) -> None:
        self._put(data)
        if self._line.full:
            await self._line.room()

    async def end(self, data: bytes = b"") -> None:
        if self.is_gone:
            return
        self._put(data, last=True)
        self.ended = True
        if self._left:
            self.keep_alive = False  # shorter than it was said to be: the line's end says so
        self._line.answered(self)

    def _put(self, data: bytes, *, last: bool = False) -> None:
        if self.is_gone or not self.begun:
            return
        transport = self._line.transport
        if self._chunked:
            if len(data) > _COPIED_BYTES:
                transport.writelines((b"%x\r\n" % len(data), data, b"\r\n0\r\n\r\n" if last else b"\r\n"))
            elif data:
                transport.write((b"%x\r\n%b\r\n0\r\n\r\n" if last else b"%x\r\n%b\r\n") % (len(data), data))
            elif last:
                transport.write(b"0\r\n\r\n")
        elif data and self._left:
            data = data[: self._left]
            self._left -= len(data)
            transport.write(data)

    def hang_up(self) -> None:
        self._line.close()

    @property
    def is_open(self) -> bool:
        """Whether there still is an answer to be given."""
        return not self.ended and not self.is_gone and not self._line.transport.is_closing()

    # --- the client's end ---------------------------------------------------------------------------------------------

    def when_gone(self, call: Callable[[], object] | None) -> None:
        self._told = call
        if call is not None and self.is_gone:
            call()

    async def gone(self) -> None:
        while not self.is_gone:
            await self._change()

    def lose(self) -> None:
        """The line has ended."""
        if self.ended:
            return
        self.is_gone = True
        self.changed()
        told, self._told = self._told, None
        if told is not None:
            told()
