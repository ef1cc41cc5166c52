from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from rlmc.config import paths


def test_environment_overrides_each_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in paths.DIR_ENVS:
        monkeypatch.setenv(variable, str(tmp_path / variable))
    assert paths.config_file() == tmp_path / "RLMC_CONFIG_DIR" / "config.toml"
    assert paths.ledger_file() == tmp_path / "RLMC_DATA_DIR" / "ledger.db"
    assert paths.log_file() == tmp_path / "RLMC_STATE_DIR" / "daemon.log"
    assert paths.state_file() == tmp_path / "RLMC_STATE_DIR" / "daemon.json"


def test_a_relative_override_becomes_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RLMC_DATA_DIR", "here")
    assert paths.data_dir() == Path.cwd() / "here"


@pytest.mark.skipif(sys.platform == "darwin", reason="XDG folders are Linux's")
def test_platform_folders_without_overrides(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in paths.DIR_ENVS:
        monkeypatch.setenv(variable, "")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "c"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "d"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "s"))
    assert paths.config_dir() == tmp_path / "c" / "rlmc"
    assert paths.data_dir() == tmp_path / "d" / "rlmc"
    assert paths.state_dir() == tmp_path / "s" / "rlmc"


def test_new_folders_are_private_and_old_ones_are_left_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        made = paths.ensure_dir(tmp_path / "a" / "rlmc")
        (tmp_path / "open").mkdir(mode=0o755)
        kept = paths.ensure_dir(tmp_path / "open")
    finally:
        os.umask(before)
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    assert stat.S_IMODE(kept.stat().st_mode) == 0o755
