"""What rlmc keeps is its user's alone: the daemon makes it so, and `rlmc doctor` finds what has become loose."""

from __future__ import annotations

import os
import shlex
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.command_line import Rlmc
from tests.support.daemons import kill_daemon, own_folders
from tests.support.fake_upstream import FakeUpstream

from rlmc.commands.checks.folders import check_folders

ASK = """
import os, json, urllib.request
body = {"model": "claude-opus-5-5", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
headers = {"content-type": "application/json", "x-api-key": "k"}
urllib.request.urlopen(urllib.request.Request(
    os.environ["ANTHROPIC_BASE_URL"] + "/v1/messages", json.dumps(body).encode(), headers)).read()
"""


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rlmc]:
    with own_folders(tmp_path, monkeypatch):
        (tmp_path / "home").mkdir()
        rlmc = Rlmc(tmp_path / "home", ANTHROPIC_API_KEY="k")
        yield rlmc
        rlmc("stop", "--force")
        rlmc.close()
        kill_daemon()


def test_all_that_is_written_is_closed_to_others_whatever_the_umask(user: Rlmc, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with FakeUpstream() as up:
            assert user("config", "set", "upstream.anthropic.base-url", up.url).returncode == 0
            ran = user("run", "--", sys.executable, "-c", ASK)
            assert ran.returncode == 0, ran.stderr
    finally:
        os.umask(before)
    paths = [path for name in ("config", "data", "state") for path in (tmp_path / name, *(tmp_path / name).rglob("*"))]
    assert {"config.toml", "ledger.db", "daemon.json", "daemon.log"} <= {path.name for path in paths}
    for path in paths:
        found = path.lstat()
        assert found.st_uid == os.getuid()
        assert not found.st_mode & 0o077, f"{path} {stat.filemode(found.st_mode)}"
    assert "folders and files are yours alone" in user("doctor").stdout


def test_doctor_finds_each_loose_thing_and_its_fix_mends_it(user: Rlmc, tmp_path: Path) -> None:
    config, data, state = (tmp_path / name for name in ("config", "data", "state"))
    for folder in (config, config / "providers", data, state):
        folder.mkdir(mode=0o700)
    loose = {
        config: 0o755,
        config / "config.toml": 0o644,
        data / "ledger.db-wal": 0o660,
        state / "daemon.json": 0o604,
        state / "daemon.log": 0o640,
        state / "metrics-token": 0o666,
        config / "providers" / "own.toml": 0o646,
    }
    for path, mode in loose.items():
        if not path.is_dir():
            path.write_text("")
        path.chmod(mode)
    (config / "providers" / "own.toml").write_text(
        '[[endpoint]]\nprotocol = "chat"\nurl = "https://h/v1/chat"\nauth = "none"\n'
    )
    said = user("doctor").stdout
    lines = [line.strip() for line in said.splitlines()]
    fixes = [line.removeprefix("fix: ") for line in lines if line.startswith("fix: chmod")]
    for path in loose:
        assert any(str(path) in fix or str(path.parent.parent) in fix for fix in fixes), (path, said)
    for fix in fixes:
        subprocess.run(shlex.split(fix), check=True)
    assert "yours alone" in user("doctor").stdout
    assert all(not path.stat().st_mode & 0o077 for path in loose)


def test_what_others_may_write_to_counts_in_a_closed_folder_too(tmp_path: Path) -> None:
    folder = tmp_path / "config"
    (folder / "providers").mkdir(parents=True, mode=0o700)
    folder.chmod(0o700)
    file = folder / "providers" / "own.toml"
    file.touch()
    file.chmod(0o644)
    assert [one.status for one in check_folders([folder], [])] == ["ok"]
    file.chmod(0o622)
    found = check_folders([folder], [])
    assert [(one.status, one.fix) for one in found] == [("warn", f"chmod -R go-rwx {folder}")]
    assert "providers/own.toml may be changed by other users" in found[0].detail


def test_many_loose_files_are_one_line(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    for number in range(12):
        (folder / f"old-{number}.db").touch()
        (folder / f"old-{number}.db").chmod(0o666)
    [found] = check_folders([folder], [])
    assert "and 11 more" in found.detail


def test_a_link_in_place_of_what_the_daemon_writes_fails(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.touch(mode=0o600)
    for name in ("daemon.json", "daemon.log", "metrics-token", "dangling"):
        (folder / name).symlink_to(elsewhere if name != "dangling" else tmp_path / "nowhere")
        [found] = check_folders([folder], [folder / name])
        assert found.status == "fail" and str(folder / name) in str(found.fix)


def test_a_configuration_may_be_kept_elsewhere_but_not_open(tmp_path: Path) -> None:
    folder = tmp_path / "config"
    folder.mkdir(mode=0o700)
    kept = tmp_path / "dotfiles.toml"
    kept.touch(mode=0o600)
    link = folder / "config.toml"
    link.symlink_to(kept)
    assert [one.status for one in check_folders([folder], [link], may_link={link})] == ["ok"]
    kept.chmod(0o666)
    assert [one.status for one in check_folders([folder], [link], may_link={link})] == ["warn"]


def test_a_pipe_in_place_of_a_file_fails(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    os.mkfifo(folder / "daemon.json", 0o600)
    [found] = check_folders([folder], [folder / "daemon.json"])
    assert (found.status, "is no file" in found.detail) == ("fail", True)


def test_a_folder_above_that_everybody_may_write_to_fails(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    folder = shared / "rlmc"
    folder.mkdir(parents=True, mode=0o700)
    shared.chmod(0o777)
    [found] = check_folders([folder], [])
    assert (found.status, found.fix) == ("fail", f"chmod o-w {shared}")
    shared.chmod(0o1777)  # as /tmp is: others may add, and not replace
    assert [one.status for one in check_folders([folder], [])] == ["ok"]


@pytest.mark.skipif(os.getuid() != 0, reason="only root may give files away")
def test_what_belongs_to_somebody_else_fails(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    file = folder / "ledger.db"
    file.touch(mode=0o600)
    os.chown(file, 12_345, 12_345)
    [found] = check_folders([folder], [file])
    assert (found.status, str(found.fix).startswith("sudo chown 0 ")) == ("fail", True)
    [inside] = check_folders([folder], [])
    assert inside.status == "warn"
