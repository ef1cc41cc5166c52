from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from tests.support.daemons import eventually
from tests.support.live import Live

from rlmc.server import control
from rlmc.server.bound import Bound, bound_to


def sleeper() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])


def test_a_process_is_bound_to_for_as_long_as_it_runs() -> None:
    process = sleeper()
    bound = bound_to(process.pid)
    assert bound.alive()
    process.kill()
    # Not waited for yet: what is left of it does nothing any more.
    if sys.platform == "linux":
        eventually(lambda: not bound.alive())
    process.wait()
    assert not bound.alive()


def test_somebody_elses_process_can_be_seen() -> None:
    assert bound_to(1).alive()


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_another_process_with_the_same_number_is_not_it() -> None:
    mine = bound_to(os.getpid())
    assert mine.began is not None
    assert not Bound(mine.pid, str(int(mine.began) - 1)).alive()


def test_a_session_ends_with_the_process_it_is_bound_to(live: Live) -> None:
    process = sleeper()
    wanted = {"id": "1" * 16, "token": "t" * 32, "client": "terminal", "bound_pid": process.pid}
    try:
        assert live.control("POST", "/-/sessions", wanted)[0] == 200
        assert live.daemon.busy(), "a terminal with a session is a reason to stay"
        assert live.control("GET", "/-/status")[1]["sessions"][0]["alive"]
    finally:
        process.kill()
        process.wait()
    assert not live.daemon.busy()
    started = time.monotonic()
    eventually(lambda: live.control("GET", "/-/status")[1]["sessions"] == [])
    assert time.monotonic() - started < control._LOOK_AT_TERMINALS_SECONDS + 4


@pytest.mark.parametrize("pid", ["1", 0, -1, 1.5, [1]])
def test_what_is_no_process_is_refused(live: Live, pid: object) -> None:
    wanted = {"id": "1" * 16, "token": "t" * 32, "client": "terminal", "bound_pid": pid}
    status, answer = live.control("POST", "/-/sessions", wanted)
    assert status == 400
    assert "bound_pid" in answer["error"]
