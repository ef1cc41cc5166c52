from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

import pytest
from tests.support.daemons import fake, kill_daemon

from rlmc.daemon import control
from rlmc.daemon.control import Endpoint, Registration
from rlmc.daemon.lifecycle import PortWish, ensure_running
from rlmc.daemon.state import DaemonState, read_state, write_state
from rlmc.errors import DaemonError
from rlmc.server.proof import proof

SESSION = Registration("session-1", "token-of-this-session", "claude", keys={"DEEPSEEK_API_KEY": "a-key"})


class Stranger(http.server.BaseHTTPRequestHandler):
    """Some other program on the daemon's port; with `token`, one that can prove to be the daemon."""

    protocol_version = "HTTP/1.1"
    answer: ClassVar[bytes] = b"<html>hello</html>"
    token: ClassVar[str | None] = None
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        Stranger.asked.append(self.path)
        answer = Stranger.answer
        if self.path == "/-/proof" and Stranger.token is not None:
            port, nonce = self.server.server_address[1], self.headers["x-rlmc-nonce"]
            answer = json.dumps({"proof": proof(Stranger.token, port, nonce)}).encode()
        elif "authorization" in self.headers:
            Stranger.asked.append("with a token")
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def stranger() -> Iterator[DaemonState]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stranger)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    Stranger.asked, Stranger.token = [], None
    state = DaemonState(server.server_port, 1, "0.1.0", "control-token", 0.0, "the-instance")
    write_state(state)
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


def running(*options: str) -> Endpoint:
    return ensure_running(PortWish(), spawner=fake(*options)).endpoint


ANSWERS = [
    b"<html>hello</html>",
    b"[]",
    b"{}",
    b'{"proof": 1}',
    b'{"version": "1", "pid": 1, "sessions_alive": 0}',
    b'{"version": "1", "pid": 1, "sessions_alive": 0, "instance": "another"}',
    b'{"version": "1", "pid": "x", "sessions_alive": 0, "instance": "the-instance"}',
]


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_stranger_on_the_port_is_no_daemon_and_is_told_nothing(stranger: DaemonState, answer: bytes) -> None:
    Stranger.answer = answer
    assert control.find() is None
    assert control.probe() is None
    assert control.status() is None
    assert control.notify_reload() is None
    assert set(Stranger.asked) == {"/-/proof"}


@pytest.mark.parametrize("answer", ANSWERS)
def test_who_has_the_token_and_is_another_is_no_daemon_either(stranger: DaemonState, answer: bytes) -> None:
    Stranger.answer, Stranger.token = answer, stranger.control_token
    assert control.find() is None
    assert control.notify_reload() is None


def test_who_proves_to_be_it_and_names_the_instance_is_the_daemon(stranger: DaemonState) -> None:
    Stranger.token = stranger.control_token
    Stranger.answer = json.dumps(
        {"version": "0.9", "pid": 7, "sessions_alive": 3, "instance": stranger.instance}
    ).encode()
    assert control.probe() == {"port": stranger.port, "pid": 7, "version": "0.9", "sessions_alive": 3}
    assert Stranger.asked == ["/-/proof", "/-/health", "with a token"]


def test_no_state_file_means_that_nobody_is_asked() -> None:
    assert control.find() is None
    assert control.notify_reload() is None


def test_a_claim_without_a_process_is_no_daemon() -> None:
    running()
    kill_daemon()
    assert read_state() is not None
    assert control.find() is None


def test_a_session_from_its_beginning_to_its_end() -> None:
    daemon = running()
    assert control.register_session(daemon, SESSION) == ("a note",)
    known = (control.status() or {})["known"]["session-1"]
    assert known == SESSION.as_json()
    assert known["keys"] == {"DEEPSEEK_API_KEY": "a-key"}
    with control.attach(daemon, "session-1"):
        health = control.probe()
        assert health is not None
        assert health["sessions_alive"] == 1
    assert control.end_session(daemon, "session-1")["requests"] == 0
    with pytest.raises(DaemonError, match="no such session"):
        control.end_session(daemon, "session-1")


def test_the_wrong_token_is_refused() -> None:
    daemon = running()
    with pytest.raises(DaemonError, match="is not rlmc's daemon"):
        control.register_session(replace(daemon, control_token="guessed"), SESSION)


def test_a_line_to_an_unknown_session_is_refused() -> None:
    with pytest.raises(DaemonError, match="does not know"):
        control.attach(running(), "nobody")


def test_what_the_daemon_has_against_a_change_comes_back() -> None:
    running()
    assert control.notify_reload() == "made to refuse"


def test_a_daemon_that_is_gone_is_unreachable() -> None:
    daemon = running()
    kill_daemon()
    for call in (
        lambda: control.register_session(daemon, SESSION),
        lambda: control.attach(daemon, "session-1"),
        lambda: control.request_stop(daemon),
    ):
        with pytest.raises(control.Unreachable, match=f"127.0.0.1:{daemon.port}"):
            call()


def test_neither_keys_nor_tokens_show_when_printed() -> None:
    shown = repr(SESSION) + repr(running())
    state = read_state()
    assert state is not None
    for secret in ("a-key", SESSION.token, state.control_token, state.instance):
        assert secret not in shown
