"""`rlmc bench` as its user meets it: the real command, the real daemon, simulated models or an API on a socket."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.command_line import Rlmc
from tests.support.daemons import own_folders
from tests.support.fake_upstream import FakeUpstream, Reply
from tests.support.ledger_rows import turn_rows

from rlmc.bench.tasks import OWN
from rlmc.config.paths import data_dir
from rlmc.daemon import control

SIM = ("--draft-model", "sim/draft", "--verify-model", "sim/verify")
REAL = ("--verify-model", "anthropic/claude-opus-5-5", "--draft-model", "anthropic/claude-haiku-5-5", "--yes")


@pytest.fixture
def rlmc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rlmc]:
    (tmp_path / "home").mkdir()
    with own_folders(tmp_path, monkeypatch):
        user = Rlmc(tmp_path / "home")
        yield user
        user.close()


def real(up: FakeUpstream) -> dict[str, str]:
    return {"RLMC_UPSTREAM_ANTHROPIC_BASE_URL": up.url, "ANTHROPIC_API_KEY": "sk-test"}


def data(ran: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert ran.returncode == 0, ran.stderr
    envelope = json.loads(ran.stdout)
    assert envelope["schema"] == "rlmc.bench/1"
    found: dict[str, Any] = envelope["data"]
    return found


def kept() -> str:
    (file,) = (data_dir() / "bench").iterdir()
    return file.read_text()


def test_a_whole_run_with_simulated_models(rlmc: Rlmc) -> None:
    ran = data(rlmc("bench", *SIM, "--limit", "2", "--json"))
    assert ran["simulated"] is True
    assert [arm["arm"] for arm in ran["arms"]] == ["direct", "draft", "paper", "balanced"]
    outcomes = {arm["arm"]: arm["account"]["outcomes"] for arm in ran["arms"]}
    assert outcomes["direct"]["direct"] == outcomes["balanced"]["direct"] == 8
    assert outcomes["draft"]["skipped"] == 8
    for arm in ran["arms"]:
        assert arm["account"]["turns"] == arm["all"]["total"] == 8
        assert arm["account"]["simulated"] is True
        assert {kind: score["total"] for kind, score in arm["kinds"].items()} == dict.fromkeys(
            ("maths", "instruct", "code", "tools"), 2
        )
    assert {row["policy"] for row in turn_rows()} == {"verify-only", "draft-only", "paper", "balanced"}
    assert (control.status() or {})["sessions"] == []
    # Once more: nothing is asked again, and the same is said.
    again = rlmc("bench", *SIM, "--limit", "2", "--json")
    assert data(again) == ran
    assert "32 results kept" in again.stderr
    assert len(turn_rows()) == 32
    text = rlmc("bench", *SIM, "--limit", "2")
    assert "Simulated models, simulated prices." in text.stdout.replace("\n", " ")
    assert max(map(len, text.stdout.splitlines())) <= 80
    assert not any(task.prompt[:30] in kept() for task in OWN)
    fresh = data(rlmc("bench", *SIM, "--limit", "2", "--fresh", "--arms", "direct", "--json"))
    assert len(turn_rows()) == 40
    assert fresh["arms"][0]["session"] != ran["arms"][0]["session"]


def test_models_behind_an_api_with_one_that_is_busy_at_first(rlmc: Rlmc) -> None:
    def script(body: dict[str, Any], n: int) -> Reply:
        if n == 0:
            return Reply(status=429, error="rate_limit_error", headers=(("retry-after", "0"),))
        return Reply("Answer: 46" if "opus" in body["model"] else "Answer: 17")

    with FakeUpstream(script) as up:
        ran = rlmc("bench", *REAL, "--kinds", "maths", "--limit", "2", "--arms", "draft,direct", "--json", env=real(up))
        direct, draft = data(ran)["arms"]
        assert {exchange.header("x-api-key") for exchange in up.messages} == {"sk-test"}
        assert len(up.messages) == 5
    assert (direct["arm"], draft["arm"]) == ("direct", "draft")
    assert direct["all"]["passed"] == draft["all"]["passed"] == 1
    assert draft["paired_with_direct"] == {"tasks": 2, "only_direct": 1, "only_arm": 1, "mcnemar_p": 1.0}
    assert draft["account"]["outcomes"]["skipped"] == 2
    assert "at most about $" in ran.stderr
    assert "sk-test" not in ran.stderr + ran.stdout + kept()


def test_a_drafted_call_of_a_tool_that_does_not_exist_is_no_danger(rlmc: Rlmc) -> None:
    """What is measured is the draft: the gate would refuse every unknown tool."""
    called = Reply(calls=(("weather_forecast", {"town": "Oslo", "days": 3}),))
    with FakeUpstream(lambda _b, _n: called) as up:
        ran = rlmc("bench", *REAL, "--kinds", "tools", "--limit", "1", "--arms", "draft", "--json", env=real(up))
        (arm,) = data(ran)["arms"]
        assert [exchange.json["model"] for exchange in up.messages] == ["claude-haiku-5-5"]
    assert arm["all"]["passed"] == arm["account"]["outcomes"]["skipped"] == 1
    assert arm["paired_with_direct"] is None


def test_a_run_that_was_broken_off_goes_on(rlmc: Rlmc) -> None:
    command = ("bench", *REAL, "--kinds", "maths", "--limit", "5", "--arms", "direct", "--parallel", "1", "--json")
    slow = [True]

    def script(_body: dict[str, Any], n: int) -> Reply:
        return Reply("Answer: 46", delay=30 if slow[0] and n == 3 else 0)

    with FakeUpstream(script) as up:
        process = rlmc.start(*command, env=real(up))
        up.wait(lambda: len(up.messages) == 4, 30)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out) == (130, "")
        assert "goes on with the rest" in err
        assert len(kept().splitlines()) == 1 + 3
        slow[0] = False
        again = rlmc(*command, env=real(up))
        (arm,) = data(again)["arms"]
        assert len(up.messages) == 4 + 2
    assert "3 results kept" in again.stderr
    assert arm["all"]["total"] == 5
    # One session in the ledger, with the turn that was hung up on.
    assert {row["session_id"] for row in turn_rows()} == {arm["session"]}
    assert arm["account"]["turns"] == 6


def test_a_key_that_is_refused_ends_it(rlmc: Rlmc) -> None:
    with FakeUpstream(lambda _b, _n: Reply(status=401, error="authentication_error")) as up:
        ran = rlmc("bench", *REAL, "--arms", "direct", env=real(up))
    assert ran.returncode == 1
    assert "status 401: authentication_error" in ran.stderr
    assert "hint: see whether the key is valid" in ran.stderr
    assert (control.status() or {})["sessions"] == []


def test_tasks_of_a_file(rlmc: Rlmc) -> None:
    file = rlmc.home / "mine.jsonl"
    file.write_text(json.dumps({"question": "1 + 1?", "answer": "#### 2"}) + "\n")
    ran = data(rlmc("bench", *SIM, "--tasks", "mine.jsonl", "--arms", "direct", "--json"))
    assert ran["tasks"] == 1
    both = data(
        rlmc("bench", *SIM, "--tasks", str(file), "--tasks", "own", "--kinds", "maths", "--arms", "direct", "--json")
    )
    assert both["tasks"] == 1 + sum(task.kind == "maths" for task in OWN)


@pytest.mark.parametrize(
    ("arguments", "said", "way_out"),
    [
        ([], "verify-model is as-requested", "--verify-model anthropic/"),
        ([*SIM, "--arms", "direct,fast"], "--arms direct,fast: there is no fast", "any of direct, draft"),
        ([*SIM, "--kinds", "poems"], "--kinds poems: there is no poems", "any of maths"),
        ([*SIM, "--kinds", ","], "--kinds ,: there is no name in it", "any of maths"),
        ([*SIM, "--tasks", "absent"], "--tasks absent: No such file", "name a file"),
        (["--verify-model", "sim/verify", "--draft-model", "none"], "there is no draft model", "--arms direct"),
        (["--verify-model", "sim/draft", "--draft-model", "sim/draft"], "both sim/draft", "another --draft-model"),
        (["--verify-model", "anthropic/claude-opus-5-5"], "ANTHROPIC_API_KEY is not set", "set ANTHROPIC_API_KEY"),
        (["--verify-model", "nobody/x"], "nobody", "Known"),
    ],
)
def test_what_makes_no_sense_is_said_before_anything_is_done(
    rlmc: Rlmc, arguments: list[str], said: str, way_out: str
) -> None:
    ran = rlmc("bench", *arguments)
    assert ran.returncode == 2
    assert said in ran.stderr
    assert way_out in ran.stderr
    assert control.find() is None


def test_what_costs_money_is_not_done_unasked(rlmc: Rlmc) -> None:
    with FakeUpstream() as up:
        for more in ((), ("--json",)):
            ran = rlmc("bench", *REAL[:-1], "--limit", "1", *more, env=real(up))
            assert ran.returncode == 2
            assert "16 requests, up to 40 model calls; at most about $" in ran.stderr
            assert "add --yes" in ran.stderr
        assert up.messages == []


@pytest.mark.parametrize(("model", "asks"), [("ollama/qwen:4b", False), ("ollama/big:cloud", True)])
def test_a_model_on_this_machine_costs_nothing_but_one_behind_it_may(rlmc: Rlmc, model: str, asks: bool) -> None:
    with FakeUpstream() as up:
        env = {"RLMC_UPSTREAM_OLLAMA_BASE_URL": up.url}
        ran = rlmc("bench", "--verify-model", model, "--arms", "direct", "--limit", "1", env=env)
        assert (ran.returncode == 2) is ("add --yes" in ran.stderr) is (up.messages == []) is asks


def test_an_unknown_price_is_not_called_a_bound(rlmc: Rlmc) -> None:
    env = {"RLMC_UPSTREAM_MINE_BASE_URL": "http://127.0.0.1:9"}
    ran = rlmc("bench", "--verify-model", "mine/x", "--arms", "direct", env=env)
    assert "a price is not known" in ran.stderr
    assert "$" not in ran.stderr
