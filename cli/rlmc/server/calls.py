"""One model call under way, and the turn it belongs to: what the books will want to know, gathered as it happens."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field

from rlmc.domain.chat import Usage
from rlmc.domain.record import CallRole
from rlmc.domain.turn import Model
from rlmc.errors import UpstreamError
from rlmc.server.headers import first
from rlmc.upstream.transport import Headers, Transport, UpstreamRequest, UpstreamResponse
from rlmc.wire.codec import Codec

# Failures after which it is certain that no model ever saw the request.
NEVER_ARRIVED = frozenset({"refused", "dns", "tls", "proxy", "connect-timeout"})
_ASKS_TO_WAIT = frozenset({429, 503, 529})


def wall_us() -> int:
    return time.time_ns() // 1000


@dataclass(slots=True)
class Call:
    """A call from just before it is sent. Times: `started_at` wall microseconds, the others monotonic seconds.

    `sent` is true once it may have reached the provider, and so may be billed. `brief` is a verification on a compact
    context; `marked` says that the request was given one more cache marker, `opened` that a verification turned
    out to be an answer of its own. `expected` is what a call on the whole prompt should use, for providers that say
    nothing of it. `codec` reads its answer, `thought` says that there was reasoning in it, `reasoning` is that, as the
    codec's protocol has it.
    `event` is the place of a keep-alive, or an audit, in the session's order of events. `retry_after` is what a
    provider that refuses asks to wait (seconds); `heard` is called when the first byte of the answer's body has come.
    """

    role: CallRole
    model: Model
    started_at: int = field(default_factory=wall_us)
    began: float = field(default_factory=time.monotonic)
    sent: bool = False
    first_byte: float | None = None
    ended: float | None = None
    status: int | None = None
    error: str | None = None
    usage: Usage | None = None
    complete: bool = False
    output_chars: int = 0
    stop_reason: str | None = None
    served: bool = False
    appended_chars: int = 0
    brief: bool = False
    marked: bool = False
    opened: bool = False
    expected: Usage | None = None
    codec: Codec | None = None
    thought: bool = False
    reasoning: tuple[bytes, ...] = ()
    event: int | None = None
    retry_after: float | None = None
    heard: Callable[[], None] | None = None
    response: UpstreamResponse | None = None
    _chunks: AsyncIterator[bytes] | None = None

    async def send(self, transport: Transport, request: UpstreamRequest) -> UpstreamResponse:
        """Raises UpstreamError when no headers arrive."""
        self.sent = True
        try:
            self.response = await transport.send(request)
        except UpstreamError as error:
            self.sent = error.kind not in NEVER_ARRIVED
            raise
        self.status = self.response.status
        if self.status in _ASKS_TO_WAIT:
            self.retry_after = _wait_of(self.response.headers)
        return self.response

    def chunks(self) -> AsyncIterator[bytes]:
        """The body, one iterator for the call's whole life: who reads on goes on where the last one stopped."""
        if self._chunks is None:
            self._chunks = _Body(self)
        return self._chunks

    def note_first_byte(self) -> None:
        self.first_byte = time.monotonic()
        if self.heard is not None:
            self.heard()

    async def close(self) -> None:
        """Ends the call; one not read to its end is cancelled at the provider. Safe to call twice."""
        if self.ended is None:
            self.ended = time.monotonic()
        if self.response is not None:
            response, self.response = self.response, None
            with suppress(Exception):
                await response.close()

    def fail(self, error: str) -> None:
        if self.error is None:
            self.error = error


class _Body:
    """The chunks of a call's answer. A class and not a generator: a stream of many small ones passes through it."""

    __slots__ = ("_call", "_chunks")

    def __init__(self, call: Call) -> None:
        self._call = call
        self._chunks = None if call.response is None else aiter(call.response.chunks())

    def __aiter__(self) -> _Body:
        return self

    async def __anext__(self) -> bytes:
        if self._chunks is None:
            raise StopAsyncIteration
        chunk = await self._chunks.__anext__()
        if self._call.first_byte is None:
            self._call.note_first_byte()
        return chunk


def _wait_of(headers: Headers) -> float | None:
    """`retry-after-ms`, or `retry-after` in seconds; a date there is passed over."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = first(headers, name)
        if value is not None and value.strip().isdecimal():
            return int(value) * unit
    return None
