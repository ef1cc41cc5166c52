"""What machines do to a daemon: full disks, folders that cannot be written, locks, damage, clocks, sleep, ends.

Nothing of it keeps an agent from its answers, `rlmc status` says what is wrong, and rows that could not be written are
written once they can be.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.integration.test_daemon import SIMULATED, Agent, configure
from tests.support import tools
from tests.support.command_line import Rlmc, a_user
from tests.support.daemons import eventually
from tests.support.fake_upstream import FakeUpstream, Reply
from tests.support.ledger_rows import ledger_path, turn_rows
from tests.support.live import Live
from tests.support.wire_client import send

from rlmc.config import paths
from rlmc.config.locks import is_held
from rlmc.config.paths import log_file
from rlmc.daemon import control
from rlmc.daemon.state import daemon_lock

linux = pytest.mark.skipif(sys.platform != "linux", reason="mounts and XDG folders are Linux's")


@pytest.fixture
def rlmc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rlmc]:
    with a_user(tmp_path, monkeypatch) as user:
        yield user


class Disk:
    """A small file system of its own, as the home of a user for whom nothing is set."""

    def __init__(self, home: Path, rlmc: Rlmc) -> None:
        self.home = home
        self.rlmc = rlmc
        self.ledger = home / ".local" / "share" / "rlmc" / "ledger.db"

    def fill(self) -> None:
        with suppress(OSError), (self.home / "filler").open("wb", buffering=0) as filler:
            for size in (65536, 512, 1):
                with suppress(OSError):
                    while True:
                        filler.write(bytes(size))

    def empty(self) -> None:
        (self.home / "filler").unlink()

    @contextmanager
    def failing(self) -> Iterator[None]:
        """From one moment to the next nothing can be written, though a daemon has files open there: as after a fault
        of the disk."""
        home = str(self.home)
        subprocess.run(["mount", "--bind", home, home], check=True)
        try:
            subprocess.run(["mount", "-o", "remount,bind,ro", home], check=True)
            yield
        finally:
            subprocess.run(["umount", "-l", home], check=True)

    def remount(self, option: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{option}", str(self.home)], check=True)

    def status(self) -> str:
        return " ".join(self.rlmc("status").stdout.split())

    def turns(self) -> int:
        with closing(sqlite3.connect(f"file:{self.ledger}?mode=ro", uri=True)) as db:
            return int(db.execute("SELECT count(*) FROM turns").fetchone()[0])


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    home, elsewhere = tmp_path / "home", tmp_path / "tmp"
    home.mkdir()
    elsewhere.mkdir()
    for variable in paths.DIR_ENVS:
        monkeypatch.delenv(variable)
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("a file system can be mounted by root alone")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=700", "tmpfs", str(home)], check=False).returncode:
        pytest.skip("no file system can be mounted here")
    rlmc = Rlmc(home, TMPDIR=str(elsewhere))
    try:
        yield Disk(home, rlmc)
    finally:
        rlmc("stop", "--force")
        rlmc.close()
        subprocess.run(["umount", "-l", str(home)], check=True)


# --- disks ------------------------------------------------------------------------------------------------------------


def test_a_disk_that_is_full_for_a_while_costs_no_turn_and_no_row(disk: Disk) -> None:
    agent = Agent(disk.rlmc, *SIMULATED)
    assert agent.turn() == "answered sim/draft"
    eventually(lambda: disk.turns() == 1)
    disk.fill()
    for _ in range(5):
        assert agent.turn() == "answered sim/draft"
    eventually(lambda: "ledger error" in disk.status())
    assert "No space left" in disk.status() or "is full" in disk.status()
    assert disk.turns() == 1
    disk.empty()
    eventually(lambda: disk.turns() == 6)
    assert "ledger error" not in disk.status()
    assert "6 turns" in agent.end()


def test_a_configuration_is_whole_or_as_it_was_where_the_disk_is_full(disk: Disk) -> None:
    assert disk.rlmc("config", "set", "draft-model", "sim/draft").returncode == 0
    [file] = disk.home.rglob("config.toml")
    before = file.read_bytes()
    disk.fill()
    refused = disk.rlmc("config", "set", "policy", "paper")
    assert refused.returncode == 2
    assert "cannot be written" in refused.stderr
    assert file.read_bytes() == before
    assert [one.name for one in file.parent.iterdir() if one.name.startswith(".")] == []
    disk.empty()
    assert disk.rlmc("config", "set", "policy", "paper").returncode == 0


def test_a_run_begins_on_a_full_disk(disk: Disk) -> None:
    disk.fill()
    agent = Agent(disk.rlmc, *SIMULATED)
    assert agent.turn() == "answered sim/draft"
    said = disk.status()
    assert f"is full: the daemon's state and log are in {disk.home.parent / 'tmp' / 'rlmc-0'}" in said
    assert "ledger error" in said
    disk.empty()
    eventually(lambda: "ledger error" not in disk.status())
    assert disk.turns() == 1
    assert "is full" not in agent.end(), "the daemon is found where it was"


def test_a_daemon_that_died_comes_back_on_a_full_disk(disk: Disk) -> None:
    agent = Agent(disk.rlmc, *SIMULATED)
    assert agent.turn() == "answered sim/draft"
    pid = json.loads(disk.rlmc("status", "--json").stdout)["data"]["pid"]
    disk.fill()
    os.kill(pid, signal.SIGKILL)
    assert agent.turn() == "answered sim/draft"
    disk.empty()
    eventually(lambda: disk.turns() == 2)
    assert "the daemon went away once and came back" in agent.end()


def test_a_home_that_cannot_be_written_has_a_ledger_elsewhere(disk: Disk) -> None:
    disk.remount("ro")
    agent = Agent(disk.rlmc, *SIMULATED)
    assert agent.turn() == "answered sim/draft"
    elsewhere = disk.home.parent / "tmp" / "rlmc-0"
    said = disk.status()
    assert f"the ledger is {elsewhere / 'data' / 'ledger.db'}, which may not outlive a restart" in said
    assert f"the daemon's state and log are in {elsewhere}" in said
    end = agent.end()
    assert "1 turn " in end
    assert "may not outlive a restart" in end
    assert "1 turn" in disk.rlmc("stats", "--last").stdout
    assert all(one.stat().st_mode & 0o077 == 0 for one in (elsewhere, elsewhere / "data"))


def test_a_ledger_that_cannot_be_written_is_read_and_its_rows_wait(disk: Disk) -> None:
    first = Agent(disk.rlmc, *SIMULATED)
    assert first.turn() == "answered sim/draft"
    first.end()
    disk.rlmc("stop")
    disk.remount("ro")
    agent = Agent(disk.rlmc, *SIMULATED)
    assert agent.turn() == "answered sim/draft"
    eventually(lambda: "ledger error" in disk.status())
    assert "1 turn" in disk.rlmc("stats", "--all").stdout, "what is there can be read"
    disk.remount("rw")
    eventually(lambda: disk.turns() == 2)
    assert "ledger error" not in disk.status()
    assert "1 turn " in agent.end()


def test_a_daemon_that_died_comes_back_when_its_disk_can_no_longer_be_written(disk: Disk) -> None:
    agent = Agent(disk.rlmc, *SIMULATED)
    assert agent.turn() == "answered sim/draft"
    first = json.loads(disk.rlmc("status", "--json").stdout)["data"]["pid"]
    with disk.failing():
        os.kill(agent.process.pid, signal.SIGSTOP)  # it looks for the daemon when all of that is over
        os.kill(first, signal.SIGKILL)
        eventually(lambda: not is_held(disk.home / ".local" / "state" / "rlmc" / "daemon.lock"))
        os.kill(agent.process.pid, signal.SIGCONT)
        assert agent.turn() == "answered sim/draft"
        assert f"the daemon's state and log are in {disk.home.parent / 'tmp' / 'rlmc-0'}" in disk.status()
    assert "1 alive" in disk.status(), "the claim of the one that died is no reason to overlook the one that lives"
    eventually(lambda: disk.turns() == 2)
    assert "the daemon went away once and came back" in agent.end()


def test_a_daemon_ends_when_told_so_on_a_disk_that_can_no_longer_be_written(disk: Disk) -> None:
    assert disk.rlmc("start").returncode == 0
    with disk.failing():
        began = time.monotonic()
        assert "stopped" in disk.rlmc("stop").stdout
        assert time.monotonic() - began < 10
        assert "not running" in disk.status()


# --- the ledger -------------------------------------------------------------------------------------------------------


def test_a_ledger_held_by_another_program_delays_rows_and_nothing_else(rlmc: Rlmc) -> None:
    first = Agent(rlmc, *SIMULATED)
    first.turn()
    first.end()
    rlmc("stop")
    with closing(sqlite3.connect(ledger_path(), isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        other.execute("SELECT count(*) FROM turns").fetchall()
        began = time.monotonic()
        agent = Agent(rlmc, *SIMULATED)
        assert time.monotonic() - began < 12, "a daemon that starts does not wait for it"
        assert agent.turn() == "answered sim/draft"
        eventually(lambda: "locked" in rlmc("status").stdout)
        refused = rlmc("stats", "--all")
        assert refused.returncode == 1
        assert "held by another program" in refused.stderr
        other.execute("ROLLBACK")
    eventually(lambda: "locked" not in rlmc("status").stdout)
    assert len(turn_rows()) == 2
    agent.end()


@pytest.mark.parametrize("damage", ["cut off", "no header", "zeroes"])
def test_a_damaged_ledger_is_set_aside_and_that_is_said(rlmc: Rlmc, damage: str) -> None:
    first = Agent(rlmc, *SIMULATED)
    first.turn()
    first.end()
    rlmc("stop")
    content = ledger_path().read_bytes()
    match damage:
        case "cut off":
            content = content[: len(content) // 2 + 100]
        case "no header":
            content = b"\0" * 100 + content[100:]
        case _:
            content = bytes(len(content))
    ledger_path().write_bytes(content)
    agent = Agent(rlmc, *SIMULATED)
    assert agent.turn() == "answered sim/draft"
    eventually(lambda: "was kept as" in rlmc("status").stdout)
    agent.end()
    [kept] = ledger_path().parent.glob("ledger.corrupt-*.db")
    assert kept.read_bytes() == content
    assert len(turn_rows()) == 1


def test_rubbish_in_the_write_ahead_log_costs_nothing(rlmc: Rlmc) -> None:
    first = Agent(rlmc, *SIMULATED)
    first.turn()
    first.end()
    rlmc("stop")
    ledger_path().with_name("ledger.db-wal").write_bytes(os.urandom(50_000))
    agent = Agent(rlmc, *SIMULATED)
    assert agent.turn() == "answered sim/draft"
    agent.end()
    assert len(turn_rows()) == 2
    assert "was kept as" not in rlmc("status").stdout


# --- clocks and sleep -------------------------------------------------------------------------------------------------


def test_a_clock_that_jumps_changes_no_answer_and_no_latency(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    real, hour = time.time_ns, 3600 * 10**9
    offset = [0]
    monkeypatch.setattr(time, "time_ns", lambda: real() + offset[0])
    with FakeUpstream(lambda _b, _n: Reply("Hi.")) as up:
        overrides = {"upstream.anthropic.base-url": up.url, "policy": "verify-only", "budget.daily": "100"}
        session = live.open_session(overrides=overrides, keys={"ANTHROPIC_API_KEY": "k"})
        body = tools.request("Say hi.", model="claude-opus-5-5", stream=True)
        jumps = (0, -hour, -24 * hour, 87_600 * hour, 0, -87_600 * hour, 0)
        for jump in jumps:
            offset[0] = jump
            assert send(session.base_url, body, x_claude_code_session_id="s1").status == 200
            assert live.control("GET", "/-/status")[0] == 200
        offset[0] = 0
        session.end()
    rows = turn_rows()
    assert len(rows) == len(jumps)
    assert all(row["latency_ms"] >= 0 and row["ttfb_ms"] >= 0 for row in rows)
    assert {row["outcome"] for row in rows} == {"direct"}
    status = live.control("GET", "/-/status")[1]
    assert status["ledger_error"] is None


_ANSWER = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-opus-5-5",
    "content": [{"type": "text", "text": "Hi."}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 5, "output_tokens": 1},
}


class _Impatient(BaseHTTPRequestHandler):
    """A provider that hangs up on connections that wait."""

    protocol_version = "HTTP/1.1"
    timeout = 0.3

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        body = json.dumps(_ANSWER).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def impatient() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Impatient)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def ask(base_url: str) -> int:
    """One turn without any second try."""
    url = urlsplit(base_url)
    connection = http.client.HTTPConnection("127.0.0.1", url.port or 0, timeout=30)
    body = {"model": "claude-opus-5-5", "max_tokens": 50, "messages": [{"role": "user", "content": "Say hi."}]}
    headers = {"content-type": "application/json", "x-api-key": "k", "anthropic-version": "2023-06-01"}
    try:
        connection.request("POST", f"{url.path}/v1/messages", json.dumps(body), headers)
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


def test_connections_that_died_while_a_machine_slept_fail_no_turn(rlmc: Rlmc) -> None:
    with impatient() as url:
        configure(f'policy = "verify-only"\n[upstream.anthropic]\nbase-url = "{url}"\n')
        agent = Agent(rlmc)
        pid = daemon_lock().holder()
        assert pid is not None
        for _ in range(4):
            assert ask(agent.base_url) == 200
            os.kill(pid, signal.SIGSTOP)
            woken = threading.Timer(1.0, os.kill, (pid, signal.SIGCONT))
            woken.start()
            time.sleep(0.8)  # the provider has hung up, and nobody has noticed
            assert ask(agent.base_url) == 200
            woken.join()
        agent.end()


# --- ends -------------------------------------------------------------------------------------------------------------


def test_the_end_does_not_wait_for_a_body_that_never_comes(rlmc: Rlmc) -> None:
    agent = Agent(rlmc, *SIMULATED)
    url, pid = urlsplit(agent.base_url), daemon_lock().holder()
    assert pid is not None
    with socket.create_connection(("127.0.0.1", url.port or 0)) as half:
        head = f"POST {url.path}/v1/messages HTTP/1.1\r\nhost: 127.0.0.1:{url.port}\r\ncontent-type: application/json"
        half.sendall(f"{head}\r\ncontent-length: 1000000\r\n\r\n".encode() + b"{" * 1000)
        time.sleep(0.3)
        os.kill(pid, signal.SIGTERM)
        eventually(lambda: "received SIGTERM" in log_file().read_text())
        os.kill(pid, signal.SIGTERM)  # who asks twice means it
        eventually(lambda: daemon_lock().holder() != pid, seconds=8)
    assert agent.turn() == "answered sim/draft", "somebody needs it: it comes back"
    agent.end()


@linux
def test_a_folder_that_is_cleaned_under_a_daemon_does_not_hide_it(rlmc: Rlmc) -> None:
    agent = Agent(rlmc, *SIMULATED)
    before = control.find()
    assert before is not None
    shutil.rmtree(paths.state_dir())
    found = eventually(control.find)
    assert found.instance == before.instance
    eventually(lambda: daemon_lock().holder() == before.pid)
    assert agent.turn() == "answered sim/draft"
    assert "came back" not in agent.end()
    rlmc("stop")
    eventually(lambda: not Path(f"/proc/{before.pid}").exists())
