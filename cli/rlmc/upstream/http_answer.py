"""An answer on its way: what a line has brought of it, until somebody reads it.

Rule: whoever reads never waits for bytes that are here, and what is here is bounded: a line is told to wait before an
answer that nobody reads grows.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol

from rlmc.errors import UpstreamError
from rlmc.upstream.transport import Headers

MOST_UNREAD = 256 * 1024


class Source(Protocol):
    """Where an answer comes from: a line."""

    def go_on(self) -> None: ...
    def drop(self) -> None: ...


class HttpResponse:
    """See `UpstreamResponse`. It is the iterator over its own chunks: a layer less for every piece of a stream.

    The line calls `begin`, `end` and `fail`, puts what comes into `unread`, and calls `wake` once for all that came
    together. `heard` says that anything at all has come, `unread_size` how much came that had unread pieces in it.
    """

    __slots__ = (
        "_done",
        "_error",
        "_loop",
        "_source",
        "_waiter",
        "headers",
        "heard",
        "status",
        "unread",
        "unread_size",
    )

    def __init__(self, source: Source, loop: asyncio.AbstractEventLoop) -> None:
        self._source: Source | None = source
        self._loop = loop
        self._waiter: asyncio.Future[None] | None = None
        self._done = False
        self._error: UpstreamError | None = None
        self.heard = False
        self.status = 0
        self.headers: Headers = []
        self.unread: list[bytes] = []
        self.unread_size = 0

    # --- the line's side ----------------------------------------------------------------------------------------------

    def begin(self, status: int, headers: Headers) -> None:
        self.status, self.headers = status, headers

    def end(self) -> None:
        self._done, self._source = True, None

    def fail(self, error: UpstreamError) -> None:
        if not self._done:
            self._done, self._source, self._error = True, None, error
            self.wake()

    def wake(self) -> None:
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            if not waiter.done():
                waiter.set_result(None)

    # --- the reader's side --------------------------------------------------------------------------------------------

    async def head(self) -> None:
        """Waits for the head. Raises UpstreamError where none comes."""
        while not self.status:
            if self._error is not None:
                raise self._failure(self._error)
            try:
                await self._something()
            except asyncio.CancelledError:
                self.drop()
                raise

    def chunks(self) -> AsyncIterator[bytes]:
        return self

    def __aiter__(self) -> HttpResponse:
        return self

    async def __anext__(self) -> bytes:
        while not self.unread:
            if self._error is not None:
                raise self._failure(self._error)
            if self._done:
                raise StopAsyncIteration
            try:
                await self._something()
            except asyncio.CancelledError:
                self.drop()
                raise
        here = self.unread
        self.unread = []
        if self.unread_size > MOST_UNREAD and self._source is not None:
            self._source.go_on()
        self.unread_size = 0
        return here[0] if len(here) == 1 else b"".join(here)

    async def close(self) -> None:
        """What has not been read is not wanted, and the provider should stop writing it."""
        self.drop()

    def drop(self) -> None:
        source = self._source
        if source is not None:
            self.unread.clear()
            self.fail(UpstreamError("reset", "the answer was given up before its end"))
            source.drop()

    @staticmethod
    def _failure(error: UpstreamError) -> UpstreamError:
        """A new one, as it will hold on to whoever has called, and so to this answer and the request's body."""
        return UpstreamError(error.kind, error.message)

    def _something(self) -> asyncio.Future[None]:
        self._waiter = waiter = self._loop.create_future()
        return waiter
