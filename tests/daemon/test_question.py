"""A question to the daemon, against answers of every kind."""

from __future__ import annotations

import socket
import threading

import pytest

from rlmc.daemon.question import answer_to

OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nContent-Length: 11\r\n\r\n"


def answered(*parts: bytes, body: bytes | None = None) -> tuple[tuple[int, bytes], bytes]:
    """What was understood of an answer that comes in these parts, and what had been asked."""
    here, there = socket.socketpair()
    asked = []

    def answer() -> None:
        asked.append(there.recv(65_536))
        for part in parts:
            there.sendall(part)
        there.close()

    other = threading.Thread(target=answer)
    other.start()
    here.settimeout(5)
    try:
        with here:
            return answer_to(here, 1234, "a-token", "GET" if body is None else "POST", "/-/status", body), asked[0]
    finally:
        other.join()


@pytest.mark.parametrize(
    "parts",
    [
        (OK + b'{"ok":true}',),
        (OK, b'{"ok":', b"true}"),
        tuple(bytes([one]) for one in OK + b'{"ok":true}'),
        (OK + b'{"ok":true}' + b"and what nobody asked for",),
        (OK.replace(b"\r\nContent-Length: 11", b"\r\nCONTENT-LENGTH:\t11 "), b'{"ok":true}'),
    ],
    ids=["whole", "in parts", "byte by byte", "too much", "spelled otherwise"],
)
def test_an_answer_however_it_comes(parts: tuple[bytes, ...]) -> None:
    assert answered(*parts)[0] == (200, b'{"ok":true}')


def test_a_refusal_is_an_answer_too() -> None:
    assert answered(b"HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\n{}")[0] == (404, b"{}")


def test_what_is_asked() -> None:
    _, asked = answered(OK + b'{"ok":true}', body=b"{}")
    head, _, body = asked.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    assert first == "POST /-/status HTTP/1.1"
    assert {"Host: 127.0.0.1:1234", "Authorization: Bearer a-token", "Content-Length: 2"} <= set(lines)
    assert body == b"{}"


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        OK + b'{"ok":',
        b"HTTP/1.1 200 OK\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        b"hello\r\ncontent-length: 2\r\n\r\n{}",
        b"HTTP/1.1 2000 OK\r\ncontent-length: 2\r\n\r\n{}",
        b"x" * 20_000,
    ],
    ids=["nothing", "half a head", "half a body", "no length", "chunked", "no status", "a strange status", "no end"],
)
def test_what_is_no_whole_answer(said: bytes) -> None:
    with pytest.raises(OSError, match=r".") as refused:
        answered(said)
    assert not isinstance(refused.value, TimeoutError)
