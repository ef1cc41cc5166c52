from __future__ import annotations

import os
from pathlib import Path

import pytest

from rlmc.commands.checks.folders import check_folders


def test_private_and_missing_are_fine(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir(mode=0o700)
    file = tmp_path / "a" / "ledger.db"
    file.touch(mode=0o600)
    checks = check_folders([tmp_path / "a", tmp_path / "missing"], [file, tmp_path / "missing" / "x"])
    assert [one.status for one in checks] == ["ok"]


def test_loose_permissions_warn_with_the_command_that_mends_them(tmp_path: Path) -> None:
    folder = tmp_path / "my folder"
    folder.mkdir()
    folder.chmod(0o755)
    file = folder / "daemon.json"
    file.touch()
    file.chmod(0o604)
    checks = check_folders([folder, folder], [file])
    assert [(one.status, one.fix) for one in checks] == [
        ("warn", f"chmod 700 '{folder}'"),
        ("warn", f"chmod 600 '{file}'"),
    ]
    assert "0604" in checks[1].detail


def test_a_folder_of_somebody_else_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "a"
    folder.mkdir(mode=0o700)
    other = os.getuid() + 1
    monkeypatch.setattr(os, "getuid", lambda: other)
    checks = check_folders([folder], [])
    assert [one.status for one in checks] == ["fail"]
    assert "another user" in checks[0].detail


def test_a_file_in_place_of_a_folder_fails(tmp_path: Path) -> None:
    (tmp_path / "a").touch(mode=0o600)
    checks = check_folders([tmp_path / "a"], [tmp_path / "a" / "config.toml"])
    assert [one.status for one in checks] == ["fail", "fail"]


@pytest.mark.skipif(os.getuid() == 0, reason="nothing is closed to root")
def test_a_folder_that_cannot_be_written_fails(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    folder.mkdir(mode=0o500)
    assert [one.status for one in check_folders([folder], [])] == ["fail"]
