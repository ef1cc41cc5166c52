"""HTTP/1.1 as agents speak it, over one line: httptools reads, what is written here answers.

Rules: a head is of bounded size and comes in bounded time, whoever writes it: no token has been seen by then. What
comes after a body as further headers is no part of the head, and is left out. A body nobody has asked for yet stays on
its sender's side. Requests sent ahead of the answer before them wait, and are answered in their order.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING
from urllib.parse import unquote

import httptools

from rlmc.server.exchange import ClientGone, RawHeaders, TooLarge

if TYPE_CHECKING:
    from rlmc.daemon.listener import Listener

# Providers take heads of some ten kilobytes at most.
HEAD_BYTES = 128 * 1024
HEAD_SECONDS = 60.0
_LAST_LOOK_SECONDS = 0.2
_LINGER_SECONDS = 5.0
# Of a body that nobody has asked for yet, or of requests sent ahead.
_AHEAD_BYTES = 64 * 1024
# Larger bodies are put together where they are given away without being copied.
_LARGE_BYTES = 1024 * 1024
# Larger pieces are handed to the socket as they are, not copied into one with their frame.
_COPIED_BYTES = 16 * 1024
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_UNREADABLE = b"Invalid HTTP request received."
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
        await self._wait

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


class Line(asyncio.Protocol):
    """One client's connection. `deadline` (the loop's time) is when it is closed unless something happens on it; None
    while a request is being answered. `untold` counts bytes since the parser last had something whole to tell."""

    def __init__(self, listener: Listener) -> None:
        self.loop = listener.loop
        self.transport: asyncio.Transport
        self.stays_open = True
        self.full = False
        self.deadline: float | None = None
        self.idle = self.looked = False
        self._listener = listener
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""
        self._headers: list[tuple[str, str]] = []
        self._in_head = True
        self._untold = 0
        self._held = self._deaf = False
        # The one whose body comes, and the one that is answered.
        self._coming: HttpExchange | None = None
        self._answering: HttpExchange | None = None
        self._ahead: deque[HttpExchange] = deque()
        self._room: asyncio.Future[None] | None = None

    # --- the line -----------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # a socket's is one
        self.transport = transport
        self._listener.add(self)
        self._wait_until(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        self._listener.remove(self)
        self.resume_writing()
        if self._answering is not None:
            self._answering.lose()
        self._ahead.clear()

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        self._untold += len(data)
        self.looked = False
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # What comes next would be another protocol, and none is spoken here.
            self._deaf, self.stays_open = True, False
        except httptools.HttpParserError:
            self._refuse()
            return
        if self._untold > HEAD_BYTES and not self.transport.is_closing():
            if self._in_head and self._answering is None:
                self.transport.write(_TOO_LARGE)
            self.close()

    def eof_received(self) -> bool:
        return False

    def pause_writing(self) -> None:
        self.full = True

    def resume_writing(self) -> None:
        self.full = False
        room, self._room = self._room, None
        if room is not None and not room.done():
            room.set_result(None)

    async def room(self) -> None:
        """Returns when the client has read on, or is gone."""
        while self.full:
            if self._room is None:
                self._room = self.loop.create_future()
            await asyncio.shield(self._room)

    def hold(self) -> None:
        if not self._held and not self.transport.is_closing():
            self._held = True
            self.transport.pause_reading()

    def read_on(self) -> None:
        if self._held and not self._ahead:
            self._held = False
            if not self.transport.is_closing():
                self.transport.resume_reading()

    def close(self) -> None:
        """What has been written still goes out."""
        if not self.transport.is_closing():
            self.transport.close()

    def finish(self) -> None:
        """Close as soon as what is being answered has been."""
        self.stays_open = False
        if self._answering is None:
            self.close()

    def expire(self, now: float) -> None:
        """Its time is over. A loop that was busy may look at this while a request lies unread: an idle line is looked
        at once more, as a client whose request met a closed one would see it reset."""
        if self.idle and not self.looked:
            self.looked = True
            self.deadline = now + _LAST_LOOK_SECONDS
        else:
            self.deadline = None
            self.close()

    def _linger(self) -> None:
        """Close where a body still comes that nobody wants: what is not read would take the answer away with it."""
        self._deaf, self.stays_open = True, False
        if not self.transport.is_closing():
            self.transport.write_eof()
            self._wait_until(_LINGER_SECONDS)
            self.read_on()

    def _wait_until(self, seconds: float, *, idle: bool = False) -> None:
        self.idle, self.looked = idle, False
        self.deadline = self.loop.time() + seconds
        self._listener.watch(self.deadline)

    def _refuse(self) -> None:
        self._deaf = True
        answering = self._answering
        if answering is not None and self._coming is None:
            self.finish()
            return
        if (answering is None or not answering.begun) and not self.transport.is_closing():
            head = b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\nconnection: close\r\n"
            self.transport.write(head + b"content-length: %d\r\n\r\n" % len(_UNREADABLE) + _UNREADABLE)
        self.close()

    # --- what the parser tells ----------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        self._in_head = True
        self._url = b""
        self._headers = []
        if self._answering is None:
            self._wait_until(HEAD_SECONDS)

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:
            self._headers.append((name.lower().decode("latin-1"), _text(value)))

    def on_headers_complete(self) -> None:
        self._in_head, self._untold = False, 0
        parser = self._parser
        self._coming = exchange = HttpExchange(self, self._headers)
        url = httptools.parse_url(self._url)
        raw_path: bytes = url.path or b"/"
        exchange.method = parser.get_method().decode("ascii")
        exchange.http_version = parser.get_http_version()
        exchange.raw_path = path = raw_path.decode("latin-1")
        exchange.path = unquote(path) if "%" in path else path
        exchange.query = (url.query or b"").decode("latin-1")
        exchange.keep_alive = exchange.http_version != "1.0" and parser.should_keep_alive()
        exchange.expects = any(name == "expect" and value.lower() == "100-continue" for name, value in self._headers)
        if self._answering is None:
            self._answer(exchange)
        else:
            self._ahead.append(exchange)
            self.hold()

    def on_body(self, body: bytes) -> None:
        self._untold = 0
        if self._coming is not None:
            self._coming.take(body)

    def on_message_complete(self) -> None:
        self._untold = 0
        coming, self._coming = self._coming, None
        if coming is not None:
            coming.complete = True
            coming.changed()

    # --- one after another --------------------------------------------------------------------------------------------

    def _answer(self, exchange: HttpExchange) -> None:
        self._answering = exchange
        self.deadline = None
        self._listener.serve(exchange)

    def answered(self, exchange: HttpExchange) -> None:
        if exchange is not self._answering:
            return
        self._answering = None
        if not exchange.keep_alive or not self.stays_open:
            if exchange.complete:
                self.close()
            else:
                self._linger()
            return
        if self._ahead:
            self._answer(self._ahead.popleft())
        else:
            self._wait_until(self._listener.keep_alive, idle=True)
        self.read_on()


def _text(value: bytes) -> str:
    """A header's bytes so that the HTTP client, which writes UTF-8, writes the same bytes again."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
