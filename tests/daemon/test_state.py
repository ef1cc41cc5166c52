from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.daemons import eventually

from rlmc.config.paths import metrics_token_file, state_file
from rlmc.daemon.state import (
    DaemonState,
    FileLock,
    read_state,
    remove_metrics_token,
    remove_state,
    write_metrics_token,
    write_state,
)

STATE = DaemonState(
    port=23456, pid=42, version="0.1.0", control_token="secret-token", started_at=1.5, instance="instance-word"
)


def test_what_is_written_is_read() -> None:
    write_state(STATE)
    assert read_state() == STATE


def test_no_file_is_no_claim() -> None:
    assert read_state() is None


def test_only_its_owner_may_read_it() -> None:
    old = os.umask(0)
    try:
        write_state(STATE)
    finally:
        os.umask(old)
    assert stat.S_IMODE(state_file().stat().st_mode) == 0o600
    assert stat.S_IMODE(state_file().parent.stat().st_mode) == 0o700


def test_writing_leaves_nothing_beside_it_and_replaces_what_was_open_to_others() -> None:
    state_file().parent.mkdir(parents=True)
    state_file().write_text("{}")
    state_file().chmod(0o644)
    write_state(STATE)
    assert stat.S_IMODE(state_file().stat().st_mode) == 0o600
    assert [p.name for p in state_file().parent.iterdir()] == [state_file().name]


def test_its_secrets_do_not_show_when_it_is_printed() -> None:
    assert "secret-token" not in repr(STATE)
    assert "instance-word" not in repr(STATE)


def test_only_ones_own_metrics_token_is_taken_back_and_a_damaged_one_is_no_error() -> None:
    write_metrics_token("mine")
    remove_metrics_token("of another")
    assert metrics_token_file().read_text() == "mine"
    remove_metrics_token("mine")
    assert not metrics_token_file().exists()
    metrics_token_file().write_bytes(b"caf\xc3\xa9")
    remove_metrics_token("mine")
    assert metrics_token_file().exists()


@given(st.one_of(st.binary(max_size=40), st.text(max_size=40).map(str.encode)))
def test_a_damaged_file_is_no_claim(content: bytes) -> None:
    file = state_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    assert read_state() is None


@pytest.mark.parametrize("missing", ["port", "pid", "version", "control_token", "started_at", "instance"])
def test_half_a_claim_is_none(missing: str) -> None:
    write_state(STATE)
    raw = json.loads(state_file().read_text())
    del raw[missing]
    state_file().write_text(json.dumps(raw))
    assert read_state() is None


def test_only_ones_own_claim_is_taken_back() -> None:
    write_state(STATE)
    remove_state("another instance")
    assert read_state() == STATE
    remove_state(STATE.instance)
    assert read_state() is None
    remove_state(STATE.instance)


def test_a_lock_has_one_holder_and_names_it(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "a.lock"
    lock, other = FileLock(path), FileLock(path)
    assert lock.holder() is None
    with lock:
        assert lock.acquire()
        assert not other.acquire(timeout=0.1)
        assert other.held()
        assert other.holder() == os.getpid()
    assert not other.held()
    assert other.acquire()
    other.release()


def test_a_lock_ends_with_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    code = (
        "import sys, time; from pathlib import Path; from rlmc.daemon.state import FileLock;"
        "FileLock.acquire(lock := FileLock(Path(sys.argv[1]))); print('held', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        lock = FileLock(path)
        assert lock.holder() == process.pid
        process.kill()
    eventually(lambda: not lock.held())
    # The dead holder's pid still stands in the file, and counts for nothing.
    assert path.read_text() == f"{process.pid} {os.uname().nodename}\n"
    assert lock.holder() is None


def test_a_lock_is_not_inherited(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "a.lock")
    assert lock.acquire()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, close_fds=False) as process:
        lock.release()
        assert FileLock(lock.path).acquire(timeout=1)
        process.kill()
