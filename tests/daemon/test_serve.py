from __future__ import annotations

import http.client
import os
import signal

from tests.support.daemons import eventually, fake, kill_daemon

from rlmc.config.paths import log_file, state_file
from rlmc.daemon import control
from rlmc.daemon.state import daemon_lock, read_state


def gone() -> bool:
    return not daemon_lock().held()


def stream_from(port: int) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", "/s/a-token/stream")
    response = connection.getresponse()
    assert response.read(5) == b"first"
    return connection, response


def test_it_ends_itself_when_idle_and_takes_its_claim_back() -> None:
    fake("--idle-timeout", "0.3").spawn(0)
    eventually(gone)
    assert not state_file().exists()
    assert "idle for" in log_file().read_text()


def test_it_does_not_end_while_a_session_lives() -> None:
    daemon = fake("--idle-timeout", "0.1").spawn(0)
    session = control.Registration("s1", "a-token-of-a-session", "claude")
    control.register_session(daemon, session)
    with control.attach(daemon, "s1") as line:
        assert not line.wait_closed(timeout=0.6)
        assert control.find() is not None
    eventually(gone)


def test_zero_means_that_it_never_ends_itself() -> None:
    daemon = fake("--idle-timeout", "0").spawn(0)
    session = control.Registration("s1", "a-token-of-a-session", "claude")
    control.register_session(daemon, session)
    with control.attach(daemon, "s1") as line:
        assert not line.wait_closed(timeout=0.3)
    assert control.find() is not None


def test_a_stop_lets_open_streams_end() -> None:
    daemon = fake("--last-words-after", "0.3").spawn(0)
    connection, response = stream_from(daemon.port)
    control.request_stop(daemon)
    assert response.read() == b" last"
    connection.close()
    eventually(gone)
    assert not state_file().exists()
    assert "books closed" in log_file().read_text()


def test_a_stop_takes_the_claim_back_before_anybody_learns_of_the_end() -> None:
    """Or a waiting `rlmc run` would take a daemon that was stopped for one that died, and start it again."""
    daemon = fake().spawn(0)
    control.register_session(daemon, control.Registration("s1", "a-token-of-a-session", "claude"))
    with control.attach(daemon, "s1") as line:
        control.request_stop(daemon)
        assert line.wait_closed(timeout=20)
        assert read_state() is None


def test_sigterm_ends_it_in_order() -> None:
    daemon = fake().spawn(0)
    os.kill(daemon.pid, signal.SIGTERM)
    eventually(gone)
    assert not state_file().exists()
    assert "received SIGTERM" in log_file().read_text()
    assert "books closed" in log_file().read_text()


def test_sigterm_while_it_is_needed_drains_but_leaves_the_claim() -> None:
    daemon = fake().spawn(0)
    connection, response = stream_from(daemon.port)
    os.kill(daemon.pid, signal.SIGTERM)
    assert response.read() == b" last"
    connection.close()
    eventually(gone)
    state = read_state()
    assert state is not None
    assert state.instance == daemon.instance


def test_a_second_sigterm_does_not_wait() -> None:
    daemon = fake("--last-words-after", "60").spawn(0)
    connection, _ = stream_from(daemon.port)
    os.kill(daemon.pid, signal.SIGTERM)
    eventually(lambda: "received SIGTERM" in log_file().read_text())
    os.kill(daemon.pid, signal.SIGTERM)
    eventually(gone, seconds=8)
    connection.close()


def test_a_hangup_of_some_terminal_is_nothing_to_it() -> None:
    daemon = fake().spawn(0)
    os.kill(daemon.pid, signal.SIGHUP)
    assert control.find() == daemon


def test_a_killed_one_leaves_its_claim() -> None:
    daemon = fake().spawn(0)
    assert kill_daemon() == daemon.pid
    assert read_state() is not None


def test_neither_server_nor_date_are_told() -> None:
    daemon = fake().spawn(0)
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=20)
    connection.request("GET", "/-/health")
    response = connection.getresponse()
    response.read()
    assert not {name.lower() for name, _ in response.getheaders()} & {"server", "date"}
    connection.close()


def test_no_token_is_in_its_log() -> None:
    daemon = fake("--log-level", "debug").spawn(0)
    connection, response = stream_from(daemon.port)
    control.request_stop(daemon)
    response.read()
    connection.close()
    eventually(gone)
    written = log_file().read_text()
    assert "a-token" not in written
    assert daemon.control_token not in written
