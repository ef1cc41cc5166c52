from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.daemons import eventually, fake, kill_daemon

from rlmc.daemon import control, keeper
from rlmc.daemon.control import Endpoint, Registration
from rlmc.daemon.keeper import Reviver, SessionKeeper
from rlmc.daemon.lifecycle import PortWish, ensure_running, restart, stop
from rlmc.daemon.sockets import listen
from rlmc.daemon.state import DaemonState, daemon_lock, read_state
from rlmc.errors import DaemonError

SESSION = Registration("session-1", "token-of-this-session", "claude", keys={"DEEPSEEK_API_KEY": "a-key"})


def revive(port: int) -> Endpoint:
    return ensure_running(PortWish(port, "the session's port"), version=None, spawner=fake()).endpoint


def kept(reviver: Reviver = revive) -> SessionKeeper:
    daemon = ensure_running(PortWish(), spawner=fake()).endpoint
    control.register_session(daemon, SESSION)
    found = SessionKeeper(daemon, SESSION, reviver)
    found.start()
    return found


def alive() -> bool:
    found = control.find()
    return found is not None and found.sessions_alive > 0


def test_the_session_is_alive_from_start_to_stop() -> None:
    session = kept()
    assert alive()
    session.stop()
    eventually(lambda: not alive())
    assert session.notes == ()


def test_a_daemon_that_dies_comes_back_with_the_session() -> None:
    session = kept()
    first = session.endpoint
    for times in (1, 2):
        kill_daemon()
        eventually(lambda times=times: session.revivals == times)
        assert session.endpoint.port == first.port
        assert session.endpoint.instance != first.instance
        known = (control.status() or {})["known"]["session-1"]
        assert known == SESSION.as_json()
        assert alive()
    session.stop()
    assert session.notes == ("the daemon went away 2 times and came back; the session went on",)


def test_sessions_that_wait_together_come_back_together() -> None:
    daemon = ensure_running(PortWish(), spawner=fake()).endpoint
    sessions = []
    for number in range(3):
        registration = replace(SESSION, id=f"session-{number}")
        control.register_session(daemon, registration)
        sessions.append(SessionKeeper(daemon, registration, revive))
        sessions[-1].start()
    kill_daemon()
    eventually(lambda: all(session.revivals == 1 for session in sessions))
    assert {session.endpoint.pid for session in sessions} == {daemon_lock().holder()}
    assert set((control.status() or {})["known"]) == {"session-0", "session-1", "session-2"}
    for session in sessions:
        session.stop()


def test_a_daemon_that_was_stopped_by_choice_stays_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[DaemonState | None] = []

    def look(path: Path | None = None) -> DaemonState | None:
        looks.append(read_state(path))
        return looks[-1]

    monkeypatch.setattr(keeper, "_LOOK_SECONDS", 0.02)
    monkeypatch.setattr(keeper, "read_state", look)
    session = kept()
    stop(force=True)
    eventually(lambda: len(looks) > 5)
    assert set(looks) == {None}
    assert not daemon_lock().held()
    session.stop()


def test_a_restart_takes_the_session_along(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "_LOOK_SECONDS", 0.02)
    session = kept()
    restart(PortWish(), spawner=fake())
    eventually(lambda: session.revivals == 1)
    assert alive()
    session.stop()


def test_when_it_cannot_come_back_that_is_said_and_the_tries_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "_PAUSES", (0.0, 0.01, 0.01))
    tries: list[int] = []

    def refuse(port: int) -> Endpoint:
        tries.append(port)
        raise DaemonError("no memory left")

    session = kept(refuse)
    kill_daemon()
    eventually(lambda: session.notes)
    assert session.notes == ("the daemon went away and could not be brought back: no memory left",)
    assert tries == [session.endpoint.port] * 3
    session.stop()


def test_a_taken_port_is_tried_again_until_it_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "_PAUSES", (0.0, *([0.05] * 200)))
    taken = threading.Event()
    failures: list[str] = []

    def patient(wanted: int) -> Endpoint:
        taken.wait(20)
        try:
            return revive(wanted)
        except DaemonError as error:
            failures.append(error.message)
            raise

    session = kept(patient)
    port = session.endpoint.port
    kill_daemon()
    with listen(port):
        taken.set()
        eventually(lambda: failures)
    assert "taken by another program" in failures[0]
    eventually(lambda: session.revivals == 1)
    assert session.endpoint.port == port
    session.stop()
