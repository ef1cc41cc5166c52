"""A recording fake of the Anthropic API over real sockets, in a thread of its own.

    with FakeUpstream(always_text("hi")) as up:
        ...  # send requests to up.url
    assert up.exchanges[0].json["model"] == "claude-opus-5-5"

It keeps every exchange to the byte and bills every call at the prices it was given, with a prompt cache of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
import threading
import time
import zlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web
from tests.support.billing import Bill, CachingBiller, Json, Prices, count
from tests.support.replies import Reply, content_of, error_body, message_body, output_of, stream
from tests.support.scripts import Script, always_text

__all__ = ["Exchange", "FakeUpstream", "Prices", "Reply"]

MODELS = ("claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5")
PROVIDER_HEADERS = {
    "request-id": "req_011fake0000000000000000",
    "anthropic-organization-id": "00000000-0000-4000-8000-000000000001",
    "anthropic-ratelimit-requests-limit": "4000",
    "anthropic-ratelimit-requests-remaining": "3999",
}


@dataclass
class Exchange:
    """One request and what became of it. `headers` keep order and spelling; `sent` are the answer's body bytes."""

    method: str
    path: str
    query: str
    headers: list[tuple[str, str]]
    body: bytes
    json: Json
    status: int | None = None
    response_headers: list[tuple[str, str]] = field(default_factory=list)
    sent: bytearray = field(default_factory=bytearray)
    client_gone: bool = False
    finished: bool = False
    bill: Bill | None = None

    def header(self, name: str) -> str | None:
        return next((v for k, v in self.headers if k.lower() == name.lower()), None)


class FakeUpstream:
    """`script` is called with (request JSON, number of the messages call). `clock` drives the prompt cache."""

    def __init__(
        self,
        script: Script | None = None,
        *,
        prices: dict[str, Prices] | None = None,
        clock: Callable[[], float] = time.monotonic,
        head_status: int = 200,
    ) -> None:
        self.script = script or always_text()
        self.exchanges: list[Exchange] = []
        self.script_errors: list[Exception] = []
        self._biller = CachingBiller(clock, dict(prices or {}))
        self._head_status = head_status
        self._calls = 0
        self._changed = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fake-upstream", daemon=True)
        self._runner: web.AppRunner | None = None
        self.port = 0

    # --- for tests ------------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def messages(self) -> list[Exchange]:
        """The exchanges on /v1/messages, in order of arrival."""
        return [e for e in self.exchanges if e.method == "POST" and e.path.endswith("/messages")]

    @property
    def bills(self) -> list[Bill]:
        return [e.bill for e in self.exchanges if e.bill is not None]

    @property
    def billed(self) -> int:
        """Picodollars for everything. A model without a price is an error of the test."""
        total = 0
        for bill in self.bills:
            amount = bill.picodollars
            assert amount is not None, f"the fake has no price for {bill.model}"
            total += amount
        return total

    def wait(self, condition: Callable[[], bool], seconds: float = 10.0) -> None:
        """Until `condition` holds; it is looked at whenever an exchange changes."""
        with self._changed:
            assert self._changed.wait_for(condition, seconds), "the fake upstream waited in vain"

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        return self

    def stop(self) -> None:
        """Breaks all connections and refuses new ones, as a server that dies."""
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def __exit__(self, kind: object, *_: object) -> None:
        self.stop()
        if kind is None and self.script_errors:
            raise AssertionError("the fake upstream's script failed") from self.script_errors[0]

    # --- the server -----------------------------------------------------------------------------------------------

    async def _start(self) -> None:
        app = web.Application(client_max_size=1 << 30)
        app.router.add_route("*", "/{tail:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        listener = socket.create_server(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        await web.SockSite(self._runner, listener).start()

    async def _stop(self) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        path, _, query = request.raw_path.partition("?")
        headers = [(k.decode("latin-1"), v.decode("latin-1")) for k, v in request.raw_headers]
        exchange = Exchange(request.method, path, query, headers, body, _json(body))
        self.exchanges.append(exchange)
        try:
            return await self._answer(request, exchange)
        except (asyncio.CancelledError, ConnectionResetError):
            exchange.client_gone = True
            raise
        finally:
            exchange.finished = True
            with self._changed:
                self._changed.notify_all()

    async def _answer(self, request: web.Request, exchange: Exchange) -> web.StreamResponse:
        match exchange.method, exchange.path:
            case "POST", path if path.endswith("/messages"):
                return await self._message(request, exchange)
            case "POST", path if path.endswith("/messages/count_tokens"):
                return await _send(request, exchange, 200, {"input_tokens": count(exchange.body.decode())})
            case "HEAD", _:
                return await _send(request, exchange, self._head_status, b"")
            case "GET", path if path.endswith("/models"):
                data = [
                    {"type": "model", "id": m, "display_name": m, "created_at": "2026-01-01T00:00:00Z"} for m in MODELS
                ]
                ends = {"first_id": MODELS[0], "last_id": MODELS[-1]}
                return await _send(request, exchange, 200, {"data": data, "has_more": False, **ends})
            case _, path if "/messages/batches" in path:
                batch = {"id": "msgbatch_01fake", "type": "message_batch", "processing_status": "ended"}
                return await _send(request, exchange, 200, batch)
            case _, path:
                return await _send(request, exchange, 404, error_body("not_found_error", f"Not found: {path}"))

    async def _message(self, request: web.Request, exchange: Exchange) -> web.StreamResponse:
        if not isinstance(exchange.json.get("messages"), list):
            return await _send(request, exchange, 400, error_body("invalid_request_error", "messages: Field required"))
        number, self._calls = self._calls, self._calls + 1
        try:
            reply = self.script(exchange.json, number)
        except Exception as error:  # a fault of the test, told when the fake is closed
            self.script_errors.append(error)
            return await _send(request, exchange, 500, error_body("api_error", f"script failed: {error!r}"))
        bill, begun = self._biller.open(exchange.json)
        with self._changed:
            self._changed.notify_all()
        await asyncio.sleep(reply.delay)
        if reply.break_after == -1:
            _reset(request)
            return web.Response()
        if reply.hang_after == -1:
            await asyncio.Event().wait()
        if reply.status != 200:
            answer = reply.raw if reply.raw is not None else error_body(reply.error, reply.message)
            return await _send(request, exchange, reply.status, answer, reply)
        if reply.raw is not None:
            return await _send(request, exchange, 200, reply.raw, reply)
        begun()
        exchange.bill = bill
        content = content_of(reply)
        if not exchange.json.get("stream"):
            bill.output = output_of(reply, content)
            return await _send(request, exchange, 200, message_body(reply, content, bill), reply)
        return await self._stream(request, exchange, reply, content, bill)

    async def _stream(
        self, request: web.Request, exchange: Exchange, reply: Reply, content: list[Json], bill: Bill
    ) -> web.StreamResponse:
        response = await _open(request, exchange, 200, "text/event-stream; charset=utf-8", reply)
        sink = _Sink(response, exchange, reply)
        sent = 0
        async for data, output in _paced(reply, content, bill):
            if sent == reply.break_after:
                _reset(request)
                return response
            if sent == reply.eof_after:
                break
            if sent == reply.hang_after:
                await asyncio.Event().wait()
            bill.output = output
            await sink.write(data)
            sent += 1
            with self._changed:
                self._changed.notify_all()
        if sent == reply.break_after:
            _reset(request)
        elif sent == reply.hang_after:
            await asyncio.Event().wait()
        else:
            await sink.close()
        return response


class _Sink:
    """Writes an answer's body as the reply wants it cut and coded, and records what goes out."""

    def __init__(self, response: web.StreamResponse, exchange: Exchange, reply: Reply) -> None:
        self._response, self._exchange, self._size = response, exchange, reply.chunk
        coded = response.headers.get("content-encoding") == "gzip"
        self._coder = zlib.compressobj(wbits=31) if coded else None

    async def write(self, data: bytes) -> None:
        if self._coder is not None:
            data = self._coder.compress(data) + self._coder.flush(zlib.Z_SYNC_FLUSH)
        size = self._size or len(data) or 1
        for start in range(0, len(data), size):
            piece = data[start : start + size]
            await self._response.write(piece)
            self._exchange.sent += piece
            if self._size:
                await asyncio.sleep(0)

    async def close(self) -> None:
        if self._coder is not None:
            rest = self._coder.flush()
            await self._response.write(rest)
            self._exchange.sent += rest
        await self._response.write_eof()


async def _paced(reply: Reply, content: list[Json], bill: Bill) -> AsyncIterator[tuple[bytes, int]]:
    for data, output in stream(reply, content, bill):
        await asyncio.sleep(reply.gap)
        yield data, output


async def _open(
    request: web.Request, exchange: Exchange, status: int, content_type: str, reply: Reply
) -> web.StreamResponse:
    headers = {"content-type": reply.content_type or content_type, **PROVIDER_HEADERS, **dict(reply.headers)}
    if reply.compress and "gzip" in (exchange.header("accept-encoding") or ""):
        headers["content-encoding"] = "gzip"
    response = web.StreamResponse(status=status, headers=headers)
    exchange.status = status
    await response.prepare(request)
    exchange.response_headers = list(response.headers.items())
    return response


async def _send(
    request: web.Request, exchange: Exchange, status: int, body: bytes | Json, reply: Reply | None = None
) -> web.StreamResponse:
    reply = reply or Reply()
    response = await _open(request, exchange, status, "application/json", reply)
    sink = _Sink(response, exchange, reply)
    if exchange.method != "HEAD":
        await sink.write(body if isinstance(body, bytes) else json.dumps(body).encode())
    await sink.close()
    return response


def _reset(request: web.Request) -> None:
    """Breaks the connection so that the other side sees a reset, not an end."""
    if request.transport is None:
        return
    raw = request.transport.get_extra_info("socket")
    with contextlib.suppress(OSError):
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.transport.abort()


def _json(body: bytes) -> Json:
    try:
        value: Any = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
