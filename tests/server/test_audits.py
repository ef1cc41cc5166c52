"""Audits over real sockets: what is asked, what is compared, what stands in the ledger, and what follows from it."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support import tools
from tests.support.fake_upstream import FakeUpstream, Reply
from tests.support.ledger_rows import call_rows, ledger_path, turn_rows
from tests.support.live import Live, LiveSession, live_daemon
from tests.support.mixed_session import PRICES, conversation, script
from tests.support.wire_client import send

from rlmc.ledger.decisions import kept_turns
from rlmc.ledger.queries import LedgerReader
from rlmc.replay.own_session import compare
from rlmc.upstream.prices import load_prices

READ = tools.request(
    {"role": "user", "content": "Look at the project."},
    tools.use("t1", "Read", file_path="a.py"),
    tools.result("t1", "print(1)\n" * 300),
    model="claude-opus-5-5",
    tools=tools.ALL,
    stream=True,
)
JUDGE = "You compare two candidates"
Script = Callable[[dict[str, Any], int], Reply]


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
    with live_daemon(tmp_path, monkeypatch) as daemon:
        daemon.daemon.audits.pauses = (0.01, 0.01)
        yield daemon


def open_session(live: Live, up: FakeUpstream, **settings: str) -> LiveSession:
    return live.open_session(
        overrides={
            "upstream.anthropic.base-url": up.url,
            "policy": "draft-only",
            "draft-model": "anthropic/claude-haiku-5-5",
            "audits": "auto",
            "audit-rate": "100",
        }
        | {key.replace("_", "-"): value for key, value in settings.items()},
        keys={"ANTHROPIC_API_KEY": "k"},
    )


def rows(sql: str) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(ledger_path())) as db:
        db.row_factory = sqlite3.Row
        return [dict(row) for row in db.execute(sql)]


def audits() -> list[dict[str, Any]]:
    return rows("SELECT * FROM audits ORDER BY at, turn_id")


def care() -> dict[str, Any]:
    (kept,) = rows("SELECT care FROM epochs")
    return dict(json.loads(kept["care"]))


def judged(body: dict[str, Any]) -> bool:
    return JUDGE in json.dumps(body.get("system", ""))


def models(draft: Reply, own: Reply, verdict: Callable[[str], str]) -> Script:
    """`verdict` is given what the judge is shown."""

    def answer(body: dict[str, Any], _: int) -> Reply:
        if judged(body):
            return Reply(verdict(body["messages"][0]["content"] if isinstance(body["messages"][0]["content"], str)
                                 else body["messages"][0]["content"][0]["text"]))  # fmt: skip
        return draft if "haiku" in body["model"] else own

    return answer


def a_call(name: str, **arguments: Any) -> Reply:
    return Reply(calls=((name, arguments),))


def the_one_that_reads(path: str, degree: str) -> Callable[[str], str]:
    """A judge that knows that a step which reads this file is worse, wherever it stands."""

    def verdict(text: str) -> str:
        first, _, second = text.partition("The second candidate:")
        first = first.partition("The first candidate:")[2]
        worse = [place for place, part in (("FIRST", first), ("SECOND", second)) if path in part]
        return f"{worse[0]}-WORSE-{degree}" if len(worse) == 1 else "EQUAL"

    return verdict


def played(live: Live, answer: Script, turns: int = 1, **settings: str) -> FakeUpstream:
    with FakeUpstream(answer, prices=PRICES) as up:
        session = open_session(live, up, **settings)
        for _ in range(turns):
            assert send(session.base_url, READ).status == 200
            live.settle()
        session.end()
    return up


def test_a_draft_that_says_the_same_lost_nothing_and_its_audit_is_paid_for_on_its_turn(live: Live) -> None:
    up = played(live, models(a_call("Read", file_path="b.py"), a_call("Read", file_path="b.py"), lambda _: "EQUAL"))
    (audit,) = audits()
    assert (audit["loss"], audit["how"], audit["probability"], audit["bucket"]) == (0.0, "same", 1.0, "read")
    (turn,) = turn_rows()
    assert (turn["outcome"], turn["coin"]) == ("skipped", 1.0)
    calls = call_rows()
    assert [call["role"] for call in calls[:2]] == ["draft", "audit"]
    assert all(call["cost"] for call in calls)
    asked = [
        exchange.json for exchange in up.messages if "opus" in exchange.json["model"] and not judged(exchange.json)
    ]
    assert asked == [READ], "the verify model is asked what the client has asked, and nothing else"


def test_a_worse_draft_is_found_by_a_judge_who_is_asked_in_both_orders(live: Live) -> None:
    up = played(
        live,
        models(
            a_call("Read", file_path="wrong.py"),
            Reply(calls=(("Read", {"file_path": "b.py"}), ("Read", {"file_path": "c.py"}))),
            the_one_that_reads("wrong.py", "MATERIAL"),
        ),
    )
    (audit,) = audits()
    assert (audit["loss"], audit["how"]) == (1.0, "judged")
    questions = [exchange.json for exchange in up.messages if judged(exchange.json)]
    shown = [json.dumps(body) for body in questions if "wrong.py" in json.dumps(body)]
    places = {text.index("wrong.py") < text.index("The second candidate") for text in shown}
    assert places == {True, False}
    assert all("draft" not in json.dumps(body["messages"]) for body in questions), "nothing says whose step is whose"


@pytest.mark.parametrize(
    ("verdict", "loss"),
    [
        (lambda text: "EQUAL", 0.0),
        (the_one_that_reads("wrong.py", "MINOR"), 0.25),
        (the_one_that_reads("right.py", "MATERIAL"), 0.0),
    ],
)
def test_what_the_judge_says_is_what_is_lost(live: Live, verdict: Callable[[str], str], loss: float) -> None:
    played(live, models(a_call("Read", file_path="wrong.py"), a_call("Read", file_path="right.py"), verdict))
    assert [audit["loss"] for audit in audits()] == [loss]


def test_a_judge_that_always_names_the_same_place_is_half_believed(live: Live) -> None:
    played(
        live,
        models(
            a_call("Read", file_path="one.py"), a_call("Read", file_path="two.py"), lambda _: "FIRST-WORSE-MATERIAL"
        ),
        turns=12,
    )
    losses = [audit["loss"] for audit in audits()]
    assert set(losses) <= {0.0, 0.5}, "0 where the other was first, half where the other order says the opposite"


def test_faults_are_planted_in_what_the_verify_model_says_and_kept_out_of_the_loss(live: Live) -> None:
    def sharp(text: str) -> str:
        first = text.partition("The first candidate:")[2].partition("The second candidate:")[0]
        return "SECOND-WORSE-MATERIAL" if re.search(r"\Wb\.py", first) else "FIRST-WORSE-MATERIAL"

    played(live, models(a_call("Read", file_path="b.py"), a_call("Read", file_path="b.py"), sharp), turns=5)
    assert [audit["loss"] for audit in audits()] == [0.0] * 5
    planted = rows("SELECT caught FROM canaries")
    assert [one["caught"] for one in planted] == [1] * 5
    assert sum(call["role"] == "judge" for call in call_rows()) == 10


def test_an_audit_without_a_verdict_is_a_loss_after_two_retries(live: Live) -> None:
    def answer(body: dict[str, Any], _: int) -> Reply:
        return a_call("Read", file_path="b.py") if "haiku" in body["model"] else Reply(status=529)

    up = played(live, answer)
    (audit,) = audits()
    assert (audit["loss"], audit["how"]) == (1.0, "failed")
    assert sum("opus" in exchange.json["model"] for exchange in up.messages) == 3
    assert [call["role"] for call in call_rows()] == ["draft", "audit", "audit", "audit"]


def test_a_judge_that_says_something_else_is_asked_again_and_then_it_is_a_loss(live: Live) -> None:
    played(
        live,
        models(a_call("Read", file_path="one.py"), a_call("Read", file_path="two.py"), lambda _: "The first, I think."),
    )
    assert [(audit["loss"], audit["how"]) for audit in audits()] == [(1.0, "failed")]


def test_a_text_that_was_streamed_while_it_was_written_is_audited_as_the_client_got_it(live: Live) -> None:
    say = tools.request("Say hi.", model="claude-opus-5-5", stream=True)
    seen: list[str] = []

    def verdict(text: str) -> str:
        seen.append(text)
        return "EQUAL"

    with FakeUpstream(models(Reply("Hello to you."), Reply("Good day."), verdict), prices=PRICES) as up:
        session = open_session(live, up, policy="paper")
        assert send(session.base_url, say).message["content"] == [{"type": "text", "text": "Hello to you."}]
        live.settle()
        session.end()
    assert [(audit["loss"], audit["how"], audit["bucket"]) for audit in audits()] == [(0.0, "judged", "text")]
    assert "Hello to you." in seen[0]
    assert "Good day." in seen[0]


def test_no_audit_is_drawn_where_the_user_pays_with_a_login_or_wants_none(live: Live) -> None:
    same = models(a_call("Read", file_path="b.py"), a_call("Read", file_path="b.py"), lambda _: "EQUAL")
    with FakeUpstream(same, prices=PRICES) as up:
        off = open_session(live, up, audits="off")
        assert send(off.base_url, READ).status == 200
        off.end()
        login = open_session(live, up, allow_login_calls="true")
        headers = {"authorization": "Bearer sk-ant-oat01-abc", "anthropic-beta": "oauth-2025-04-20"}
        assert send(login.base_url, READ, **headers).status == 200
        login.end()
        asked = open_session(live, up, allow_login_calls="true", audits="on")
        assert send(asked.base_url, READ, **headers).status == 200
        live.settle()
        asked.end()
    assert [turn["coin"] for turn in turn_rows()] == [None, None, 1.0]
    assert [turn["epoch"] is not None for turn in turn_rows()] == [False, False, True]
    assert len(audits()) == 1


def test_turns_the_verify_model_answers_belong_to_the_epoch_and_draw_no_coin(live: Live) -> None:
    with FakeUpstream(script, prices=PRICES) as up:
        session = open_session(live, up, policy="balanced")
        for turn in range(6):
            send(session.base_url, conversation(turn), x_claude_code_session_id="s1")
        live.settle()
        session.end()
    found = {(turn["outcome"], turn["coin"] is not None) for turn in turn_rows()}
    assert ("direct", False) in found
    assert all(coin == (outcome == "skipped") for outcome, coin in found)
    assert len({turn["epoch"] for turn in turn_rows()}) == 1


def test_losses_raise_the_price_until_drafts_that_save_too_little_go_direct(live: Live) -> None:
    worse = models(
        a_call("Read", file_path="wrong.py"), a_call("Grep", pattern="x"), the_one_that_reads("wrong.py", "MINOR")
    )
    with FakeUpstream(worse, prices=PRICES) as up:
        session = open_session(live, up, policy="balanced")
        for turn in range(1, 150):
            body = conversation(3) | {"model": "claude-opus-5-5"}
            assert send(session.base_url, body, x_claude_code_session_id=f"s{turn}").status == 200
            live.settle()
            if turn_rows()[-1]["reason"] == "regression":
                break
        session.end()
        differences = replayed(session.id)
    last = turn_rows()[-1]
    assert (last["outcome"], last["reason"]) == ("direct", "regression")
    controller = json.loads(last["decision"])["controller"]
    assert controller["gain"] < controller["caution"]["usual_cost"] * controller["caution"]["price"] * 0.25
    assert differences == []


def test_three_materially_worse_drafts_in_a_row_stop_drafting_until_the_user_has_looked(live: Live) -> None:
    worse = models(
        a_call("Read", file_path="wrong.py"), a_call("Grep", pattern="x"), the_one_that_reads("wrong.py", "MATERIAL")
    )
    with FakeUpstream(worse, prices=PRICES) as up:
        session = open_session(live, up, policy="balanced")
        sent = 0

        def outcome() -> tuple[str, str]:
            nonlocal sent
            sent += 1
            assert send(session.base_url, conversation(3), x_claude_code_session_id=f"s{sent}").status == 200
            live.settle()
            row = turn_rows()[-1]
            return row["outcome"], row["reason"]

        seen = [outcome()]
        while seen[-1] != ("direct", "quality-stop") and len(seen) < 60:
            seen.append(outcome())
        assert seen[-1] == ("direct", "quality-stop")
        assert [audit["loss"] for audit in audits()] == [1.0] * 3
        epoch = rows("SELECT id FROM epochs")[0]["id"]
        assert live.control("POST", "/-/quality/resume", {"epoch": epoch}) == (200, {"ok": True})
        assert outcome()[1] != "quality-stop"
        session.end()


def stopped(live: Live, up: FakeUpstream) -> None:
    """Three drafts that were materially worse, and nothing is served any more."""
    session = open_session(live, up, policy="balanced")
    for number in range(60):
        assert send(session.base_url, conversation(3), x_claude_code_session_id=f"s{number}").status == 200
        live.settle()
        if turn_rows()[-1]["reason"] == "quality-stop":
            break
    session.end()
    assert turn_rows()[-1]["reason"] == "quality-stop"


@pytest.mark.parametrize(
    "settings",
    [
        {"audits": "off"},
        {"audit_rate": "50"},
        {"policy": "economy"},
        {"budget.session": "0.01", "budget.action": "degrade"},
    ],
)
def test_a_stop_holds_whatever_else_is_set(live: Live, settings: dict[str, str]) -> None:
    worse = models(
        a_call("Read", file_path="wrong.py"), a_call("Grep", pattern="x"), the_one_that_reads("wrong.py", "MATERIAL")
    )
    with FakeUpstream(worse, prices=PRICES) as up:
        stopped(live, up)
        before = len(turn_rows())
        session = open_session(live, up, **({"policy": "balanced"} | settings))
        for turn in (1, 2, 3):
            assert send(session.base_url, conversation(turn), x_claude_code_session_id="other").status == 200
            live.settle()
        session.end()
        differences = replayed(session.id)
    after = turn_rows()[before:]
    assert {turn["outcome"] for turn in after} == {"direct"}
    assert after[-1]["reason"] == "quality-stop"
    assert differences == []


def test_what_a_calibration_did_not_open_is_not_served_where_nothing_is_audited_either(live: Live) -> None:
    with closing(sqlite3.connect(ledger_path())) as db, db:
        pair = ("anthropic/claude-haiku-5-5", "anthropic/claude-opus-5-5")
        db.execute("INSERT INTO calibrations VALUES (?, ?, 'read', 1, 9, 5, 0)", pair)
    assert live.control("POST", "/-/reload")[0] == 200
    answer = models(a_call("Read", file_path="b.py"), a_call("Read", file_path="b.py"), lambda _: "EQUAL")
    with FakeUpstream(answer, prices=PRICES) as up:
        for audits_set in ("off", "on"):
            session = open_session(live, up, policy="balanced", audits=audits_set)
            assert send(session.base_url, conversation(3), x_claude_code_session_id=audits_set).status == 200
            session.end()
    assert [(turn["outcome"], turn["reason"]) for turn in turn_rows()] == [("direct", "regression")] * 2


def test_while_too_many_audits_wait_turns_are_not_audited(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rlmc.server.audits._MOST_WAITING", 2)

    def answer(body: dict[str, Any], _: int) -> Reply:
        return a_call("Read", file_path="b.py") if "haiku" in body["model"] else Reply("Late.", delay=30.0)

    with FakeUpstream(answer, prices=PRICES) as up:
        session = open_session(live, up)
        for _ in range(4):
            assert send(session.base_url, READ).status == 200
        session.end()
    assert [turn["coin"] for turn in turn_rows()] == [1.0, 1.0, None, None]
    assert len(audits()) == 2


def test_a_passed_budget_ends_audits_and_not_what_they_have_taught(live: Live) -> None:
    same = models(a_call("Read", file_path="b.py"), a_call("Read", file_path="b.py"), lambda _: "EQUAL")
    with FakeUpstream(same, prices=PRICES) as up:
        session = open_session(live, up, policy="economy", **{"budget.session": "0.01"})
        for turn in range(6):
            send(session.base_url, conversation(turn), x_claude_code_session_id="s1")
            live.settle()
        (epoch,) = live.daemon.audits.epochs.known.values()
        epoch.care.controller = replace(epoch.care.controller, log_price=5.0)
        send(session.base_url, conversation(6), x_claude_code_session_id="s1")
        session.end()
        differences = replayed(session.id)
    last = turn_rows()[-1]
    assert (last["outcome"], last["reason"], last["epoch"]) == ("direct", "regression", None)
    assert differences == []


def test_what_could_not_be_read_is_not_written_over_and_nothing_is_served_meanwhile(live: Live) -> None:
    epochs = live.daemon.audits.epochs
    same = models(a_call("Read", file_path="b.py"), a_call("Read", file_path="b.py"), lambda _: "EQUAL")
    with FakeUpstream(same, prices=PRICES) as up:
        epochs.loaded = False
        session = open_session(live, up, policy="balanced")
        send(session.base_url, conversation(3), x_claude_code_session_id="s1")
        assert rows("SELECT * FROM epochs") == []
        epochs.loaded = True
        send(session.base_url, conversation(3), x_claude_code_session_id="s2")
        session.end()
    assert [(turn["outcome"], turn["epoch"] is None) for turn in turn_rows()] == [("direct", True), ("skipped", False)]


def test_without_a_credential_for_the_judge_nothing_is_audited(live: Live) -> None:
    """A gateway that takes a header of its own: the client's requests come through, rlmc's own would not."""
    answer = models(a_call("Read", file_path="wrong.py"), a_call("Read", file_path="b.py"), lambda _: "EQUAL")
    with FakeUpstream(answer, prices=PRICES) as up:
        session = live.open_session(
            overrides={
                "upstream.anthropic.base-url": up.url,
                "upstream.deepseek.base-url": up.url,
                "policy": "draft-only",
                "draft-model": "deepseek/haiku",
                "audits": "on",
                "audit-rate": "100",
            },
            keys={"DEEPSEEK_API_KEY": "k"},
        )
        assert send(session.base_url, READ, x_api_key="").status == 200
        session.end()
    assert [(turn["outcome"], turn["coin"]) for turn in turn_rows()] == [("skipped", None)]


def test_a_session_is_in_use_while_an_audit_of_it_is_under_way(live: Live) -> None:
    def answer(body: dict[str, Any], _: int) -> Reply:
        return a_call("Read", file_path="b.py") if "haiku" in body["model"] else Reply("Late.", delay=30.0)

    with FakeUpstream(answer, prices=PRICES) as up:
        session = open_session(live, up)
        assert send(session.base_url, READ).status == 200
        assert "1 audit is still under way" in " ".join(session.end()["notes"])
        status = live.control("GET", "/-/status")[1]
        assert status["sessions"] == []
        assert status["audited_sessions"] == [session.id]


def test_turns_that_failed_are_no_share_of_all_turns(live: Live) -> None:
    def answer(body: dict[str, Any], _: int) -> Reply:
        return a_call("Read", file_path="b.py") if "haiku" in body["model"] else Reply(status=529)

    with FakeUpstream(answer, prices=PRICES) as up:
        session = open_session(live, up, policy="verify-only")
        assert send(session.base_url, READ).status == 529
        session.end()
        session = open_session(live, up)
        assert send(session.base_url, READ).status == 200
        live.settle()
        session.end()
    assert [turn["epoch"] is not None for turn in turn_rows()] == [False, True]
    assert care()["turns"] == 1


def test_an_audit_has_ended_before_a_fault_is_planted_beside_it(live: Live) -> None:
    def answer(body: dict[str, Any], _: int) -> Reply:
        return Reply("EQUAL", delay=30.0) if judged(body) else a_call("Read", file_path="b.py")

    with FakeUpstream(answer, prices=PRICES) as up:
        session = open_session(live, up)
        assert send(session.base_url, READ).status == 200
        up.wait(lambda: any(judged(exchange.json) for exchange in up.messages))
        session.end()
        assert [(audit["loss"], audit["how"]) for audit in audits()] == [(0.0, "same")]


def test_a_fault_that_is_graded_down_was_not_found(live: Live) -> None:
    def lenient(text: str) -> str:
        first = text.partition("The first candidate:")[2].partition("The second candidate:")[0]
        return "SECOND-WORSE-MINOR" if re.search(r"\Wb\.py", first) else "FIRST-WORSE-MINOR"

    played(live, models(a_call("Read", file_path="b.py"), a_call("Read", file_path="b.py"), lenient), turns=3)
    assert [one["caught"] for one in rows("SELECT caught FROM canaries")] == [0, 0, 0]


def test_a_session_with_audits_is_decided_again_as_it_was_and_its_cache_is_the_real_one(live: Live) -> None:
    with FakeUpstream(script, prices=PRICES) as up:
        session = open_session(live, up, policy="balanced")
        for turn in range(25):
            send(session.base_url, conversation(turn), x_claude_code_session_id="s1")
            live.settle()
        session.end()
        differences = replayed(session.id)
    assert differences == []
    assert sum(call["role"] == "audit" for call in call_rows()) > 3
    for row in rows("SELECT * FROM calls c JOIN turns t ON t.id = c.turn_id WHERE role = 'direct' AND seq = 0"):
        expected = json.loads(row["decision"])["foresight"]["verify_warm"]
        assert abs(expected - row["cache_read"]) <= 0.05 * max(expected, row["cache_read"]) + 200


def test_what_was_learnt_outlives_the_daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    worse = models(
        a_call("Read", file_path="wrong.py"),
        a_call("Read", file_path="b.py"),
        the_one_that_reads("wrong.py", "MATERIAL"),
    )
    with live_daemon(tmp_path, monkeypatch) as first:
        played(first, worse, turns=2)
        before = care()
    with live_daemon(tmp_path, monkeypatch) as second:
        (epoch,) = second.daemon.audits.epochs.known.values()
        assert epoch.care.record() == before
        assert epoch.planted == len(rows("SELECT * FROM canaries"))
        played(second, worse)
    assert care()["turns"] == before["turns"] + 1
    assert care()["log_price"] > before["log_price"]


def replayed(session: str) -> list[Any]:
    reader = LedgerReader.open(ledger_path())
    try:
        return compare(kept_turns(reader, session), load_prices()).differences
    finally:
        reader.close()
