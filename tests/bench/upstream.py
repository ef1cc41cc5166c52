"""A provider that answers at once: `python -m tests.bench.upstream [--port P] [--answer text|call]`.

One process, nothing but parsing and ready-made bytes, so that what is measured is the server before it. It prints its
port. A stream goes out in one piece, or event by event where the request asks for pauses.
"""

from __future__ import annotations

import argparse
import asyncio
from typing import cast

import httptools
import msgspec
from tests.bench.answers import Kind, events_of, whole
from tests.bench.process import serve
from tests.bench.requests import pause_of

_HEAD = (
    b"HTTP/1.1 200 OK\r\ndate: Mon, 23 Nov 2026 12:00:00 GMT\r\ncontent-type: %b\r\ncache-control: no-cache\r\n"
    b"request-id: req_bench_1\r\nanthropic-organization-id: bench\r\nanthropic-ratelimit-requests-limit: 4000\r\n"
    b"anthropic-ratelimit-requests-remaining: 3999\r\nserver: bench\r\n%b\r\n\r\n"
)
_END = b"0\r\n\r\n"


class _Metadata(msgspec.Struct):
    user_id: str = "_0"


class _Request(msgspec.Struct):
    stream: bool = False
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)


_REQUEST = msgspec.json.Decoder(_Request)


class Answers:
    """Every byte that can be needed, made once."""

    def __init__(self, kind: Kind) -> None:
        body = whole(kind)
        self.whole = _plain(body)
        self.stream_head = _HEAD % (b"text/event-stream; charset=utf-8", b"transfer-encoding: chunked")
        self.chunks = [b"%x\r\n%b\r\n" % (len(event), event) for event in events_of(kind)]
        self.stream = self.stream_head + b"".join(self.chunks) + _END
        self.other = _plain(b'{"status":"ok"}')


def _plain(body: bytes) -> bytes:
    return _HEAD % (b"application/json", b"content-length: %d" % len(body)) + body


class Exchange(asyncio.Protocol):
    """One connection, one request after another."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._parser = httptools.HttpRequestParser(self)
        self._body: list[bytes] = []
        self._path = b""
        self._timer: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own is no subclass

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.close()

    def on_url(self, url: bytes) -> None:
        self._path, self._body = url, []

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        if self._parser.get_method() != b"POST" or self._path.partition(b"?")[0] != b"/v1/messages":
            self._transport.write(self._answers.other)
            return
        request = _REQUEST.decode(b"".join(self._body))
        pause = pause_of(request.metadata.user_id) / 1000
        if not request.stream:
            self._transport.write(self._answers.whole)
        elif not pause:
            self._transport.write(self._answers.stream)
        else:
            self._transport.write(self._answers.stream_head)
            self._next(0, asyncio.get_running_loop().time(), pause)

    def _next(self, number: int, due: float, pause: float) -> None:
        chunks = self._answers.chunks
        if number == len(chunks) - 1:
            self._transport.write(chunks[number] + _END)
            self._timer = None
            return
        self._transport.write(chunks[number])
        # At fixed times rather than so long after the last event: a late one must not make the stream longer.
        self._timer = asyncio.get_running_loop().call_at(due + pause, self._next, number + 1, due + pause, pause)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.upstream")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--answer", choices=("text", "call"), default="text")
    options = parser.parse_args()
    answers = Answers(options.answer)
    serve(lambda: Exchange(answers), options.port)


if __name__ == "__main__":
    main()
