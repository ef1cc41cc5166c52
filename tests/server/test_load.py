"""Much at once: large bodies, slow readers, thousands of sessions. What one of them does must not cost the others."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.support.fake_upstream import FakeUpstream, Reply
from tests.support.live import Live, LiveSession
from tests.support.scripts import always_text
from tests.support.wire_client import KEY_HEADERS, send

from rlmc.server.exchange import TooLarge
from rlmc.server.ingress import announced_size
from rlmc.server.room import SMALL_BYTES, Room

LARGE = 2 * SMALL_BYTES
MB = 1024 * 1024


def direct(live: Live, url: str, protocol: str = "anthropic", **overrides: str) -> LiveSession:
    vendor = "anthropic" if protocol == "anthropic" else "openai"
    wanted = {"policy": "verify-only", f"upstream.{vendor}.base-url": url} | overrides
    return live.open_session(overrides=wanted, protocol=protocol)


def asking(size: int) -> dict[str, Any]:
    return {
        "model": "claude-opus-5-5",
        "max_tokens": 64,
        "stream": True,
        "messages": [{"role": "user", "content": "go " * (size // 3)}],
    }


def eventually(condition: Any, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


class TestRoomForBodies:
    """A held answer keeps its body's room; there is room for one large body here."""

    @pytest.fixture
    def held(self, live: Live) -> Iterator[tuple[Live, LiveSession]]:
        def script(body: dict[str, Any], _number: int) -> Reply:
            return Reply("Done.", delay=2.0 if "metadata" in body else 0.0)

        live.daemon.bodies.large = Room(LARGE + SMALL_BYTES)
        live.daemon.bodies.seconds = 0.2
        with FakeUpstream(script) as up:
            session = direct(live, up.url)
            first = threading.Thread(
                target=send, args=(session.base_url, asking(LARGE) | {"metadata": {"user_id": "hold"}})
            )
            first.start()
            up.wait(lambda: len(up.exchanges) == 1)
            yield live, session
            first.join()

    def test_one_that_has_none_is_told_to_try_again_and_small_ones_pass(self, held: tuple[Live, LiveSession]) -> None:
        live, session = held
        refused = send(session.base_url, asking(LARGE))
        assert refused.status == 529
        assert refused.json["error"]["type"] == "overloaded_error"
        assert int(refused.headers["retry-after"]) > 0
        assert send(session.base_url, asking(1000)).status == 200
        process = live.control("GET", "/-/status")[1]["process"]
        assert process["body_bytes"] >= LARGE - 10
        assert process["bodies_waiting"] == 0

    def test_one_that_waits_is_served_once_there_is_room_and_is_not_read_before(
        self, held: tuple[Live, LiveSession]
    ) -> None:
        live, session = held
        live.daemon.bodies.seconds = 30.0
        raw = json.dumps(asking(LARGE)).encode()
        parts = urlsplit(session.base_url)
        with closing(socket.socket()) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 * 1024)
            client.connect((parts.hostname, parts.port))
            head = f"POST {parts.path}/v1/messages HTTP/1.1\r\nhost: {parts.netloc}\r\ncontent-length: {len(raw)}\r\n"
            head += "".join(f"{name}: {value}\r\n" for name, value in KEY_HEADERS.items()) + "connection: close\r\n\r\n"
            client.sendall(head.encode())
            eventually(lambda: live.control("GET", "/-/status")[1]["process"]["bodies_waiting"] == 1)
            assert live.daemon.bodies.held < 2 * LARGE
            client.settimeout(30)
            client.sendall(raw)
            answer = b"".join(iter(lambda: client.recv(65536), b""))
        assert answer.startswith(b"HTTP/1.1 200")
        eventually(lambda: live.daemon.bodies.held == 0)

    def test_in_the_words_of_the_clients_protocol(self, held: tuple[Live, LiveSession]) -> None:
        _, session = held
        body = {"model": "gpt-5", "messages": [{"role": "user", "content": "go " * SMALL_BYTES}]}
        refused = send(session.base_url, body, "/v1/chat/completions", headers={"content-type": "application/json"})
        assert refused.status == 503
        assert "error" in refused.json
        assert "retry-after" in refused.headers


def test_a_client_that_hangs_up_while_it_sends_gives_its_room_back(live: Live) -> None:
    session = direct(live, "http://127.0.0.1:9")
    parts = urlsplit(session.base_url)
    with closing(socket.create_connection((parts.hostname or "", parts.port or 0))) as client:
        head = f"POST {parts.path}/v1/messages HTTP/1.1\r\nhost: {parts.netloc}\r\ncontent-length: {LARGE}\r\n\r\n"
        client.sendall(head.encode() + b"x" * 1000)
        eventually(lambda: live.daemon.bodies.held == LARGE)
    eventually(lambda: live.daemon.bodies.held == 0)


class Pouring:
    """A provider that writes a long answer as fast as it is taken. `sent` counts its bytes."""

    def __init__(self, size: int) -> None:
        self._size = size
        self.sent = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._pour)

    def __enter__(self) -> Pouring:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(30)
        self._listener.close()

    def _pour(self) -> None:
        connection, _ = self._listener.accept()
        with closing(connection):
            connection.recv(65536)
            head = f"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {self._size}\r\n\r\n"
            connection.sendall(head.encode())
            piece = b": nothing to see here, go on" * 2340 + b"\n\n"
            try:
                while self.sent < self._size:
                    self.sent += connection.send(piece[: self._size - self.sent])
            except OSError:
                return


def test_a_client_that_reads_slowly_slows_its_provider_down_and_still_gets_everything(live: Live) -> None:
    size = 64 * MB
    with Pouring(size) as provider, closing(socket.socket()) as client:
        session = direct(live, provider.url)
        parts = urlsplit(session.base_url)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        client.connect((parts.hostname, parts.port))
        raw = json.dumps(asking(100)).encode()
        head = f"POST {parts.path}/v1/messages HTTP/1.1\r\nhost: {parts.netloc}\r\ncontent-length: {len(raw)}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in KEY_HEADERS.items())
        client.sendall(head.encode() + b"\r\n" + raw)
        eventually(lambda: provider.sent > 0)
        seen = -1
        while seen != provider.sent:  # until it is stuck
            seen = provider.sent
            time.sleep(0.3)
        # What is on the way is in the buffers of the kernel, which may be a few megabytes, and hardly any of it here.
        assert seen < size / 2
        got = 0
        client.settimeout(30)
        while got < size:
            piece = client.recv(MB)
            assert piece, "the answer broke off"
            got += len(piece)
    assert provider.sent == size


def test_what_a_request_says_of_its_size() -> None:
    assert announced_size([("content-length", "70")], 100) == 70
    assert announced_size([("transfer-encoding", "chunked")], 100) == 100
    assert announced_size([], 100) == 0
    with pytest.raises(TooLarge):
        announced_size([("content-length", "101")], 100)


def test_a_body_in_pieces_without_a_length_is_served(live: Live) -> None:
    raw = json.dumps(asking(LARGE)).encode()
    with FakeUpstream(always_text("Hello.")) as up:
        session = direct(live, up.url)
        parts = urlsplit(session.base_url)
        with closing(http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)) as connection:
            pieces = (raw[at : at + 100_000] for at in range(0, len(raw), 100_000))
            connection.request("POST", f"{parts.path}/v1/messages", pieces, KEY_HEADERS, encode_chunked=True)
            answer = connection.getresponse()
            answer.read()
    assert answer.status == 200
    assert up.exchanges[0].body == raw
    eventually(lambda: live.daemon.bodies.held == 0)


class TestManySessions:
    def test_those_that_run_with_the_same_share_it_after_a_change(self, live: Live) -> None:
        for number in range(20):
            live.open_session(overrides={"policy": "economy"} if number % 2 else None)
        assert live.control("POST", "/-/reload")[1]["ok"]
        parts = [session.parts for session in live.daemon._sessions.all()]
        assert len(parts) == 20
        assert len({id(one) for one in parts}) == 2
        assert {one.policy.name for one in parts} == {"balanced", "economy"}

    def test_the_daemon_says_what_it_holds(self, live: Live) -> None:
        live.open_session()
        process = live.control("GET", "/-/status")[1]["process"]
        assert process["tasks"] > 0
        assert process["files"] is None or 0 < process["files"] <= process["files_limit"]
        assert process["rss"] is None or process["rss"] > MB
