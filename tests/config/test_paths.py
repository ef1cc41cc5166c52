from __future__ import annotations

import fcntl
import os
import pwd
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


# --- folders that cannot be used --------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user without anything set; nothing of this machine's own makeshift folders is met."""
    for variable in paths.DIR_ENVS:
        monkeypatch.delenv(variable)
    for variable, folder in (("XDG_DATA_HOME", "data"), ("XDG_STATE_HOME", "state"), ("XDG_RUNTIME_DIR", "run")):
        monkeypatch.setenv(variable, str(tmp_path / folder))
        (tmp_path / folder).mkdir()
    return tmp_path


@pytest.fixture
def closed(home: Path, monkeypatch: pytest.MonkeyPatch) -> set[Path]:
    """Folders nobody may write to: what a mode says does not hold for root."""
    shut: set[Path] = set()
    monkeypatch.setattr(paths, "writable", lambda folder: not any(folder.is_relative_to(one) for one in shut))
    return shut


linux = pytest.mark.skipif(sys.platform == "darwin", reason="XDG folders are Linux's")


@linux
def test_a_makeshift_folder_takes_the_place_of_one_that_cannot_be_written(home: Path, closed: set[Path]) -> None:
    assert (paths.displaced_ledger(), paths.displaced_state()) == (None, None)
    closed.update((home / "state", home / "data"))
    assert paths.state_dir() == home / "run" / "rlmc"
    assert paths.data_dir() == home / "run" / "rlmc" / "data"
    ledger, state = paths.displaced_ledger() or "", paths.displaced_state() or ""
    assert f"{home / 'data' / 'rlmc'} cannot be written" in ledger
    assert "may not outlive a restart" in ledger
    assert f"{home / 'state' / 'rlmc'} cannot be written" in state


@linux
def test_a_ledger_that_is_there_is_never_left_for_another(home: Path, closed: set[Path]) -> None:
    (home / "data" / "rlmc").mkdir()
    (home / "data" / "rlmc" / "ledger.db").touch()
    closed.add(home / "data")
    assert paths.data_dir() == home / "data" / "rlmc"


@linux
def test_the_state_stays_where_a_daemon_has_claimed_it(
    home: Path, closed: set[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    full: set[Path] = {home / "state"}
    monkeypatch.setattr(paths, "has_room", lambda folder: not any(folder.is_relative_to(one) for one in full))
    assert paths.state_dir() == home / "run" / "rlmc"
    paths.ensure_dir(home / "run" / "rlmc")
    (home / "run" / "rlmc" / "daemon.json").touch()
    full.clear()
    assert paths.state_dir() == home / "run" / "rlmc", "there is room again, and the daemon is where it was"
    (home / "state" / "rlmc").mkdir()
    (home / "state" / "rlmc" / "daemon.json").touch()
    full.add(home / "state")
    assert paths.state_dir() == home / "state" / "rlmc", "it is full, and the daemon lives there"
    closed.add(home / "state")
    assert paths.state_dir() == home / "run" / "rlmc", "who died there cannot come back there"
    (home / "state" / "rlmc" / "daemon.lock").touch()
    with (home / "state" / "rlmc" / "daemon.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert paths.state_dir() == home / "state" / "rlmc", "who lives is found, whatever became of the disk"


@linux
def test_a_daemon_that_lives_is_found_beside_the_claim_of_one_that_died(home: Path) -> None:
    for folder in (home / "state" / "rlmc", home / "run" / "rlmc"):
        folder.mkdir(mode=0o700)
        (folder / "daemon.json").touch()
        (folder / "daemon.lock").touch()
    assert paths.state_dir() == home / "state" / "rlmc"
    with (home / "run" / "rlmc" / "daemon.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert paths.state_dir() == home / "run" / "rlmc"


@linux
@pytest.mark.parametrize("variable", [None, "", "relative"])
def test_a_user_without_a_home_has_folders_nevertheless(monkeypatch: pytest.MonkeyPatch, variable: str | None) -> None:
    """As in a container, for a number that no user has."""
    for name in list(os.environ):
        if name.startswith("XDG_") or name == "HOME" or name in paths.DIR_ENVS:
            monkeypatch.delenv(name)
    if variable is not None:
        monkeypatch.setenv("HOME", variable)
    monkeypatch.setattr(pwd, "getpwuid", {}.__getitem__)
    monkeypatch.setattr(paths, "writable", lambda folder: not folder.is_relative_to("/.local"))
    assert paths.config_file() == Path("/.config/rlmc/config.toml")
    assert paths.state_dir().name == f"rlmc-{os.geteuid()}"
    assert paths.ledger_file() == paths.state_dir() / "data" / "ledger.db"
    assert paths.home() == Path("/")


@linux
@pytest.mark.parametrize("planted", ["link", "open", "file", "another's"])
def test_what_somebody_else_may_have_put_there_is_passed_over(
    home: Path, closed: set[Path], monkeypatch: pytest.MonkeyPatch, planted: str
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "")
    monkeypatch.setenv("TMPDIR", str(home))
    closed.add(home / "state")
    expected = home / f"rlmc-{os.geteuid()}"
    assert paths.state_dir() == expected
    match planted:
        case "link":
            (home / "elsewhere").mkdir(mode=0o700)
            expected.symlink_to(home / "elsewhere")
        case "open":
            expected.mkdir(mode=0o755)
        case "another's":
            if os.geteuid() != 0:
                pytest.skip("a file is given away by root alone")
            expected.mkdir(mode=0o700)
            os.chown(expected, 12345, 12345)
        case _:
            expected.touch()
    assert paths.state_dir() != expected


@linux
def test_a_folder_that_is_named_is_used_or_an_error(
    home: Path, closed: set[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RLMC_STATE_DIR", str(home / "named"))
    monkeypatch.setenv("RLMC_DATA_DIR", str(home / "named"))
    closed.add(home)
    assert (paths.state_dir(), paths.data_dir()) == (home / "named", home / "named")


@linux
def test_state_is_not_kept_where_another_machine_may_keep_its_own(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who holds a lock, and whose process a number is, would be another machine's."""
    monkeypatch.setattr(paths, "network_disk", lambda folder: "nfs4" if folder.is_relative_to(home / "state") else None)
    (home / "state" / "rlmc").mkdir()
    (home / "state" / "rlmc" / "daemon.json").touch()
    assert paths.state_dir() == home / "run" / "rlmc"
    assert "network disk (nfs4)" in (paths.displaced_state() or "")
