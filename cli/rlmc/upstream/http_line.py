"""One connection to a provider: writes a request, reads its answer, and is free for the next.

Rule: nothing is sent twice, and nothing is read in two ways. A line is used again only where the whole request has left
and the answer ended where it said it would, with nothing behind it.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from rlmc.errors import UpstreamError
from rlmc.upstream.http_answer import MOST_UNREAD, HttpResponse
from rlmc.upstream.http_head import CONTROL

# Smaller bodies go out in one piece with their head; large ones in pieces, as the provider takes them.
_SMALL_BODY, _LARGE_BODY, _PIECE = 1 << 14, 1 << 20, 1 << 18
# What may come without being body: heads, interim ones too, trailers, and what chunks say beside their size.
_MOST_HEAD, _MOST_LINES = 1 << 16, 128


class Owner(Protocol):
    """Who is told what becomes of a line: `gone` once, `free` whenever it can be used again."""

    def free(self, line: Line) -> None: ...
    def gone(self, line: Line) -> None: ...


class Line(asyncio.Protocol):
    """`shown` is the provider's host, for error texts. `key`, `idle_since` and `age` are the owner's."""

    def __init__(self, owner: Owner, key: tuple[str, str | None], shown: str, loop: asyncio.AbstractEventLoop) -> None:
        self.key = key
        self.closed = False
        self.idle_since = 0.0
        self.age = 0
        self._owner = owner
        self._shown = shown
        self._loop = loop
        self._parser: HttpResponseParser | None = None
        self._response: HttpResponse | None = None
        self._unsent: memoryview | None = None
        # Held: the provider takes no more for now. Waits: it is told to send no more for now.
        self._held = self._waits = False
        self._bodiless = False
        self._raw: list[tuple[bytes, bytes]] = []
        # Bytes of heads and trailers, and bytes since the last that was body.
        self._head_size = self._since = 0
        self._begun = self._complete = self._keep = self._until_end = self._spoiled = self._stale = False

    # --- asking -------------------------------------------------------------------------------------------------------

    def ask(self, head: bytes, body: bytes, *, bodiless: bool) -> HttpResponse:
        """Only on a line that is free. `bodiless` says that the answer has none, whatever its head says."""
        if self._parser is None:
            self._parser = HttpResponseParser(self)
            self._parser.set_dangerous_leniencies(
                lenient_headers=True, lenient_optional_cr_before_lf=True, lenient_spaces_after_chunk_size=True
            )
        self._bodiless = bodiless
        self._raw = []
        self._head_size = self._since = 0
        self._begun = self._complete = self._keep = self._until_end = self._spoiled = self._stale = False
        self._response = response = HttpResponse(self, self._loop)
        size = len(body)
        if self.closed:
            self._lost(None)
        elif size <= _SMALL_BODY:
            self._transport.write(head + body)
        elif size < _LARGE_BODY:
            self._transport.writelines((head, body))
        else:
            self._transport.write(head)
            self._unsent = memoryview(body)
            self._write_more()
        return response

    def _write_more(self) -> None:
        """The next piece. A provider that takes everything at once must not keep others waiting."""
        if self._unsent is None or self._held:
            return
        piece, rest = self._unsent[:_PIECE], self._unsent[_PIECE:]
        self._unsent = rest or None
        self._transport.write(piece)
        if self._unsent is not None and not self._held:
            self._loop.call_soon(self._write_more)

    def pause_writing(self) -> None:
        self._held = True

    def resume_writing(self) -> None:
        self._held = False
        self._write_more()

    # --- the answer ---------------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        response, parser = self._response, self._parser
        if response is None or parser is None:
            self.drop()
            return
        response.heard = True
        size, pieces = len(data), len(response.unread)
        self._since += size
        try:
            parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            self._spoiled = True
            if not self._complete:
                self._break(_failure("wire", self._shown, error))
                return
        if len(response.unread) != pieces:
            response.unread_size += size
            self._since = 0
        if self._complete:
            self._end(response)
        elif self._since > _MOST_HEAD:
            self._break(UpstreamError("wire", f"{self._shown} answered something that is no HTTP (head too large)"))
        else:
            if response.unread_size > MOST_UNREAD and not self._waits:
                self._waits = True
                self._transport.pause_reading()
            response.wake()

    def on_message_begin(self) -> None:
        if self._complete:
            self._spoiled = True

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_size += len(name) + len(value) + 4
        if self._head_size > _MOST_HEAD or (len(self._raw) == _MOST_LINES and not self._begun):
            raise ValueError("head too large")
        if self._begun:
            return  # a trailer
        self._raw.append((name, value))

    def on_headers_complete(self) -> None:
        parser, response = self._parser, self._response
        if self._begun or parser is None or response is None:
            return
        status = parser.get_status_code()
        if 100 <= status < 200 and status != 101:
            self._raw = []
            return
        self._begun = True
        values = b"".join([value for _, value in self._raw])
        if not 200 <= status < 600 or len(values.translate(None, CONTROL)) != len(values):
            self._break(UpstreamError("wire", f"{self._shown} answered something that cannot be passed on"))
            return
        self._since = 0
        self._keep = parser.should_keep_alive()
        if not self._keep:
            self._until_end = not (status in (204, 304) or _says_its_end(self._raw))
        if status >= 400 and self._unsent is not None:
            self._keep = False  # who refuses may not read the rest of the request, and may wait for it as well
        response.begin(
            status, [(name.decode("latin-1"), value.decode("latin-1").rstrip(" \t")) for name, value in self._raw]
        )
        if self._bodiless:
            self._complete = self._stale = True  # the parser waits for the body that the head speaks of

    def on_body(self, data: bytes) -> None:
        response = self._response
        if self._complete or response is None:
            self._spoiled = True
            return
        response.unread.append(data)

    def on_message_complete(self) -> None:
        if self._begun:
            self._complete = True

    def _end(self, response: HttpResponse) -> None:
        self._response = None
        if self._stale:
            self._parser = None
        response.end()
        self.go_on()
        if self._keep and not self._spoiled and self._unsent is None and not self._transport.get_write_buffer_size():
            self._owner.free(self)
        else:
            self.drop()
        response.wake()

    def go_on(self) -> None:
        """The answer is being read again."""
        if self._waits and not self.closed:
            self._waits = False
            self._transport.resume_reading()

    # --- beginning and end --------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]

    def eof_received(self) -> None:
        self._lost(None)
        self.drop()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        self._lost(exc)
        self._parser = self._unsent = None
        self._owner.gone(self)

    def _lost(self, exc: Exception | None) -> None:
        response, self._response = self._response, None
        if response is None:
            return
        if exc is None and self._begun and self._until_end:
            response.end()
            response.wake()
        elif exc is None:
            response.fail(UpstreamError("reset", f"{self._shown} broke off"))
        else:
            response.fail(_failure("reset", self._shown, exc))

    def _break(self, error: UpstreamError) -> None:
        response, self._response = self._response, None
        if response is not None:
            response.fail(error)
        self.drop()

    def drop(self) -> None:
        """Ends the line at once; what has not been sent never is. Who waits for its answer learns that it broke off."""
        if not self.closed:
            self.closed = True
            self._unsent = None
            self._break_off()
            self._transport.abort()

    def _break_off(self) -> None:
        # Before the line's own end, which is how some answers say that they are whole.
        response, self._response = self._response, None
        if response is not None:
            response.fail(UpstreamError("reset", f"{self._shown} broke off"))


def _says_its_end(headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether a body is over before its line is."""
    said = {name.lower(): value for name, value in headers}
    coding = said.get(b"transfer-encoding")
    if coding is not None:
        return coding.rpartition(b",")[2].strip().lower() == b"chunked"
    return b"content-length" in said


def _failure(kind: str, shown: str, error: Exception) -> UpstreamError:
    what = {"wire": f"{shown} answered something that is no HTTP", "reset": f"the connection to {shown} broke"}[kind]
    return UpstreamError(kind, f"{what} ({type(error).__name__})")
