"""Other users of this machine: they reach the port, see the list of processes, and may put files where all may."""

from __future__ import annotations

import http.client
import os
import socket
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from tests.security.wires import exchange, request, status, token_of, within
from tests.support.daemons import kill_daemon
from tests.support.fake_upstream import FakeUpstream
from tests.support.live import Live

from rlmc.config.paths import config_dir, data_dir, log_file, state_dir, state_file
from rlmc.daemon import control
from rlmc.daemon.control import Endpoint, Registration
from rlmc.daemon.lifecycle import PortWish, ensure_running
from rlmc.daemon.protocol import HEAD_BYTES
from rlmc.daemon.serve import serve
from rlmc.daemon.state import DaemonState, FileLock, own_folder, read_state, start_lock, write_state
from rlmc.errors import DaemonError
from rlmc.server.proof import NONCE_HEADER, proof
from rlmc.server.sessions import Session, Sessions

TOKEN = "a-token-of-a-session-000"
NONCE = "0" * 32
STATE = DaemonState(port=1, pid=1, version="0", control_token="theirs", started_at=1.0, instance="theirs")


@pytest.fixture
def another_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on we are a user to whom nothing belongs that is there."""
    monkeypatch.setattr(os, "geteuid", lambda: 54_321)
    if os.getuid() == 0:  # what root has made is trusted by all
        original = os.fstat, Path.stat

        def changed(found: os.stat_result) -> os.stat_result:
            return os.stat_result((*found[:4], 12_345, *found[5:10]))

        monkeypatch.setattr(os, "fstat", lambda descriptor: changed(original[0](descriptor)))
        monkeypatch.setattr(Path, "stat", lambda path, **named: changed(original[1](path, **named)))


# --- tokens -----------------------------------------------------------------------------------------------------------


def filled(count: int) -> Sessions:
    sessions = Sessions()
    for number in range(count):
        sessions.add(cast(Session, SimpleNamespace(id=str(number), token=f"{TOKEN}-{number}")))
    return sessions


def test_a_token_is_found_as_quickly_among_ten_thousand() -> None:
    def taken(sessions: Sessions, token: str) -> float:
        best = 1.0
        for _ in range(5):
            started = time.perf_counter()
            for _ in range(200):
                sessions.by_token(token)
            best = min(best, time.perf_counter() - started)
        return best

    few, many = filled(1), filled(10_000)
    assert (many.by_token(f"{TOKEN}-9999") or SimpleNamespace(id="")).id == "9999"
    for token in (f"{TOKEN}-0", "no such token"):
        assert taken(many, token) < 20 * taken(few, token)


def test_what_sessions_are_looked_up_by_is_no_token_and_of_this_process_alone() -> None:
    one, other = filled(3), filled(3)
    assert set(one._by_digest).isdisjoint(other._by_digest)
    assert all(TOKEN.encode() not in digest for digest in one._by_digest)


def test_a_session_that_has_ended_is_found_by_nothing() -> None:
    sessions = filled(2)
    sessions.remove("0")
    assert sessions.by_token(f"{TOKEN}-0") is None
    assert sessions.by_token(f"{TOKEN}-1") is not None
    sessions.add(cast(Session, SimpleNamespace(id="1", token="another-token-of-it-0000")))
    assert sessions.by_token(f"{TOKEN}-1") is None
    assert sessions.by_token("another-token-of-it-0000") is not None


@pytest.mark.parametrize("wrong", ["", "x", "\u00ff", "%00", "..", "a" * 10_000])
def test_who_has_no_token_gets_nothing(live: Live, wrong: str) -> None:
    with FakeUpstream() as up:
        session = live.open_session(overrides={"upstream.anthropic.base-url": up.url})
        token = token_of(session)
        guesses = [wrong, token[:-1], token + "A", token.swapcase(), token[::-1]]
        for guess in guesses:
            assert status(exchange(live.port, request(live, f"/s/{guess}/v1/messages"))) in (400, 404)
            assert status(exchange(live.port, request(live, "/v1/messages", f"x-rlmc-token: {guess}"))) in (400, 404)
        for path in ("/", "/v1/messages", "/v1/models", "/s", "/s/", "/favicon.ico"):
            assert status(exchange(live.port, request(live, path, method="GET"))) == 404
        assert up.exchanges == []


# --- the control channel ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("GET", "/-/health"), ("GET", "/-/status"), ("POST", "/-/sessions"), ("POST", "/-/stop")),
        *(("POST", "/-/reload"), ("POST", "/-/dashboard"), ("POST", "/-/sessions/a/end"), ("GET", "/-/proof")),
        *(("GET", "/-/sessions/a/attach"), ("GET", "/-/nothing"), ("GET", "/metrics"), ("POST", "/-/proof")),
    ],
)
def test_nothing_is_controlled_without_the_control_token(live: Live, method: str, path: str) -> None:
    session = live.open_session()
    for token in ("", "x", token_of(session), live.control_token[:-1], "\u00e9"):
        raw = request(live, path, f"Authorization: Bearer {token}", method=method)
        answer = exchange(live.port, raw)
        assert status(answer) == 401
        assert live.control_token.encode() not in answer
    assert not live.daemon.stop_requested.is_set()


def test_control_takes_json_and_no_form(live: Live) -> None:
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=a", ""):
        connection = http.client.HTTPConnection("127.0.0.1", live.port, timeout=20)
        headers = {"authorization": f"Bearer {live.control_token}", "content-type": content_type}
        connection.request("POST", "/-/stop", b"{}", headers)
        assert connection.getresponse().status == 415
        connection.close()
    assert not live.daemon.stop_requested.is_set()


# --- who takes the port of a daemon that has died ---------------------------------------------------------------------


def test_the_daemon_proves_itself_without_being_told_a_secret(live: Live) -> None:
    def asked(nonce: str) -> bytes:
        return exchange(live.port, request(live, "/-/proof", f"{NONCE_HEADER}: {nonce}", method="GET"))

    said = asked(NONCE)
    assert status(said) == 200
    assert proof(live.control_token, live.port, NONCE).encode() in said
    for malformed in ("", "0" * 31, "0" * 33, "G" * 32, "rlmc metrics"):
        assert status(asked(malformed)) in (400, 401)


def test_a_proof_holds_for_one_word_and_one_port() -> None:
    made = {proof("token", port, nonce) for port in (20_001, 20_002) for nonce in (NONCE, "1" * 32)}
    assert len(made) == 4
    assert proof("another", 20_001, NONCE) not in made


def impostor(listener: socket.socket, heard: list[bytes], words: bytes) -> None:
    """Somebody else's program: it says these words to whoever connects, and keeps what it hears."""
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            heard.append(connection.recv(65_536))
            connection.sendall(words)


@pytest.mark.parametrize("words", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"])
def test_who_takes_the_port_is_told_neither_token_nor_key(words: bytes) -> None:
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        threading.Thread(target=impostor, args=(listener, heard, words), daemon=True).start()
        endpoint = Endpoint(port, 1, "0", "the-instance", "the-control-token")
        session = Registration("a", TOKEN, "claude", keys={"DEEPSEEK_API_KEY": "sk-a-key"})
        write_state(DaemonState(port, 1, "0", "the-control-token", 0.0, "the-instance"))
        assert control.find() is None
        for call in (
            lambda: control.register_session(endpoint, session),
            lambda: control.attach(endpoint, "a"),
            lambda: control.dashboard_link(endpoint),
        ):
            with pytest.raises(DaemonError):
                call()
        listener.shutdown(socket.SHUT_RDWR)
    assert len(heard) == 4
    for secret in (b"the-control-token", b"the-instance", TOKEN.encode(), b"sk-a-key"):
        assert secret not in b"".join(heard)


def test_who_takes_the_port_after_the_proof_is_told_nothing_either() -> None:
    """The daemon proves itself and dies; another listens where it did a moment later."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def dying() -> None:
            connection, _ = listener.accept()
            nonce = connection.recv(4096).decode().partition(f"{NONCE_HEADER}: ")[2].strip()
            body = f'{{"proof": "{proof("the-control-token", port, nonce)}"}}'
            connection.sendall(f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode())
            connection.shutdown(socket.SHUT_WR)
            heard.append(connection.recv(65_536))  # what was on its way to the daemon
            connection.close()
            impostor(listener, heard, b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")

        threading.Thread(target=dying, daemon=True).start()
        with pytest.raises(control.Unreachable):
            control.dashboard_link(Endpoint(port, 1, "0", "the-instance", "the-control-token"))
        assert not within(0.3, lambda: len(heard) > 1)
        listener.shutdown(socket.SHUT_RDWR)


def test_who_takes_the_port_and_says_little_at_a_time_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            connection, _ = listener.accept()
            try:
                while True:
                    connection.sendall(b"H")
                    time.sleep(0.02)
            except OSError:
                connection.close()

        threading.Thread(target=drip, daemon=True).start()
        write_state(DaemonState(listener.getsockname()[1], 1, "0", "token", 0.0, "instance"))
        started = time.monotonic()
        assert control.find(timeout=0.3) is None
        assert time.monotonic() - started < 10


# --- connections ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "piece",
    [
        b"a" * 4096,
        b"x-a: " + b"a" * 4000 + b"\r\n",
        b"GET ",
    ],
    ids=["a line", "lines", "words"],
)
def test_a_head_without_an_end_is_cut_off(live: Live, piece: bytes) -> None:
    with socket.create_connection(("127.0.0.1", live.port), 20) as connection:
        sent = 0
        try:
            connection.sendall(b"GET /v1/messages HTTP/1.1\r\nx: ")
            while sent < 50 * HEAD_BYTES:
                connection.sendall(piece)
                sent += len(piece)
        except OSError:
            pass
        assert sent < 40 * HEAD_BYTES


def test_further_headers_without_an_end_are_cut_off(live: Live) -> None:
    session = live.open_session()
    path, chunked = f"/s/{token_of(session)}/v1/messages", "Transfer-Encoding: chunked"
    raw = request(live, path, chunked, length=False, body=b"0\r\n")
    with socket.create_connection(("127.0.0.1", live.port), 20) as connection:
        sent = 0
        try:
            connection.sendall(raw)
            while sent < 50 * HEAD_BYTES:
                sent += connection.send(b"x-a: " + b"a" * 4000 + b"\r\n")
        except OSError:
            pass
        assert sent < 40 * HEAD_BYTES


def test_a_head_that_does_not_come_is_not_waited_for(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rlmc.daemon.protocol.HEAD_SECONDS", 0.3)
    for begun in (b"", b"GET / HTTP/1.1\r\nHost:"):
        with socket.create_connection(("127.0.0.1", live.port), 20) as connection:
            connection.sendall(begun)
            assert connection.recv(1) == b""
    kept = http.client.HTTPConnection("127.0.0.1", live.port, timeout=20)
    kept.request("GET", "/")
    kept.getresponse().read()
    time.sleep(0.6)
    kept.request("GET", "/")  # a line that is kept between requests is no head that does not come
    assert kept.getresponse().status == 404
    kept.close()


# --- files ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def daemon() -> Iterator[Endpoint]:
    """The real one, started by somebody whose files are open to all."""
    old = os.umask(0)
    try:
        yield ensure_running(PortWish()).endpoint
    finally:
        os.umask(old)
        kill_daemon()


def test_files_are_for_their_owner_from_their_first_moment(daemon: Endpoint) -> None:
    control.register_session(daemon, Registration("session", TOKEN, "claude", keys={"A_KEY": "sk-a-key"}))
    control.end_session(daemon, "session")
    found = [path for folder in (data_dir(), state_dir()) for path in (folder, *folder.rglob("*"))]
    assert {"ledger.db", "daemon.json", "daemon.log", "metrics-token"} <= {path.name for path in found}
    assert [path for path in found if stat.S_IMODE(path.stat().st_mode) & 0o077] == []
    process = Path(f"/proc/{daemon.pid}")
    if process.exists():
        shown = b"".join((process / name).read_bytes() for name in ("cmdline", "environ", "comm"))
        assert not any(secret in shown for secret in (TOKEN.encode(), daemon.control_token.encode(), b"sk-a-key"))
    written = b"".join(path.read_bytes() for path in found if path.is_file() and path != state_file())
    assert not any(secret in written for secret in (TOKEN.encode(), daemon.control_token.encode(), b"sk-a-key"))


def test_nothing_is_kept_in_a_folder_of_another_user(another_user: None) -> None:
    state_dir().mkdir(parents=True, mode=0o700)
    for use in (lambda: own_folder(state_dir()), lambda: write_state(STATE), lambda: start_lock().acquire()):
        with pytest.raises(DaemonError, match="belongs to another user") as refused:
            use()
        assert "RLMC_STATE_DIR" in str(refused.value.hint)
    assert list(state_dir().iterdir()) == []


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o1777])
def test_nothing_is_kept_in_a_folder_others_may_write_to(mode: int, tmp_path: Path) -> None:
    state_dir().mkdir(parents=True)
    state_dir().chmod(mode)
    precious = tmp_path / "precious"
    precious.write_text("of the user's")
    for name in ("start.lock", "daemon.lock", "daemon.log"):
        (state_dir() / name).symlink_to(precious)
    with pytest.raises(DaemonError, match="others may write") as refused:
        ensure_running(PortWish())
    assert f"chmod go-w {state_dir()}" in str(refused.value.hint)
    with pytest.raises(DaemonError):
        serve(0, "info")
    assert precious.read_text() == "of the user's"


def test_a_claim_of_another_user_is_none(another_user: None) -> None:
    state_file().parent.mkdir(parents=True, mode=0o700)
    state_file().write_text("{}")
    assert read_state() is None
    assert control.find() is None


def test_a_claim_is_a_file_and_nothing_else(tmp_path: Path) -> None:
    write_state(STATE)
    assert read_state() == STATE
    elsewhere = state_file().rename(tmp_path / "elsewhere.json")
    state_file().symlink_to(elsewhere)
    assert read_state() is None
    state_file().unlink()
    os.mkfifo(state_file())
    assert read_state() is None


def test_the_folders_are_made_for_their_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    old = os.umask(0)
    try:
        assert FileLock(state_dir() / "a.lock").acquire()
    finally:
        os.umask(old)
    assert stat.S_IMODE(state_dir().stat().st_mode) == 0o700
    assert stat.S_IMODE((state_dir() / "a.lock").stat().st_mode) == 0o600
    assert not config_dir().exists() and not log_file().exists()
