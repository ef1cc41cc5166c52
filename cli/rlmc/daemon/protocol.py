"""HTTP as uvicorn reads it, with the bounds it does not set for what anybody on this machine may send.

Rules: a head is of bounded size and comes in bounded time, whoever writes it: no token has been seen by then. What
comes after a body as further headers is no part of the head, and is left out. The application may hang up without a
word, which ASGI itself has no message for: `scope["extensions"]["rlmc.hang_up"]` is a function that does.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from rlmc.server.ingress import HANG_UP

# Providers take heads of some ten kilobytes at most.
HEAD_BYTES = 128 * 1024
HEAD_SECONDS = 60.0
_LAST_LOOK_SECONDS = 0.2
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class BoundedProtocol(HttpToolsProtocol):
    """`_untold` counts bytes since the parser last had something whole to tell: a head, a piece of a body, an end."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._untold = 0
        self._in_head = True
        self._clock: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as the parent's
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_clock()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._untold += len(data)
        super().data_received(data)
        if self._untold > HEAD_BYTES and not self.transport.is_closing():
            if self._in_head and (self.cycle is None or self.cycle.response_complete):
                self.transport.write(_TOO_LARGE)
            self.transport.close()

    def on_message_begin(self) -> None:
        self._in_head = True
        self._wait_for_head()
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head, self._untold = False, 0
        self._stop_clock()
        self.scope["extensions"] = {HANG_UP: self._close_line}  # type: ignore[dict-item]  # a function is all there is
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._untold = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._untold = 0
        super().on_message_complete()

    def timeout_keep_alive_handler(self) -> None:
        """A loop that was busy may run this timer while a request lies unread. It is looked for once more, and cancels
        the closing: a client whose request met a closed line would see it reset."""
        self.timeout_keep_alive_task = self.loop.call_later(_LAST_LOOK_SECONDS, super().timeout_keep_alive_handler)

    def _close_line(self) -> None:
        """What has been written still goes out."""
        if not self.transport.is_closing():
            self.transport.close()

    def _wait_for_head(self) -> None:
        if self._clock is None:
            self._clock = self.loop.call_later(HEAD_SECONDS, self._close)

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _close(self) -> None:
        self._clock = None
        self._close_line()
