"""Both sides of the daemon as bytes: a client that writes what no HTTP library would, and a provider that does."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.support.live import Live, LiveSession

BODY = b'{"model":"claude-opus-5-5","max_tokens":64,"messages":[{"role":"user","content":"Hi."}]}'


def exchange(port: int, request: bytes, seconds: float = 20.0) -> bytes:
    """All that is answered until the other side hangs up, or has been silent for so long."""
    with socket.create_connection(("127.0.0.1", port), seconds) as connection:
        got = b""
        with suppress(OSError):
            connection.sendall(request)
            while more := connection.recv(65_536):
                got += more
        return got


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


def request(
    live: Live,
    path: str,
    *lines: str,
    method: str = "POST",
    version: str = "1.1",
    host: str | None = None,
    body: bytes = BODY,
    length: bool = True,
    last: bool = True,
) -> bytes:
    """A request for one answer; `lines` are further header lines. `host` may be empty for none."""
    head = [f"{method} {path} HTTP/{version}"]
    if host != "":
        head.append(f"Host: {host or f'127.0.0.1:{live.port}'}")
    body = body if method not in ("GET", "TRACE", "OPTIONS", "CONNECT", "HEAD") else b""
    if body:
        head += ["Content-Type: application/json", "x-api-key: sk-ant-test-0000"]
        head += [f"Content-Length: {len(body)}"] if length else []
    head += [*lines, *(["Connection: close"] if last else [])]
    return "\r\n".join([*head, "", ""]).encode("latin-1") + body


def _is_whole(said: bytes) -> bool:
    head, end, body = said.partition(b"\r\n\r\n")
    length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
    return end != b"" and len(body) >= int(length[1] if length else 0)


@dataclass
class RawUpstream:
    """A provider of which every answer is given as bytes: `reply` writes them to the connection. It hangs up after."""

    reply: Callable[[socket.socket], None]
    asked: list[bytes] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def serve(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            said = b""
            while not _is_whole(said):
                more = connection.recv(65_536)
                if not more:
                    return
                said += more
            self.asked.append(said)
            self.reply(connection)


@contextmanager
def raw_upstream(answer: bytes | Callable[[socket.socket], None]) -> Iterator[RawUpstream]:
    upstream = RawUpstream(answer if callable(answer) else lambda connection: connection.sendall(answer))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        upstream.port = listener.getsockname()[1]
        threading.Thread(target=upstream.serve, args=(listener,), daemon=True).start()
        yield upstream
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


def token_of(session: LiveSession) -> str:
    return session.base_url.rpartition("/")[2]


def within(seconds: float, look: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not look():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
