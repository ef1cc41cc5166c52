from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from rlmc.config import paths
from rlmc.launch.files import DiskFiles, on_disk
from rlmc.launch.integration import TempFile


def test_our_files_are_private_and_gone_afterwards() -> None:
    old = os.umask(0)
    try:
        with on_disk(("claude", "--settings", TempFile('{"a": "ä"}'), "-p")) as argv:
            path = Path(argv[2])
            assert argv == ("claude", "--settings", str(path), "-p")
            assert path.read_text(encoding="utf-8") == '{"a": "ä"}'
            assert path.suffix == ".json"
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    finally:
        os.umask(old)
    assert not path.parent.exists()


def test_they_are_gone_also_after_a_failure_or_when_the_child_removed_them() -> None:
    with pytest.raises(RuntimeError), on_disk((TempFile("x"),)) as argv:
        raise RuntimeError
    assert not Path(argv[0]).exists()
    with on_disk((TempFile("x"),)) as argv:
        Path(argv[0]).unlink()


def test_without_any_nothing_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with on_disk(("claude", "-p")) as argv:
        assert argv == ("claude", "-p")
        assert list(tmp_path.iterdir()) == []


def test_reading(tmp_path: Path) -> None:
    files = DiskFiles()
    (tmp_path / "good").write_text("ä", encoding="utf-8")
    (tmp_path / "bad").write_bytes(b"\xff\xfe")
    assert files.read(str(tmp_path / "good")) == "ä"
    assert files.exists(str(tmp_path / "good"))
    for name in ("bad", "missing", ".", "nul\0"):
        assert files.read(str(tmp_path / name)) is None
    assert not files.exists(str(tmp_path / "missing"))
    assert not files.exists("nul\0")


def test_a_pipe_is_left_for_the_agent(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert DiskFiles().read(str(tmp_path / "pipe")) is None


def test_what_a_killed_run_has_left_is_cleared_and_a_living_ones_stays() -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    left, living = (paths.state_dir() / f"run-{pid}-x" for pid in (ended.pid, os.getpid()))
    for folder in (left, living):
        folder.mkdir(parents=True)
        (folder / "0.json").touch()
    with on_disk((TempFile("x"),)) as argv:
        assert Path(argv[0]).is_relative_to(paths.state_dir()), "not where temporary files are cleaned"
        assert not left.exists()
        assert living.exists()
