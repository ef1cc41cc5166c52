"""`rlmc quality` from the outside: what is certified and what is not, in words that claim no more, and the way out of a
stop."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from tests.support import cli, tools
from tests.support.audited import EPOCH, Audited
from tests.support.cli import Ran
from tests.support.fake_upstream import FakeUpstream, Reply
from tests.support.live import Live
from tests.support.mixed_session import PRICES
from tests.support.prices import MINUTE, START
from tests.support.wire_client import send

from rlmc.commands import explain, quality, stats
from rlmc.config.paths import config_file, ledger_file
from rlmc.daemon import control
from rlmc.daemon.control import Endpoint
from rlmc.daemon.state import daemon_lock
from rlmc.errors import DaemonError, UsageError
from rlmc.quality.care import Care

RICH = replace(EPOCH, id="rich", least=0.5)
READ = tools.request(
    {"role": "user", "content": "Look at the project."},
    tools.use("t1", "Read", file_path="a.py"),
    tools.result("t1", "print(1)\n" * 300),
    model="claude-opus-5-5",
    tools=tools.ALL,
    stream=True,
)


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def show(*args: str) -> Ran:
    ran = cli.run(quality.register, "quality", *args)
    assert ran.code == 0, ran.err
    return ran


def text(*args: str) -> str:
    """In one line: where it is wrapped is not what matters."""
    return " ".join(show(*args).out.split())


def data(*args: str) -> dict[str, Any]:
    found = json.loads(show(*args, "--json").out)
    assert found["schema"] == "rlmc.quality/1"
    return dict(found["data"])


def certified(**changes: Any) -> Audited:
    epoch = Audited(ledger_file(), replace(RICH, **changes))
    for _ in range(600):
        epoch.served()
        epoch.audited(caught=True)
    return epoch


def stopped_care() -> dict[str, Any]:
    care = Care.begin(0.02)
    for _ in range(3):
        care.ended("edit", 0.04, 1.0, judged=True)
    return care.record()


def kept(epoch: str = "e1") -> dict[str, Any]:
    with closing(sqlite3.connect(ledger_file())) as db:
        return dict(json.loads(db.execute("SELECT care FROM epochs WHERE id = ?", (epoch,)).fetchone()[0]))


# --- what is said ---------------------------------------------------------------------------------------------------


def test_without_anything_it_says_how_to_begin() -> None:
    assert "Nothing was audited yet" in text()
    assert "rlmc run" in text()
    assert data()["epochs"] == []


def test_before_it_is_certified_it_says_so_with_every_count() -> None:
    epoch = Audited(ledger_file())
    epoch.direct(10)
    epoch.served(80)
    epoch.audited(0.0, 9, caught=True)
    epoch.audited(0.25)
    epoch.close()
    shown = text()
    assert "NOT CERTIFIED YET: at most" in shown
    assert "(95 %), target 2 %" in shown
    assert "100, of which a draft answered 90 (90 %)" in shown
    assert "10: 1 worse (0 material, 1 minor), 9 no worse; together a loss of 0.25" in shown
    assert "found 9 of 9 planted faults, so at least" in shown
    assert "more audits without a loss would" in shown
    assert "CERTIFIED (first" not in shown
    (found,) = data()["epochs"]
    assert (found["certified"], found["certified_at"], found["target"]) == (False, None, 0.02)
    assert found["audits_to_go"] > 50
    assert found["bound"]["of_all_turns"] > 0.02


def test_nothing_is_certified_by_a_judge_that_was_never_tried_or_finds_nothing() -> None:
    epoch = Audited(ledger_file(), RICH)
    epoch.audited(0.0, 100)
    epoch.close()
    assert "not tried on a planted fault yet" in text()
    assert "more audits without a loss would meet the target" in text()
    epoch = Audited(ledger_file(), RICH, at=START + 500 * MINUTE)
    epoch.audited(0.0, 3, caught=False)
    epoch.close()
    assert "found none of 3 planted faults" in text()
    assert "NOT CERTIFIED YET: at most 100 % of all turns worse" in text()


def test_once_it_is_certified_it_says_when_it_first_was_and_afterwards_that_it_was() -> None:
    epoch = certified()
    epoch.close()
    shown = text()
    assert "CERTIFIED (first on 2026-11-2" in shown
    assert "NOT CERTIFIED" not in shown
    (found,) = data()["epochs"]
    assert found["certified"]
    assert found["bound"]["of_all_turns"] <= 0.02
    worse = Audited(ledger_file(), RICH, at=epoch.last + MINUTE)
    worse.audited(1.0, 60, bucket="edit")
    worse.close()
    assert "NOT CERTIFIED ANY MORE: it was on 2026-11-2" in text()
    assert "at this rate of losses the target will not be met" in text()
    (after,) = data()["epochs"]
    assert after["certified_at"] == found["certified_at"]


def test_it_is_held_against_the_settings_of_this_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    certified(policy="careful").close()
    assert data()["epochs"][0]["target"] == 0.01
    monkeypatch.setenv("RLMC_MAX_REGRESSION", "0.2")
    monkeypatch.setenv("RLMC_CONFIDENCE", "99")
    (found,) = data()["epochs"]
    assert (found["target"], found["bound"]["confidence"], found["certified"]) == (0.001, 0.99, False)
    assert "(99 %), target 0.1 %" in text()


def test_a_broken_configuration_does_not_hide_the_ledger() -> None:
    certified().close()
    config_file().parent.mkdir(parents=True, exist_ok=True)
    config_file().write_text("max-regression = [")
    assert data()["epochs"][0]["target"] == 0.02


def test_audits_without_a_verdict_are_no_worse_ones_and_count_as_losses() -> None:
    epoch = Audited(ledger_file())
    epoch.audited(0.0, 3)
    epoch.audited(1.0, how="failed")
    epoch.audited(None, at=START + 100 * MINUTE)
    epoch.audited(None, at=time.time_ns() // 1000)
    epoch.close()
    shown = text()
    assert "6: 0 worse (0 material, 0 minor), 3 no worse, 1 under way, 1 without a verdict, 1 lost" in shown
    assert "together a loss of 3, of which 3 for those without a verdict" in shown


def test_turns_that_could_not_be_audited_are_counted_and_nothing_is_claimed_of_them() -> None:
    epoch = Audited(ledger_file())
    epoch.served()
    epoch.unaudited(4)
    epoch.close()
    assert "4 turns of 1 session" in text()
    assert "no bound holds for them" in text()
    assert data()["unaudited"]["turns"] == 4


def test_every_kind_of_draft_has_its_counts_its_risk_and_its_calibration() -> None:
    care = Care.begin(0.02)
    for _ in range(40):
        care.ended("edit", 0.04, 1.0, judged=False)
        care.learn("edit", 0.25)
    epoch = Audited(ledger_file())
    epoch.audited(0.0, 4)
    worst = epoch.audited(1.0, bucket="edit")
    epoch.care(care.record())
    epoch.close()
    with closing(sqlite3.connect(ledger_file())) as db, db:
        db.execute("INSERT INTO calibrations VALUES (?, ?, 'text', 1, 59, 0, 1)", (EPOCH.draft, EPOCH.verify))
        db.execute("INSERT INTO calibrations VALUES (?, ?, 'edit', 1, 30, 7.5, 0)", (EPOCH.draft, EPOCH.verify))
        db.execute("INSERT INTO calibrations VALUES ('other/model', ?, 'read', 1, 30, 7.5, 0)", (EPOCH.verify,))
    (found,) = data()["epochs"]
    kinds = {kind["kind"]: kind for kind in found["kinds"]}
    assert list(kinds) == ["read", "text", "edit"]
    assert (kinds["read"]["audits"], kinds["read"]["calibration"]) == (4, None)
    assert (kinds["text"]["audits"], kinds["text"]["calibration"]["opened"]) == (0, True)
    assert kinds["edit"]["risk"] == care.risks["edit"] > 0.05
    shown = text()
    assert "open: loss 0 in 59" in shown
    assert "shut: loss 7.5 in 30" in shown
    assert [loss["turn"] for loss in found["last_losses"]] == [worst]
    assert worst in shown


def test_what_the_controller_does_is_said() -> None:
    care = Care.begin(0.02)
    for _ in range(4):
        care.turn(10**10)
        care.served(drawn=0.04)
    for _ in range(100):
        care.served(drawn=None)
    epoch = Audited(ledger_file())
    epoch.served()
    epoch.care(care.record())
    epoch.close()
    assert care.closed
    shown = text()
    assert "one regression is held for" in shown
    assert "no draft is served until that price has sunk" in shown
    ruled = Audited(ledger_file(), replace(EPOCH, id="ruled", policy="paper"), at=START + 500 * MINUTE)
    ruled.served()
    ruled.close()
    assert "audits only watch the policy paper" in text()


def test_other_epochs_are_a_line_each_or_in_full() -> None:
    for at, id in enumerate(("first", "second", "third")):
        epoch = Audited(ledger_file(), replace(EPOCH, id=id), session_id=id, at=START + at * 500 * MINUTE)
        epoch.served(5)
        epoch.audited(0.0)
        epoch.close()
    shown = show().out
    assert shown.count("drafts  ") == 1
    other = shown.partition("Other epochs")[2].splitlines()
    assert sum("claude-haiku-5-5" in line for line in other) == 2
    assert "not yet" in shown
    assert show("--all").out.count("drafts  ") == 3
    assert [epoch["id"] for epoch in data()["epochs"]] == ["third", "second", "first"]


def test_simulated_ones_are_left_out_and_labelled() -> None:
    demo = Audited(ledger_file(), replace(EPOCH, id="demo", simulated=True), session_id="demo")
    demo.served()
    demo.close()
    assert "this says nothing of real ones" in text()
    real = Audited(ledger_file())
    real.served()
    real.close()
    assert [epoch["id"] for epoch in data()["epochs"]] == ["e1"]
    assert "--simulated shows them" in text()
    assert [epoch["id"] for epoch in data("--simulated")["epochs"]] == ["demo"]


def test_a_line_of_every_other_surface_says_the_same() -> None:
    certified().close()
    line = json.loads(cli.run(stats.register, "stats", "--all", "--json").out)["data"]["quality"]
    assert line["standing"]["certified"]
    assert line["line"].startswith("at most ")
    assert line["line"].endswith("of turns worse (95 %, 600 audits, 0 worse)")
    assert line["line"] in " ".join(cli.run(stats.register, "stats", "--all").out.split())


def test_a_real_session_is_audited_and_every_surface_says_so(live: Live) -> None:
    def answer(body: dict[str, Any], _number: int) -> Reply:
        judged = "You compare two candidates" in json.dumps(body.get("system", ""))
        return Reply("EQUAL") if judged else Reply(calls=(("Read", {"file_path": "b.py"}),))

    overrides = {
        "policy": "draft-only",
        "draft-model": "anthropic/claude-haiku-5-5",
        "audits": "on",
        "audit-rate": "100",
    }
    with FakeUpstream(answer, prices=PRICES) as up:
        overrides["upstream.anthropic.base-url"] = up.url
        opened = live.open_session(overrides=overrides, keys={"ANTHROPIC_API_KEY": "k"})
        assert send(opened.base_url, READ).status == 200
        live.settle()
        opened.end()
    (found,) = data()["epochs"]
    assert (found["turns"], found["drafted_turns"], found["audit_rate"]) == (1, 1, 1.0)
    assert (found["audits"]["ended"], found["audits"]["loss"]) == (1, 0.0)
    line = json.loads(cli.run(stats.register, "stats", "--last", "--json").out)["data"]
    assert line["quality"]["line"].startswith("not certified yet (1 audit, 0 worse; bound ")
    assert line["total"]["audit"]["calls"] >= 1
    told = json.loads(cli.run(explain.register, "explain", "--json").out)["data"]["turn"]
    assert told["controller"]["epoch"] == found["id"]
    assert (told["controller"]["probability"], told["controller"]["obeys"]) == (1.0, False)
    assert (told["audit"]["drawn"], told["audit"]["how"], told["audit"]["loss"]) == (True, "same", 0.0)
    assert "both answers come to the same, loss 0" in cli.run(explain.register, "explain").out


# --- a stop ---------------------------------------------------------------------------------------------------------


def test_a_stop_is_said_and_resumed_in_the_ledger_where_no_daemon_runs() -> None:
    epoch = Audited(ledger_file())
    epoch.audited(1.0, 3, bucket="edit")
    epoch.care(stopped_care())
    epoch.close()
    assert "STOPPED" in text()
    assert "STOPPED" in cli.run(stats.register, "stats", "--all").out
    before = kept()
    resumed = " ".join(show("--resume").out.split())
    assert resumed == (
        "Drafts of anthropic/claude-haiku-5-5 for anthropic/claude-opus-5-5 (policy balanced) may answer again."
    )
    assert kept() == {**before, "stopped": False, "in_a_row": 0}
    assert "STOPPED" not in text()
    assert "No drafts are stopped." in text("--resume")
    assert json.loads(show("--resume", "--json").out) == {"schema": "rlmc.quality-resume/1", "data": {"epochs": []}}


def test_a_daemon_is_asked_to_resume_and_says_what_it_does_not_know(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    epoch = Audited(ledger_file())
    epoch.served()
    epoch.care(stopped_care())
    epoch.close()
    endpoint = Endpoint(live.port, os.getpid(), "0", "it", live.control_token)
    monkeypatch.setattr(control, "find", lambda: endpoint)
    # This daemon began before the epoch was there: it answers no, and the ledger is changed instead.
    assert not control.resume_quality(endpoint, "e1")
    show("--resume")
    assert not kept()["stopped"]
    with closing(sqlite3.connect(ledger_file())) as db, db:
        db.execute("UPDATE epochs SET care = ?", (json.dumps(stopped_care()),))
    assert live.control("POST", "/-/reload", {})[0] == 200
    assert control.resume_quality(endpoint, "e1")
    live.settle()
    assert not kept()["stopped"]


def test_a_daemon_that_does_not_answer_is_not_gone_behind() -> None:
    epoch = Audited(ledger_file())
    epoch.served()
    epoch.care(stopped_care())
    epoch.close()
    with daemon_lock() as lock:
        assert lock.acquire(1)
        ran = cli.run(quality.register, "quality", "--resume")
    assert ran.code == DaemonError("").exit_code
    assert "its drafts stay stopped" in ran.err
    assert kept()["stopped"]


def test_options_that_make_no_sense_together() -> None:
    assert cli.run(quality.register, "quality", "--all", "--resume").code == UsageError("").exit_code
