from __future__ import annotations

import os
import socket
import stat
import sys
from pathlib import Path

import pytest
from tests.support.daemons import eventually, fake

from rlmc.config.paths import log_file, state_dir, state_file
from rlmc.daemon import control
from rlmc.daemon.sockets import listen
from rlmc.daemon.spawn import PortUnavailable, Spawner, daemon_environment
from rlmc.daemon.state import DaemonState, daemon_lock, read_state, write_state
from rlmc.errors import DaemonError


def test_it_returns_a_daemon_that_answers() -> None:
    endpoint = fake().spawn(0)
    assert control.find() == endpoint
    state = read_state()
    assert state is not None
    assert (state.port, state.pid) == (endpoint.port, endpoint.pid)
    assert daemon_lock().holder() == endpoint.pid


def test_all_its_files_are_private() -> None:
    old = os.umask(0)
    try:
        fake().spawn(0)
    finally:
        os.umask(old)
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in state_dir().iterdir()}
    assert modes == dict.fromkeys(("daemon.json", "daemon.lock", "daemon.log", "metrics-token"), 0o600)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks into /proc")
def test_it_shares_nothing_with_its_starter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPSEEK_API_KEY", "the-secret-key")
    monkeypatch.setenv("RLMC_POLICY", "paper")
    with socket.socket() as ours:
        ours.set_inheritable(True)
        pid = fake().spawn(0).pid
        process = Path(f"/proc/{pid}")
        assert os.getsid(pid) == pid
        assert (process / "cwd").readlink() == Path("/")
        environment = (process / "environ").read_bytes()
        assert b"the-secret-key" not in environment
        assert b"RLMC_POLICY" not in environment
        targets = {(process / "fd" / n).readlink() for n in os.listdir(process / "fd")}  # noqa: PTH208
        assert Path(f"socket:[{os.fstat(ours.fileno()).st_ino}]") not in targets
        for number in ("1", "2"):
            assert (process / "fd" / number).readlink() == log_file()


def test_an_old_claim_is_not_mistaken_for_the_new_daemon() -> None:
    write_state(DaemonState(1, 1, "0.0.1", "old-token", 0.0, "old-instance"))
    endpoint = fake().spawn(0)
    assert endpoint.instance != "old-instance"


def test_a_taken_port() -> None:
    with listen(0) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortUnavailable, match=f"port {port} is taken"):
            fake().spawn(port)
    assert f"cannot listen on 127.0.0.1:{port}" in log_file().read_text()
    assert not state_file().exists()


def test_a_daemon_that_fails_is_reported_with_its_last_words() -> None:
    with pytest.raises(DaemonError, match="ended at once") as failed:
        fake("--fail").spawn(0)
    assert "this daemon is made to fail" in (failed.value.hint or "")
    assert str(log_file()) in (failed.value.hint or "")


def test_a_program_that_never_serves_is_given_up_and_ended() -> None:
    spawner = Spawner(command=(sys.executable, "-c", "import time; print('waiting', flush=True); time.sleep(60)"))
    with pytest.raises(DaemonError, match="in time"):
        Spawner(command=spawner.command, seconds=0.5).spawn(0)


def test_a_second_daemon_in_the_same_folder_ends_at_once() -> None:
    first = fake().spawn(0)
    with pytest.raises(DaemonError, match=r"exit code 4"):
        fake().spawn(0)
    assert control.find() == first


def test_a_program_that_is_not_there() -> None:
    with pytest.raises(DaemonError, match="cannot be started"):
        Spawner(command=("/nonexistent/python",)).spawn(0)


def test_its_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RLMC_STATE_DIR", "relative")
    given = {
        "HOME": "/home/u",
        "LC_ALL": "C",
        "XDG_DATA_HOME": "/x",
        "PYTHONPATH": "lib:/abs",
        "RLMC_STATE_DIR": "relative",
        "RLMC_POLICY": "paper",
        "ANTHROPIC_API_KEY": "k",
        "HTTPS_PROXY": "http://p",
        "SSH_AUTH_SOCK": "/s",
    }
    made = daemon_environment(given)
    assert made["RLMC_STATE_DIR"] == str(tmp_path / "relative")
    assert made["HOME"] == "/home/u"
    assert made["LC_ALL"] == "C"
    assert made["XDG_DATA_HOME"] == "/x"
    assert {str(tmp_path / "lib"), "/abs"} <= set(made["PYTHONPATH"].split(":"))
    assert set(made) == {"HOME", "LC_ALL", "XDG_DATA_HOME", "PYTHONPATH", "RLMC_STATE_DIR"}


def test_what_remains_of_it_is_collected() -> None:
    endpoint = fake("--idle-timeout", "0.1").spawn(0)
    eventually(lambda: not _exists(endpoint.pid))


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
