"""The floor: the least a Python proxy can do with a request, `python -m tests.bench.floor --upstream PORT`.

It reads the whole request, decodes what a router looks at, and hands bytes on between two sockets. No TLS, no
back-pressure, no authentication, no accounts, no cancelling, no mapping of errors: a measure, never a product.
"""

from __future__ import annotations

import argparse
import asyncio
from typing import cast

import httptools
import msgspec
from tests.bench.process import HOST, serve

_NOT_FORWARDED = frozenset({b"host", b"content-length", b"connection", b"transfer-encoding"})
_HEALTHY = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


class _Seen(msgspec.Struct):
    """Typed where a router would look, raw where it would not."""

    model: str
    messages: msgspec.Raw
    stream: bool = False
    max_tokens: int | None = None


_SEEN = msgspec.json.Decoder(_Seen)


class Pool:
    """Idle connections to the upstream."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.idle: list[Back] = []

    def send(self, front: Front, payload: list[bytes]) -> None:
        if self.idle:
            self.idle.pop().ask(front, payload)
        else:
            front.opening = asyncio.ensure_future(self._open(front, payload))

    async def _open(self, front: Front, payload: list[bytes]) -> None:
        loop = asyncio.get_running_loop()
        _, back = await loop.create_connection(lambda: Back(self), HOST, self.port)
        back.ask(front, payload)


class Back(asyncio.Protocol):
    """A connection to the upstream. Its bytes go to the client as they are; they are parsed only to find the end."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._front: Front | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own is no subclass

    def ask(self, front: Front, payload: list[bytes]) -> None:
        self._front = front
        self._transport.writelines(payload)

    def data_received(self, data: bytes) -> None:
        if self._front is None:
            self._transport.close()
            return
        self._front.transport.write(data)
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self._front = None
        self._pool.idle.append(self)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._front is not None:
            self._front.transport.close()
        elif self in self._pool.idle:
            self._pool.idle.remove(self)


class Front(asyncio.Protocol):
    """A client's connection, one request after another."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._parser = httptools.HttpRequestParser(self)
        self._head: list[bytes] = []
        self._body: list[bytes] = []
        self.transport: asyncio.Transport
        self.opening: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's own is no subclass

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._head = [self._parser.get_method() + b" " + url + b" HTTP/1.1\r\nhost: upstream\r\n"]
        self._body = []

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() not in _NOT_FORWARDED:
            self._head.append(b"%b: %b\r\n" % (name, value))

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        if self._parser.get_method() != b"POST":
            self.transport.write(_HEALTHY)
            return
        body = b"".join(self._body)
        _SEEN.decode(body)
        self._head.append(b"content-length: %d\r\n\r\n" % len(body))
        self._pool.send(self, [b"".join(self._head), body])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.floor")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--upstream", type=int, required=True)
    options = parser.parse_args()
    pool = Pool(options.upstream)
    serve(lambda: Front(pool), options.port)


if __name__ == "__main__":
    main()
