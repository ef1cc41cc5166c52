"""The load driver counts every turn, and as good only those whose answer is complete."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
import pytest
from tests.bench import answers
from tests.bench.load import Job, Load, Result
from tests.bench.process import HOST, Process


@contextmanager
def canned(reply: bytes) -> Iterator[int]:
    """A server that says `reply` to whatever it is asked, once a connection."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(65536)
            self.request.sendall(reply)

    with socketserver.ThreadingTCPServer((HOST, 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Load]:
    driver = Process.own("load", tmp_path_factory.mktemp("load") / "log")
    yield Load(driver)
    driver.stop()


def ask(load: Load, port: int, **job: object) -> Result:
    return load.run(msgspec.convert({"port": port, "path": "/", "request": "small", "turns": 6} | job, Job))


def test_counts_what_the_upstream_answers_well(load: Load, tmp_path: Path) -> None:
    upstream = Process.own("upstream", tmp_path / "log")
    try:
        result = ask(load, int(upstream.hear()), path="/v1/messages", turns=50, connections=7, exact=True)
    finally:
        upstream.stop()
    assert (result.asked, result.bad, result.first_problem) == (50, 0, None)
    assert len(result.first_byte) == len(result.total) == 50
    assert all(0 < first <= total for first, total in zip(result.first_byte, result.total, strict=True))


def test_a_slow_stream_takes_the_time_of_its_pauses(load: Load, tmp_path: Path) -> None:
    upstream = Process.own("upstream", tmp_path / "log")
    try:
        result = ask(load, int(upstream.hear()), path="/v1/messages", turns=2, connections=2, pause_ms=5, exact=True)
    finally:
        upstream.stop()
    assert result.bad == 0
    assert min(result.total) >= (answers.EVENTS - 1) * 5 * 0.9
    assert max(result.first_byte) < min(result.total) / 2


def test_counts_an_answer_that_is_cut_as_bad(load: Load) -> None:
    stream = b"".join(answers.events_of("text")[:-1])
    head = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(stream)
    with canned(head + stream) as port:
        result = ask(load, port, connections=2)
    assert (result.asked, result.bad) == (6, 6)
    assert "no end" in (result.first_problem or "")


def test_counts_a_connection_that_breaks_as_bad(load: Load) -> None:
    with canned(b"HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\nevent: ") as port:
        result = ask(load, port, connections=2)
    assert (result.asked, result.bad) == (6, 6)
    assert "broke" in (result.first_problem or "")


def test_counts_an_error_status_as_bad(load: Load) -> None:
    with canned(b"HTTP/1.1 529 Overloaded\r\nconnection: close\r\ncontent-length: 4\r\n\r\nbusy") as port:
        result = ask(load, port, connections=1)
    assert (result.asked, result.bad) == (6, 6)
    assert result.first_problem == "status 529: busy"


def test_does_not_wait_for_ever(load: Load) -> None:
    with closing(socketserver.TCPServer((HOST, 0), socketserver.BaseRequestHandler).socket) as silent:
        result = ask(load, silent.getsockname()[1], connections=1, seconds=0.1)
    assert (result.asked, result.bad) == (1, 1)
    assert "0.1 s" in (result.first_problem or "")
