"""HTTP/1.1 as agents speak it, over one line: httptools reads, what is written here answers.

Rules: a head is of bounded size and comes in bounded time, whoever writes it: no token has been seen by then. What
comes after a body as further headers is no part of the head, and is left out. A body nobody has asked for yet stays on
its sender's side. Requests sent ahead of the answer before them wait, and are answered in their order.
"""

from __future__ import annotations

import asyncio
import select
from collections import deque
from typing import TYPE_CHECKING
from urllib.parse import unquote

import httptools

from rlmc.daemon.exchange import HttpExchange

if TYPE_CHECKING:
    from rlmc.daemon.listener import Listener

# Providers take heads of some ten kilobytes at most.
HEAD_BYTES = 128 * 1024
HEAD_SECONDS = 60.0
_LOOK_AGAIN_SECONDS = 0.2
_LINGER_SECONDS = 5.0
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_UNREADABLE = b"Invalid HTTP request received."


class Line(asyncio.Protocol):
    """One client's connection. `deadline` (the loop's time) is when it is closed unless something happens on it; None
    while a request is being answered. `untold` counts bytes since the parser last had something whole to tell."""

    def __init__(self, listener: Listener) -> None:
        self.loop = listener.loop
        self.transport: asyncio.Transport
        self.stays_open = True
        self.full = False
        self.deadline: float | None = None
        self.idle = False
        self._listener = listener
        self._parser: httptools.HttpRequestParser | None = httptools.HttpRequestParser(self)
        self._url = b""
        self._headers: list[tuple[str, str]] = []
        self._in_head = True
        self._untold = 0
        self._held = self._deaf = self._body_alone = False
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
        # The parser holds the line, and so each would hold the other, with all of a body that had come.
        self._parser = self._coming = self._answering = None

    def data_received(self, data: bytes) -> None:
        parser = self._parser
        if self._deaf or parser is None:
            return
        self._untold += len(data)
        try:
            parser.feed_data(data)
        except httptools.HttpParserUpgrade as stopped:
            # What comes next would be another protocol, and none is spoken here. The request itself is served.
            self.stays_open = False
            if self._coming is None:
                self._deaf = True
            else:
                self._read_body(data[stopped.args[0] :])
                return
        except httptools.HttpParserError:
            self._refuse()
            return
        if self._untold > HEAD_BYTES and not self.transport.is_closing():
            if self._in_head and self._answering is None:
                self.transport.write(_TOO_LARGE)
            self.close()

    def _read_body(self, begin: bytes) -> None:
        """Of a request that offers another protocol, which the parser ends with its head."""
        name, value = next(header for header in self._headers if _frames(header))
        self._body_alone = True
        self._parser = parser = httptools.HttpRequestParser(self)
        parser.feed_data(f"POST / HTTP/1.1\r\n{name}: {value}\r\n\r\n".encode())
        if begin:
            self.data_received(begin)

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
        """Close as soon as what is being answered has been. What was sent ahead is not."""
        self.stays_open = False
        if self._answering is None:
            self.close()

    def expire(self, now: float) -> None:
        """Its time is over. A loop that was busy may find that while a request lies unread, and its client would see it
        reset: who has sent something is read first."""
        if self.idle and self._has_unread():
            self.deadline = now + _LOOK_AGAIN_SECONDS
        else:
            self.deadline = None
            self.close()

    def _has_unread(self) -> bool:
        found = select.poll()
        found.register(self.transport.get_extra_info("socket").fileno(), select.POLLIN)
        return bool(found.poll(0))

    def _linger(self) -> None:
        """Close where a body still comes that nobody wants: what is not read would take the answer away with it."""
        self._deaf, self.stays_open = True, False
        if not self.transport.is_closing():
            self.transport.write_eof()
            self._wait_until(_LINGER_SECONDS)
            self.read_on()

    def _wait_until(self, seconds: float, *, idle: bool = False) -> None:
        self.idle = idle
        self.deadline = self.loop.time() + seconds
        self._listener.watch(self.deadline)

    def _refuse(self) -> None:
        self._deaf = True
        answering, coming = self._answering, self._coming
        if answering is not None and coming is not answering:
            # What was asked before it is answered all the same.
            if coming is not None and coming in self._ahead:
                self._ahead.remove(coming)
            self.finish()
            return
        if (answering is None or not answering.begun) and not self.transport.is_closing():
            head = b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\nconnection: close\r\n"
            self.transport.write(head + b"content-length: %d\r\n\r\n" % len(_UNREADABLE) + _UNREADABLE)
        self.close()

    # --- what the parser tells ----------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        if self._body_alone:
            self._deaf = self._coming is None
            return
        self._in_head = True
        self._url = b""
        self._headers = []
        if self._answering is None:
            self._wait_until(HEAD_SECONDS)

    def on_url(self, url: bytes) -> None:
        if not self._body_alone:
            self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head and not self._body_alone:
            self._headers.append((name.lower().decode("latin-1"), _text(value)))

    def on_headers_complete(self) -> None:
        self._in_head, self._untold = False, 0
        parser = self._parser
        if self._body_alone or parser is None:
            return
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
        parser = self._parser
        if parser is not None and not self._body_alone and parser.should_upgrade() and any(map(_frames, self._headers)):
            return  # the parser takes the body for what is spoken next
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


def _frames(header: tuple[str, str]) -> bool:
    """Whether the header says that there is a body."""
    name, value = header
    return name == "transfer-encoding" or (name == "content-length" and value.strip() not in ("", "0"))


def _text(value: bytes) -> str:
    """A header's bytes so that the HTTP client, which writes UTF-8, writes the same bytes again."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
