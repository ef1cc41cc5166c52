"""Whole sessions by the command line: the real daemon as a process, a real child, fakes as both upstreams."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.fake_upstream import FakeUpstream
from tests.support.ledger_rows import ledger_path, turn_rows
from tests.support.mixed_session import PRICES, script

ROOT = Path(__file__).parents[2]
RLMC = [sys.executable, "-m", "rlmc"]


def agent(first: int, last: int) -> list[str]:
    return [sys.executable, "-m", "tests.support.mixed_session", str(first), str(last)]


def rlmc(*args: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    ran = subprocess.run([*RLMC, *args], capture_output=True, text=True, timeout=90, cwd=ROOT, stdin=subprocess.DEVNULL)
    assert not check or ran.returncode == 0, ran.stderr
    return ran


def configure(up: FakeUpstream, more: str = "") -> None:
    file = Path(os.environ["RLMC_CONFIG_DIR"]) / "config.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f'{more}[upstream.anthropic]\nbase-url = "{up.url}"\n')


def until(what: str, seen: Callable[[], Any], seconds: float = 20) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := seen()):
        assert time.monotonic() < deadline, f"{what} did not happen"
        time.sleep(0.02)
    return found


@pytest.fixture(autouse=True)
def _a_clean_end(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-test-0000")
    monkeypatch.delenv("ANTHROPIC_BASE_URL", raising=False)
    yield
    rlmc("stop", "--force", check=False)


def daemon_pid() -> int:
    return int(json.loads((Path(os.environ["RLMC_STATE_DIR"]) / "daemon.json").read_text())["pid"])


def _sessions_alive() -> int:
    status = rlmc("status", "--json", check=False)
    return int(json.loads(status.stdout)["data"]["sessions_alive"]) if status.returncode == 0 else 0


def test_stats_equal_the_providers_bill() -> None:
    with FakeUpstream(script, prices=PRICES) as up:
        configure(up)
        ran = rlmc("run", "--", *agent(0, 40))
        stats = json.loads(rlmc("stats", "--today", "--json").stdout)
        billed = up.billed
    assert stats["schema"] == "rlmc.stats/1"
    assert "40 turns" in ran.stderr
    rows = turn_rows()
    assert {r["outcome"] for r in rows} == {"skipped", "accepted", "enhanced", "direct"}
    text = json.dumps(stats)
    assert str(billed) in text, f"{billed} picodollars were billed; the statement: {text}"


def test_the_draft_upstream_dies_in_the_middle_and_the_agent_sees_nothing() -> None:
    with FakeUpstream(script, prices=PRICES) as up:
        with FakeUpstream(script, prices=PRICES) as draft:
            configure(up, f'draft-model = "local/haiku"\n[upstream.local]\nbase-url = "{draft.url}"\n')
            child = subprocess.Popen(
                [*RLMC, "run", "--", *agent(0, 30)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
            )
            until("a first draft", lambda: len(draft.messages) >= 3)
        out, err = child.communicate(timeout=90)
    assert child.returncode == 0, err
    assert len(out.splitlines()) == 30, "every turn was answered"
    reasons = [r["reason"] for r in turn_rows()]
    assert reasons.count("draft-failed") >= 3


def test_a_killed_daemon_loses_no_finished_row_and_the_next_run_works() -> None:
    with FakeUpstream(script, prices=PRICES) as up:
        configure(up)
        rlmc("start")
        rlmc("run", "--", *agent(0, 5))
        os.kill(daemon_pid(), signal.SIGKILL)
        assert len(turn_rows()) == 5
        ran = rlmc("run", "--", *agent(5, 8))
    assert "3 turns" in ran.stderr
    assert len(turn_rows()) == 8


def test_the_daemon_is_killed_between_two_turns_of_a_session(tmp_path: Path) -> None:
    """The waiting run starts it again on the same port with the same address, and the agent goes on."""
    gate = tmp_path / "go"
    program = (
        "import pathlib, time\nfrom tests.support.mixed_session import main\nmain(0, 4)\n"
        f"gate = pathlib.Path({str(gate)!r})\nprint('waiting', flush=True)\n"
        "while not gate.exists(): time.sleep(0.02)\nmain(4, 8)\n"
    )
    with FakeUpstream(script, prices=PRICES) as up:
        configure(up)
        child = subprocess.Popen(
            [*RLMC, "run", "--", sys.executable, "-c", program],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        assert child.stdout is not None
        while child.stdout.readline().strip() != "waiting":
            assert child.poll() is None
        until("four rows", lambda: len(turn_rows()) == 4)
        before = daemon_pid()
        os.kill(before, signal.SIGKILL)
        until("another daemon", lambda: daemon_pid() != before)
        until("the session is back", lambda: _sessions_alive() == 1)
        gate.touch()
        _, err = child.communicate(timeout=60)
    assert child.returncode == 0, err
    assert len(turn_rows()) == 8, err
    assert "8 turns" in err


def test_a_change_takes_effect_in_the_running_daemon() -> None:
    with FakeUpstream(script, prices=PRICES) as up:
        configure(up)
        rlmc("start")
        assert json.loads(rlmc("status", "--json").stdout)["data"]["draft_model"] == "anthropic/claude-haiku-5-5"
        rlmc("config", "set", "draft-model", "deepseek/deepseek-flash")
        assert json.loads(rlmc("status", "--json").stdout)["data"]["draft_model"] == "deepseek/deepseek-flash"
        wrong = rlmc("config", "set", "draft-modle", "x", check=False)
    assert wrong.returncode == 2
    assert "draft-model" in wrong.stderr


def test_a_child_that_asks_nothing_gets_a_summary_that_says_so() -> None:
    ran = rlmc("run", "--", "true")
    assert "no request" in ran.stderr
    assert not ledger_path().exists() or turn_rows() == []


def test_a_passed_budget_is_said() -> None:
    with FakeUpstream(script, prices=PRICES) as up:
        configure(up, "[budget]\ndaily = 0.01\n")
        ran = rlmc("run", "--budget", "0.01", "--", *agent(0, 8))
        quiet = rlmc("run", "--budget", "50", "--", *agent(0, 1))
    assert "over budget: this session" in ran.stderr
    assert "budget.session is $0.01" in ran.stderr
    assert "budget.daily is $0.01" in ran.stderr
    assert "this session" not in quiet.stderr


STOPPED = """
import os, subprocess, sys, time
from tests.support.mixed_session import conversation
from tests.support.wire_client import send

def ask(turn):
    got = send(os.environ["ANTHROPIC_BASE_URL"], conversation(turn), x_claude_code_session_id="s1")
    print(got.status, got.json["error"]["message"] if got.status != 200 else "", flush=True)
    return got.status

deadline = time.monotonic() + 30
while ask(0) == 200 and time.monotonic() < deadline:  # a daemon that has just begun has no prices yet
    time.sleep(0.2)
ask(1)
set = [sys.executable, "-m", "rlmc", "config", "set", *sys.argv[1:]]
subprocess.run(set, check=True, capture_output=True)
ask(2)
"""


@pytest.mark.parametrize(
    ("flags", "source", "way_out"),
    [
        ([], "config.toml", ["budget.session", "10"]),
        (["--budget", "0.02"], "--budget or RLMC_BUDGET_SESSION", ["budget.action", "warn"]),
    ],
)
def test_a_stopped_run_goes_on_by_the_way_out_it_names(flags: list[str], source: str, way_out: list[str]) -> None:
    with FakeUpstream(script, prices=PRICES) as up:
        configure(up, '[budget]\nsession = 0.02\naction = "stop"\n')
        ran = rlmc("run", *flags, "--", sys.executable, "-c", STOPPED, *way_out)
    statuses = [line.partition(" ")[0] for line in ran.stdout.splitlines()]
    assert statuses[0] == "200"
    assert statuses[-3:] == ["402", "402", "200"], ran.stdout
    assert f"budget.session is $0.02 ({source}), so nothing was sent. To go on: rlmc config set " in ran.stdout
    assert f"config set {way_out[0]}" in ran.stdout
    assert "2 turns were not sent anywhere" in ran.stderr
    assert ("over budget: this session has cost" in ran.stderr) is (source != "config.toml")
    assert turn_rows()[-1]["reason"] != "budget"
