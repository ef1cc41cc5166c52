"""The client's side of a turn: one response, begun late and ended once.

Rule: no byte and no header leaves before it is certain what the answer is; only then may pings keep the line alive. The
bytes that complete an answer leave after its turn is booked: whoever has an answer has a row, whatever happens next.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from rlmc.server.exchange import Exchange, RawHeaders
from rlmc.wire.codec import Codec

EVENT_STREAM = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-cache")]


class Outgoing:
    """`status` and `first_byte` (monotonic seconds) are for the books. `keep` keeps the bytes when asked to. `settle`
    is called once, before the answer's last bytes leave; `delivered` is true once they have left."""

    def __init__(self, exchange: Exchange, codec: Codec, request_id: str, *, keep: bool = False) -> None:
        self._exchange = exchange
        self._codec = codec
        self._request_id = (b"request-id" if codec.name == "anthropic" else b"x-request-id", request_id.encode())
        self.status: int | None = None
        self.first_byte: float | None = None
        self.settle: Callable[[], None] | None = None
        self.delivered = False
        self._kept: list[bytes] | None = [] if keep else None

    @property
    def begun(self) -> bool:
        return self.status is not None

    @property
    def kept(self) -> bytes | None:
        return b"".join(self._kept) if self._kept is not None else None

    async def begin(self, status: int, headers: RawHeaders) -> None:
        self.status = status
        self._exchange.begin(status, headers)

    async def begin_own(self, *, stream: bool, length: int | None = None) -> None:
        """Begin an answer that rlmc writes itself. Does nothing when a stream is already under way."""
        if self.begun:
            return
        headers = list(EVENT_STREAM) if stream else [(b"content-type", b"application/json")]
        if length is not None:
            headers.append((b"content-length", str(length).encode()))
        await self.begin(200, [*headers, self._request_id])

    async def write(self, data: bytes, *, last: bool = False) -> None:
        """`last` says that the client has its whole answer with this, though the line is not at its end yet."""
        if not data:
            return
        self._note(data)
        if last:
            self._settle()
        await self._exchange.write(data)
        self.delivered = self.delivered or last

    async def end(self, data: bytes = b"") -> None:
        self._note(data)
        self._settle()
        await self._exchange.end(data)
        self.delivered = True

    def _note(self, data: bytes) -> None:
        if data and self.first_byte is None:
            self.first_byte = time.monotonic()
        if data and self._kept is not None:
            self._kept.append(data)

    def _settle(self) -> None:
        settle, self.settle = self.settle, None
        if settle is not None:
            settle()

    async def ping(self) -> None:
        """Keep a silent line alive; begins the stream where nothing has been sent yet."""
        await self.begin_own(stream=True)
        await self.write(self._codec.ping())

    async def fail(self, status: int, message: str) -> None:
        """rlmc's own error, in the client's protocol. Inside a stream under way it becomes an error event."""
        if self.begun:
            await self.end(self._codec.encode_stream_error(status, message))
            return
        body = self._codec.encode_error(status, message)
        await self.begin_error(status, [], len(body))
        await self.end(body)

    async def begin_error(self, status: int, more: RawHeaders, length: int) -> None:
        """Begin an answer that is an error, in the client's protocol."""
        headers = [(b"content-type", b"application/json"), (b"content-length", str(length).encode()), *more]
        await self.begin(status, [*headers, self._request_id])
