from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest
from tests.support.daemons import eventually, fake, kill_daemon

from rlmc.config.paths import log_file, state_file
from rlmc.daemon import control
from rlmc.daemon.lifecycle import PortWish, Running, ensure_running, restart, stop
from rlmc.daemon.sockets import listen
from rlmc.daemon.spawn import Spawner
from rlmc.daemon.state import DaemonState, FileLock, daemon_lock, read_state, write_state
from rlmc.errors import DaemonError

ANY = PortWish()


def free_port() -> int:
    with listen(0) as listener:
        port: int = listener.getsockname()[1]
    return port


def test_the_first_call_starts_it_and_the_next_finds_it() -> None:
    first = ensure_running(ANY, spawner=fake())
    second = ensure_running(ANY, spawner=fake())
    assert (first.started, second.started) == (True, False)
    assert first.endpoint == second.endpoint


def test_starters_at_the_same_time_start_one() -> None:
    found: list[Running] = []
    threads = [threading.Thread(target=lambda: found.append(ensure_running(ANY, spawner=fake()))) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 5
    assert {running.endpoint.pid for running in found} == {daemon_lock().holder()}
    assert sum(running.started for running in found) == 1
    assert log_file().read_text().count("listens on") == 1


def test_processes_at_the_same_time_start_one() -> None:
    code = (
        "import sys; from tests.support.daemons import fake; from rlmc.daemon.lifecycle import *;"
        "print(ensure_running(PortWish(), spawner=fake()).endpoint.pid)"
    )
    starters = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [starter.communicate(timeout=60)[0] for starter in starters]
    assert set(said) == {f"{daemon_lock().holder()}\n"}


def test_a_stale_claim_is_replaced_and_its_port_kept() -> None:
    """Agents may still hold the dead daemon's port in their base URL."""
    old = ensure_running(ANY, spawner=fake()).endpoint
    kill_daemon()
    new = ensure_running(ANY, spawner=fake())
    assert new.started
    assert new.endpoint.port == old.port
    assert new.endpoint.instance != old.instance


def test_a_stale_claim_whose_port_is_taken_does_not_matter() -> None:
    with listen(0) as other:
        port = other.getsockname()[1]
        write_state(DaemonState(port, os.getpid(), "0.1.0", "token", time.time(), "instance"))
        running = ensure_running(ANY, spawner=fake())
    assert running.endpoint.port != port


def test_a_port_that_is_set_is_used() -> None:
    port = free_port()
    assert ensure_running(PortWish(port, "file"), spawner=fake()).endpoint.port == port


def test_a_set_port_that_is_taken_is_an_error_that_says_how_to_change_it() -> None:
    with listen(0) as other:
        port = other.getsockname()[1]
        with pytest.raises(DaemonError) as failed:
            ensure_running(PortWish(port, "env RLMC_PORT"), spawner=fake())
    assert f"port is {port} (env RLMC_PORT)" in failed.value.message
    assert "taken by another program" in failed.value.message
    assert "rlmc config set port" in (failed.value.hint or "")


def test_another_version_is_replaced_when_nobody_uses_it() -> None:
    old = ensure_running(ANY, spawner=fake("--version", "0.0.1"), version="0.0.1").endpoint
    new = ensure_running(ANY, spawner=fake())
    assert new.started
    assert new.endpoint.pid != old.pid
    assert new.endpoint.port == old.port


def test_another_version_stays_while_a_session_lives_and_that_is_said() -> None:
    old = ensure_running(ANY, spawner=fake("--version", "0.0.1", "--sessions", "2"), version="0.0.1").endpoint
    kept = ensure_running(ANY, spawner=fake())
    assert kept.endpoint.pid == old.pid
    assert not kept.started
    assert "0.0.1" in kept.notes[0]
    assert "2 sessions live on it" in kept.notes[0]
    assert "rlmc restart" in kept.notes[0]


def test_any_version_will_do_for_a_session_that_comes_back() -> None:
    old = ensure_running(ANY, spawner=fake("--version", "0.0.1"), version="0.0.1").endpoint
    assert ensure_running(ANY, spawner=fake(), version=None).endpoint == old


def test_another_port_is_taken_up_when_nobody_uses_the_old_one() -> None:
    ensure_running(ANY, spawner=fake())
    port = free_port()
    assert ensure_running(PortWish(port, "file"), spawner=fake()).endpoint.port == port


def test_stop_ends_it_and_leaves_no_claim() -> None:
    pid = ensure_running(ANY, spawner=fake()).endpoint.pid
    stopped = stop()
    assert stopped is not None
    assert stopped.pid == pid
    assert not daemon_lock().held()
    assert not state_file().exists()
    assert "books closed" in log_file().read_text()


def test_stop_without_a_daemon_clears_the_claim_of_a_dead_one() -> None:
    ensure_running(ANY, spawner=fake())
    kill_daemon()
    assert read_state() is not None
    assert stop() is None
    assert not state_file().exists()


def test_stop_is_refused_under_a_living_session_unless_forced() -> None:
    ensure_running(ANY, spawner=fake("--sessions", "1"))
    with pytest.raises(DaemonError, match="1 session lives on it") as refused:
        stop()
    assert "--force" in (refused.value.hint or "")
    assert control.find() is not None
    assert stop(force=True) is not None
    assert control.find() is None


def test_a_daemon_that_does_not_listen_is_ended_by_a_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rlmc.daemon.lifecycle.DRAIN_SECONDS", 0.2)
    ensure_running(ANY, spawner=fake("--deaf"))
    assert stop() is not None
    assert not daemon_lock().held()
    assert "received SIGTERM" in log_file().read_text()


def test_a_daemon_that_hangs_is_killed_and_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rlmc.daemon.lifecycle.DRAIN_SECONDS", 0.2)
    monkeypatch.setattr("rlmc.daemon.lifecycle._KILL_SECONDS", 0.2)
    monkeypatch.setattr("rlmc.daemon.control.find.__defaults__", (None, 0.2))
    old = ensure_running(ANY, spawner=fake()).endpoint
    os.kill(old.pid, signal.SIGSTOP)
    monkeypatch.setattr("rlmc.daemon.lifecycle._KILL_SECONDS", 5.0)
    new = ensure_running(ANY, spawner=fake())
    assert new.started
    assert new.endpoint.port == old.port


def test_nobody_is_signalled_because_of_a_number_in_a_file() -> None:
    """A pid from a stale claim or a released lock may be anybody's by now."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as bystander:
        write_state(DaemonState(1, bystander.pid, "0.1.0", "token", time.time(), "instance"))
        daemon_lock().path.write_text(str(bystander.pid))
        assert stop() is None
        ensure_running(ANY, spawner=fake())
        assert bystander.poll() is None
        bystander.communicate(b"\n")


def test_restart_keeps_the_port_of_living_sessions() -> None:
    old = ensure_running(ANY, spawner=fake("--sessions", "1")).endpoint
    again = restart(PortWish(free_port(), "file"), spawner=fake())
    assert again.endpoint.port == old.port
    assert again.endpoint.pid != old.pid
    assert "1 session lives on it" in again.notes[0]


def test_restart_takes_up_a_new_port_when_nobody_uses_the_old_one() -> None:
    ensure_running(ANY, spawner=fake())
    port = free_port()
    again = restart(PortWish(port, "file"), spawner=fake())
    assert again.endpoint.port == port
    assert again.notes == ()


def test_restart_starts_one_where_none_is_running() -> None:
    assert restart(ANY, spawner=fake()).started


def test_a_daemon_on_its_way_out_is_waited_for() -> None:
    """Its listener is closed already, its last stream is not: the next one starts when it is gone."""
    import http.client

    old = ensure_running(ANY, spawner=fake("--last-words-after", "0.5")).endpoint
    connection = http.client.HTTPConnection("127.0.0.1", old.port, timeout=20)
    connection.request("GET", "/s/any/stream")
    response = connection.getresponse()
    assert response.read(5) == b"first"
    control.request_stop(old)
    eventually(lambda: control.find() is None)
    new = ensure_running(ANY, spawner=fake())
    assert new.endpoint.pid != old.pid
    assert response.read() == b" last"
    connection.close()


def test_a_starter_that_hangs_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rlmc.daemon.lifecycle._STARTERS_SECONDS", 0.1)
    with FileLock(daemon_lock().path.with_name("start.lock")) as lock:
        assert lock.acquire()
        with pytest.raises(DaemonError, match=f"pid {os.getpid()}"):
            ensure_running(ANY, spawner=fake())


def test_why_it_does_not_start_is_said() -> None:
    with pytest.raises(DaemonError, match="ended at once") as failed:
        ensure_running(ANY, spawner=replace(Spawner(), command=fake("--fail").command))
    assert "made to fail" in (failed.value.hint or "")
