"""The real daemon with all its parts, from the command line's side: started, shared, killed, replaced, stopped."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.support.command_line import Rlmc, a_user
from tests.support.daemons import eventually, kill_daemon
from tests.support.fake_upstream import FakeUpstream, Reply
from tests.support.ledger_rows import ledger_path, turn_rows
from tests.support.scripts import always_text

from rlmc.config.paths import config_file, log_file, state_file
from rlmc.daemon import control
from rlmc.daemon.state import daemon_lock
from rlmc.quality.controller import LOW

# An agent that asks for one turn for each line it reads, and goes on trying while nobody answers, as real ones do.
AGENT = """
import json, os, sys, time, urllib.error, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
print(os.environ["ANTHROPIC_BASE_URL"], flush=True)
for line in sys.stdin:
    body = {"model": "claude-opus-5-5", "max_tokens": 500, "messages": [{"role": "user", "content": line}]}
    request = urllib.request.Request(
        os.environ["ANTHROPIC_BASE_URL"] + "/v1/messages",
        json.dumps(body).encode(),
        {"content-type": "application/json", "x-api-key": "k", "anthropic-version": "2023-06-01"},
    )
    for _ in range(200):
        try:
            with opener.open(request, timeout=30) as answer:
                print("answered", json.loads(answer.read())["model"], flush=True)
            break
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
"""
SIMULATED = ("--draft-model", "sim/draft", "--verify-model", "sim/verify", "--policy", "draft-only")


@pytest.fixture
def rlmc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rlmc]:
    with a_user(tmp_path, monkeypatch) as user:
        yield user


class Agent:
    """An agent at work under `rlmc run`."""

    def __init__(self, rlmc: Rlmc, *options: str, env: dict[str, str] | None = None) -> None:
        self.process = rlmc.start("run", *options, "--", sys.executable, "-c", AGENT, env=env, stdin=subprocess.PIPE)
        self.base_url = self._line()

    def turn(self) -> str:
        assert self.process.stdin is not None
        self.process.stdin.write("Say hello.\n")
        self.process.stdin.flush()
        return self._line()

    def end(self) -> str:
        """What rlmc says at the end."""
        _, err = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, err
        return err

    def _line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline().strip()
        assert line, self.process.stderr.read() if self.process.stderr else ""
        return line


def configure(text: str) -> None:
    config_file().parent.mkdir(parents=True, exist_ok=True)
    config_file().write_text(text)


def status() -> dict[str, Any]:
    return control.status() or {}


def test_two_runs_at_once_share_one_daemon(rlmc: Rlmc) -> None:
    runs = [rlmc.start("run", "--", sys.executable, "-c", AGENT, stdin=subprocess.PIPE) for _ in range(2)]
    urls = [run.stdout.readline() for run in runs if run.stdout is not None]
    assert len(status()["sessions"]) == 2
    assert len({url.split("/s/")[0] for url in urls}) == 1
    assert log_file().read_text().count("listens on") == 1
    for run in runs:
        run.communicate(timeout=60)
    assert stat.S_IMODE(state_file().stat().st_mode) == 0o600


def test_a_killed_daemon_comes_back_under_a_waiting_agent_with_its_keys(rlmc: Rlmc) -> None:
    with FakeUpstream(always_text("hello")) as vendor:
        configure(f'[upstream.deepseek]\nbase-url = "{vendor.url}"\n')
        options = ("--draft-model", "deepseek/deepseek-flash", "--policy", "draft-only")
        agent = Agent(rlmc, *options, env={"DEEPSEEK_API_KEY": "sk-of-the-draft"})
        assert agent.turn().endswith("deepseek-flash")
        before = control.find()
        eventually(lambda: ledger_path().exists() and turn_rows())
        assert kill_daemon() is not None
        assert agent.turn().endswith("deepseek-flash")
        after = control.find()
        assert before is not None
        assert after is not None
        assert after.port == before.port
        assert after.instance != before.instance
        said = agent.end()
        drafts = [exchange for exchange in vendor.exchanges if exchange.method == "POST"]
        assert len(drafts) == 2
        assert all(any("sk-of-the-draft" in value for _, value in draft.headers) for draft in drafts)
    assert "2 turns" in said  # no finished row was lost
    assert "the daemon went away once and came back" in said


def test_an_audit_whose_daemon_is_killed_stays_a_loss(rlmc: Rlmc) -> None:
    def answer(body: dict[str, Any], _: int) -> Reply:
        return Reply("hello", delay=0.0 if body["model"] == "deepseek-flash" else 60.0)

    with FakeUpstream(answer) as vendor:
        upstreams = (f'[upstream.{name}]\nbase-url = "{vendor.url}"\n' for name in ("deepseek", "anthropic"))
        configure("\n".join(upstreams))
        options = ("--draft-model", "deepseek/deepseek-flash", "--policy", "draft-only")
        audited = {"RLMC_AUDITS": "on", "RLMC_AUDIT_RATE": "100", "DEEPSEEK_API_KEY": "k"}
        agent = Agent(rlmc, *options, env=audited)
        for turns in (1, 2, 3):
            assert agent.turn().endswith("deepseek-flash")
            vendor.wait(lambda turns=turns: len(vendor.exchanges) >= 2 * turns)
        eventually(lambda: len(turn_rows()) == 3)
        assert kill_daemon() is not None
        assert agent.turn().endswith("deepseek-flash")
        agent.end()
    with closing(sqlite3.connect(ledger_path())) as db:
        audits = db.execute("SELECT turn_id, probability, loss FROM audits ORDER BY turn_id").fetchall()
        drawn = db.execute("SELECT id FROM turns WHERE coin IS NOT NULL ORDER BY id").fetchall()
        (care,) = (json.loads(row[0]) for row in db.execute("SELECT care FROM epochs"))
    assert [audit[:2] for audit in audits] == [(turn[0], 1.0) for turn in drawn]
    assert [audit[2] for audit in audits][:3] == [None, None, None], "it has no end, and no later daemon gives it one"
    assert care["turns"] == 4
    assert care["log_price"] > LOW, "and it counts as lost in what the next daemon decides by"


def test_several_waiting_agents_all_come_back(rlmc: Rlmc) -> None:
    agents = [Agent(rlmc, *SIMULATED) for _ in range(3)]
    kill_daemon()
    assert [agent.turn() for agent in agents] == ["answered sim/draft"] * 3
    assert status()["sessions_alive"] == 3
    for agent in agents:
        assert "1 turn " in agent.end()


def test_a_restart_keeps_the_sessions(rlmc: Rlmc) -> None:
    agent = Agent(rlmc, *SIMULATED)
    pid = status()["pid"]
    again = rlmc("restart")
    assert again.returncode == 0, again.stderr
    assert agent.turn() == "answered sim/draft"
    assert status()["pid"] != pid
    agent.end()


def test_stop_is_refused_under_an_agent_and_works_after_it(rlmc: Rlmc) -> None:
    agent = Agent(rlmc, *SIMULATED)
    eventually(lambda: status().get("sessions_alive") == 1)
    refused = rlmc("stop")
    assert refused.returncode == 1
    assert "1 session lives on it" in refused.stderr
    assert "--force" in refused.stderr
    assert agent.turn() == "answered sim/draft"
    agent.end()
    assert rlmc("stop").returncode == 0
    assert not daemon_lock().held()
    assert not state_file().exists()


def test_a_forced_stop_is_not_undone_by_whoever_waits(rlmc: Rlmc) -> None:
    agent = Agent(rlmc, *SIMULATED)
    assert rlmc("stop", "--force").returncode == 0
    err = agent.end()
    assert not daemon_lock().held()
    assert "the account may lack the last turns" in err


def test_start_status_logs_stop(rlmc: Rlmc) -> None:
    down = rlmc("status")
    assert (down.returncode, down.stderr) == (3, "")
    assert "not running" in down.stdout
    assert json.loads(rlmc("status", "--json").stdout)["data"]["running"] is False

    started = rlmc("start")
    assert started.returncode == 0, started.stderr
    assert "started on 127.0.0.1:" in started.stdout
    assert "is running already" in rlmc("start").stdout

    up = rlmc("status")
    assert up.returncode == 0
    assert "who sees" in up.stdout
    answer = json.loads(rlmc("status", "--json").stdout)
    assert answer["schema"] == "rlmc.status/1"
    assert answer["data"]["running"] is True
    assert answer["data"]["pid"] == daemon_lock().holder()

    assert "listens on" in rlmc("logs").stdout
    assert rlmc("logs", "-n", "0").stdout == ""
    assert rlmc("stop").returncode == 0
    assert "no daemon was running" in rlmc("stop").stdout
    assert rlmc("status").returncode == 3


def test_status_believes_no_file_and_no_pid(rlmc: Rlmc) -> None:
    rlmc("start")
    kill_daemon()
    stale = json.loads(state_file().read_text())
    stale["pid"] = os.getpid()
    state_file().write_text(json.dumps(stale))
    ran = rlmc("status")
    assert ran.returncode == 3
    assert "not running" in ran.stdout
    assert rlmc("run", "--", "/bin/sh", "-c", "exit 3").returncode == 3
    assert control.find() is not None


def test_a_daemon_that_is_there_and_does_not_answer_is_called_that(rlmc: Rlmc) -> None:
    lock = daemon_lock()
    assert lock.acquire()
    with lock:
        ran = rlmc("status")
        assert ran.returncode == 3
        assert f"pid {os.getpid()}" in ran.stdout
        assert "does not answer" in ran.stdout
        data = json.loads(rlmc("status", "--json").stdout)["data"]
        assert data == {"running": False, "unresponsive_pid": os.getpid()}


def test_an_orphan_ends_itself(rlmc: Rlmc) -> None:
    configure("idle-timeout = 0.3\n")
    rlmc("start")
    eventually(lambda: not daemon_lock().held())
    assert not state_file().exists()


def test_it_does_not_end_under_an_idle_agent(rlmc: Rlmc) -> None:
    configure("idle-timeout = 0.3\n")
    agent = Agent(rlmc, *SIMULATED)
    line = control.find()
    assert line is not None
    eventually(lambda: status().get("uptime_s", 0) > 1.5)
    assert agent.turn() == "answered sim/draft"
    agent.end()
    eventually(lambda: not daemon_lock().held())


def test_another_version_is_replaced_when_nobody_uses_it(rlmc: Rlmc) -> None:
    rlmc("start")
    old = status()["pid"]
    code = "import rlmc; rlmc.__version__ = '9.9.9'; from rlmc.__main__ import main; main()"
    newer = [sys.executable, "-c", code]
    agent = Agent(rlmc, *SIMULATED)
    busy = subprocess.run([*newer, "start"], env=rlmc.env, capture_output=True, text=True, check=True)
    assert "is of version" in busy.stderr
    assert status()["pid"] == old
    agent.end()
    subprocess.run([*newer, "start"], env=rlmc.env, capture_output=True, text=True, check=True)
    assert status()["pid"] != old


def test_a_taken_port_is_explained(rlmc: Rlmc) -> None:
    with FakeUpstream() as other:
        port = int(other.url.rsplit(":", 1)[1])
        configure(f"port = {port}\n")
        ran = rlmc("start")
    assert ran.returncode == 1
    assert f"port is {port} (file {config_file()}:1)" in ran.stderr
    assert "taken by another program" in ran.stderr
    assert "rlmc config set port" in ran.stderr


def test_a_change_of_configuration_reaches_the_running_daemon(rlmc: Rlmc) -> None:
    rlmc("start")
    assert rlmc("config", "set", "draft-model", "deepseek/deepseek-flash").returncode == 0
    assert status()["draft_model"] == "deepseek/deepseek-flash"
