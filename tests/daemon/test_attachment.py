from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from rlmc.daemon.attachment import Attachment, open_attachment
from rlmc.errors import DaemonError
from rlmc.server.proof import proof

HEAD = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


@contextmanager
def line() -> Iterator[tuple[Attachment, socket.socket]]:
    here, there = socket.socketpair()
    with here, there, Attachment(here) as attachment:
        yield attachment, there


def test_an_open_line_is_not_closed_however_much_the_daemon_says() -> None:
    with line() as (attachment, daemon):
        daemon.sendall(b"1\r\n\n\r\n" * 1000)
        started = time.monotonic()
        assert not attachment.wait_closed(timeout=0.2)
        assert time.monotonic() - started >= 0.2
        assert not attachment.wait_closed(timeout=0)


def test_its_end_is_noticed_at_once() -> None:
    with line() as (attachment, daemon):
        daemon.sendall(b"\n")
        daemon.close()
        assert attachment.wait_closed(timeout=20)
        assert attachment.wait_closed()


def test_hanging_up_wakes_whoever_waits() -> None:
    with line() as (attachment, _daemon):
        seen: list[bool] = []
        waiting = threading.Thread(target=lambda: seen.append(attachment.wait_closed()))
        waiting.start()
        attachment.hang_up()
        waiting.join(20)
        assert seen == [True]


def test_a_closed_line_is_closed() -> None:
    with line() as (attachment, _daemon):
        attachment.close()
        assert attachment.wait_closed(timeout=0)
        attachment.hang_up()


def proves(connection: socket.socket, port: int) -> None:
    nonce = connection.recv(4096).decode().partition("x-rlmc-nonce: ")[2].strip()
    body = json.dumps({"proof": proof("the-token", port, nonce)})
    connection.sendall(f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode())


@contextmanager
def answering(answer: bytes) -> Iterator[tuple[int, list[bytes]]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        asked: list[bytes] = []

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                proves(connection, listener.getsockname()[1])
                asked.append(connection.recv(4096))
                for at in range(len(answer)):
                    connection.sendall(answer[at : at + 1])

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1], asked
        thread.join(20)


def test_it_asks_with_the_token_and_for_a_line_of_its_own() -> None:
    with answering(HEAD + b"1\r\n\n\r\n") as (port, asked):
        with open_attachment(port, "the-token", "/-/sessions/a/attach", 20) as attachment:
            assert attachment.wait_closed(20)
        lines = asked[0].decode().split("\r\n")
    assert lines[0] == "GET /-/sessions/a/attach HTTP/1.1"
    assert {f"Host: 127.0.0.1:{port}", "Authorization: Bearer the-token", "Connection: close"} <= set(lines)


@pytest.mark.parametrize("answer", [b"HTTP/1.1 404 Not Found\r\n\r\n", b"what?\r\n\r\n", b"\r\n\r\n"])
def test_any_other_answer_is_a_refusal(answer: bytes) -> None:
    with answering(answer) as (port, _), pytest.raises(DaemonError):
        open_attachment(port, "the-token", "/", 20)


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\n"])
def test_a_line_that_ends_before_it_begins_is_no_line(answer: bytes) -> None:
    with answering(answer) as (port, _), pytest.raises(OSError, match="before the answer did"):
        open_attachment(port, "the-token", "/", 20)
