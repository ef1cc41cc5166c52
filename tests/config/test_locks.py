from __future__ import annotations

import errno
import fcntl
from pathlib import Path
from typing import Any

import pytest

from rlmc.config.locks import is_held
from rlmc.daemon.state import FileLock
from rlmc.errors import DaemonError


def test_who_looks_takes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "a.lock"
    assert not is_held(file)
    with FileLock(file) as lock:
        assert lock.acquire()
        assert is_held(file)
        assert is_held(file)
    assert not is_held(file)


def test_a_disk_without_locks_is_an_error_that_says_so_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nobody is taken for a holder, who would be waited for, or even killed."""

    def none(*_: Any) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    (tmp_path / "a.lock").touch()
    monkeypatch.setattr(fcntl, "flock", none)
    assert not is_held(tmp_path / "a.lock")
    with pytest.raises(DaemonError, match="cannot be locked: No locks available") as caught:
        FileLock(tmp_path / "a.lock").acquire(30)
    assert "RLMC_STATE_DIR" in (caught.value.hint or "")


def test_a_holder_on_another_machine_is_no_process_of_this_one(tmp_path: Path) -> None:
    with FileLock(tmp_path / "a.lock") as lock:
        assert lock.acquire()
        (tmp_path / "a.lock").write_text("1 another-machine\n")
        assert lock.held()
        assert lock.holder() is None
