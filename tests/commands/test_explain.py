"""`rlmc explain` from the outside: what a decision rested on, for turns of every kind, and never a word of content."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer
from tests.support import mixed_session
from tests.support.audited import EPOCH
from tests.support.books import CENT, call, session, turn
from tests.support.fake_upstream import FakeUpstream
from tests.support.ledger_rows import turn_rows
from tests.support.live import Live
from tests.support.prices import HAIKU, START
from tests.support.wire_client import send
from typer.testing import CliRunner, Result

from rlmc.commands.explain import register
from rlmc.domain.outcome import Outcome, Reason
from rlmc.domain.record import AuditEnding, AuditRecord, SessionRecord, TurnRecord
from rlmc.errors import UsageError
from rlmc.ledger.quality import GIVEN_UP
from rlmc.ledger.store import Ledger
from rlmc.views.reasons import SENTENCES

Explain = Callable[..., Result]
FORESIGHT = {
    "direct": CENT,
    "skipped": CENT // 4,
    "verified": 2 * CENT,
    "draft": CENT // 10,
    "debt": CENT // 5,
    "credit": CENT // 50,
    "brief": CENT // 3,
    "waste": 0.12,
    "accept": 0.85,
    "accept_brief": 0.6,
    "output": 312.4,
    "verify_prompt": 14_000,
    "verify_warm": 12_000,
    "verify_left_s": 240.2,
    "draft_prompt": 14_100,
    "draft_warm": 0,
}
DRAFT = {"effect": "edit", "calls": 2, "chars": 1234, "output": 321, "tool": "Edit", "findings": []}
DECISION: dict[str, Any] = {
    "format": 1,
    "decided_with_prices": True,
    "marker": [17, "1h"],
    "foresight": FORESIGHT,
    "seen": {"draft": DRAFT},
    "outline": {"places": [], "markers": 1},
}


@pytest.fixture
def books(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RLMC_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    return tmp_path / "ledger.db"


@pytest.fixture
def explain() -> Explain:
    app = typer.Typer()
    register(app)
    app.command("other")(lambda: None)

    def run(*args: str) -> Result:
        return CliRunner().invoke(app, ["explain", *args])

    return run


def write(path: Path, *records: SessionRecord | TurnRecord) -> None:
    ledger = Ledger.open(path)
    for record in records:
        if isinstance(record, SessionRecord):
            ledger.start_session(record)
        else:
            ledger.record(record)
    assert ledger.flush(10)
    ledger.close()


def data(result: Result) -> Any:
    assert result.exception is None, result.output
    found = json.loads(result.stdout)
    assert found["schema"] == "rlmc.explain/1"
    return found["data"]["turn"]


def text(result: Result) -> str:
    assert result.exception is None, result.output
    return result.stdout


def skipped(decision: dict[str, Any] | None = DECISION, **changes: Any) -> TurnRecord:
    draft = call("draft", model=HAIKU, cost=CENT // 100)
    made = turn(draft, id="00066", outcome=Outcome.SKIPPED, reason=Reason.AFTER_READ, estimated=True)
    signals = {"request_class": "main", "stream": True, "media": False, "prompt_chars": 12345, "errors": 0}
    return replace(made, decision=decision, signals=signals, **changes)


# --- which turn -----------------------------------------------------------------------------------------------------


def test_empty_books_say_what_to_do(explain: Explain, books: Path) -> None:
    assert "rlmc run --" in text(explain())
    assert data(explain("--json")) is None


def test_a_turn_by_id_beginning_or_as_the_last(explain: Explain, books: Path) -> None:
    write(books, session(), turn(id="ab1", at=START), turn(id="abc2", at=START + 1), turn(id="b3", at=START + 2))
    assert [data(explain(*args, "--json"))["id"] for args in (["ab1"], ["abc"], [], ["--last"])] == [
        "ab1",
        "abc2",
        "b3",
        "b3",
    ]


@pytest.mark.parametrize(
    ("args", "named"),
    [(["ab"], "ab1, abc2"), (["nothing"], "nothing"), (["ab1", "--last"], "TURN and --last"), ([""], "TURN is empty")],
)
def test_which_turn_has_to_be_clear(explain: Explain, books: Path, args: list[str], named: str) -> None:
    write(books, session(), turn(id="ab1", at=START), turn(id="abc2", at=START + 1))
    problem = explain(*args).exception
    assert isinstance(problem, UsageError)
    assert named in problem.message
    assert problem.hint


# --- what is said ---------------------------------------------------------------------------------------------------


def test_everything_a_decision_rested_on(explain: Explain, books: Path) -> None:
    half = {"baseline": 2 * CENT, "baseline_bias": CENT / 10, "draft_only": CENT // 100}
    write(books, session(name="fix"), skipped(**half))
    shown = text(explain("0006"))
    assert max(map(len, shown.splitlines())) <= 80
    lines = [re.sub(r"  +", "  ", line) for line in shown.splitlines()]
    for line in (
        "rlmc explain: turn 00066 (2026-11-23 13:00:00)",
        "session  s1 (claude, fix)",
        "request  main, for claude-opus-5-5, policy balanced",
        "outcome  skipped: the draft is the answer",
        "yes  request class main · stream · prompt chars 12,345",
        "no  media · errors",
        "expected  direct  skipped  verified",
        "cost  $0.01  $0.0025  $0.02",
        "draft: asking for it  -  $0.001  $0.001",
        "credit: what this spares it later  -  $0.0002  $0.0002",
        "debt: what the verify model pays later  -  $0.002  -",
        "chance that the draft is for nothing  -  12 %  -",
        "chance that it is accepted  -  -  85 %",
        "check  on a compact context $0.0033, accepted with 60 %",
        "caches  verify model: 12,000 of 14,000 prompt tokens warm, 240 s left",
        "  draft model: none of 14,100 prompt tokens warm",
        "is  2 calls (the riskiest: Edit), 1,234 characters, 321 tokens",
        "effect  edit",
        "gate  nothing to object",
        "role  model  input  read  write  output  cost  time  end",
        "draft  claude-haiku-5-5  10  80  10  5  $0.0001  2.0 s  end_turn",
        "paid  $0.0001",
        "baseline  $0.02 (estimated)",
        "draft only  $0.0001",
    ):
        assert line in lines, shown
    assert f"reason after-read: {SENTENCES[Reason.AFTER_READ]}" in " ".join(shown.split())
    assert "marker" not in shown, "no call was given one"
    write(books, skipped(**half | {"baseline_bias": CENT * 1.0}))
    assert "$0.02 ± 0.01 (estimated)" in text(explain())


def test_the_same_as_data(explain: Explain, books: Path) -> None:
    write(books, session(name="fix"), skipped(findings=("edit: the file was not seen",)))
    found = data(explain("--json"))
    assert (found["decided"], found["reason"], found["sentence"]) == (True, "after-read", SENTENCES[Reason.AFTER_READ])
    assert found["expected"]["costs"]["skipped"] == {"picodollars": CENT // 4, "dollars": "0.0025"}
    assert found["expected"]["chances"] == {"waste": 0.12, "accept": 0.85, "accept_brief": 0.6}
    assert found["expected"]["caches"]["verify"] == {"warm": 12_000, "prompt": 14_000, "left_s": 240.2}
    assert found["expected"]["caches"]["draft"] == {"warm": 0, "prompt": 14_100, "left_s": None}
    assert found["marker"] == {"block": 17, "lifetime": "1h", "added": False}
    assert found["draft"]["effect"] == "edit"
    assert found["findings"] == ["edit: the file was not seen"]
    [made] = found["calls"]
    assert (made["role"], made["tokens"]["cache_read"], made["cost"]["picodollars"]) == ("draft", 80, CENT // 100)


def test_a_marker_that_was_added_a_refused_draft_and_a_check_that_said_no(explain: Explain, books: Path) -> None:
    check = replace(call("verify", served=False), brief=True)
    relay = replace(call("direct"), details={"marked": True})
    seen = {"draft": DRAFT | {"effect": "unsafe"}, "brief_chars": 900, "brief_accepts": False}
    made = turn(call("draft", served=False), check, relay, reason=Reason.BRIEF_REFUSED)
    write(books, session(), replace(made, decision=DECISION | {"seen": seen}, findings=("effect: Bash: unsafe",)))
    shown = text(explain())
    assert "a cache marker of an hour was added at block 17" in shown
    assert re.search(r"^effect +unsafe$", shown, re.MULTILINE)
    assert re.search(r"^objection +effect: Bash: unsafe$", shown, re.MULTILINE)
    assert re.search(r"^check +on a compact context: not accepted$", shown, re.MULTILINE)
    assert re.search(r"^verify \(brief\) +claude-opus", shown, re.MULTILINE)
    assert data(explain("--json"))["marker"]["added"] is True


@pytest.mark.parametrize(
    ("foresight", "decision", "said"),
    [
        ({"direct": None, "skipped": None, "verified": None}, {}, "No costs: the price of a model is not known."),
        ({"direct": None}, {"decided_with_prices": False}, "No costs: the price table was not loaded yet."),
        ({"skipped": None, "verified": None}, {}, "No draft could be reckoned with"),
        ({"verify_left_s": None}, {}, "12,000 of 14,000 prompt tokens warm\n"),
        ({"verify_warm": 0}, {}, "none of 14,000 prompt tokens warm"),
    ],
)
def test_what_was_not_known_is_said(
    explain: Explain, books: Path, foresight: dict[str, Any], decision: dict[str, Any], said: str
) -> None:
    write(books, session(), skipped(DECISION | {"foresight": FORESIGHT | foresight} | decision))
    assert said in text(explain())


def test_a_turn_without_a_decision_says_why(explain: Explain, books: Path) -> None:
    write(books, session(), skipped(None))
    assert "older than the version of rlmc that keeps it" in " ".join(text(explain()).split())
    assert data(explain("--json"))["expected"] is None
    unread = replace(turn(id="b", at=START + 1, reason=Reason.UNREADABLE), signals={})
    write(books, unread)
    shown = text(explain())
    assert "Nothing was decided: the request was passed on as it came." in shown
    assert "none was asked for" in shown
    assert SENTENCES[Reason.UNREADABLE] in " ".join(shown.split())


@pytest.mark.parametrize(
    "strange",
    [
        {"format": 99},
        {"foresight": [1, 2], "seen": "x", "marker": {"block": 1}},
        {"foresight": {"direct": "much", "waste": True, "verify_warm": "x"}, "seen": {"draft": 7, "verdict": 3}},
        {"seen": {"draft": {"effect": 1, "findings": "x", "tool": None}, "verdict": "perhaps", "brief_accepts": 1}},
    ],
)
def test_what_another_version_kept_never_breaks_it(explain: Explain, books: Path, strange: dict[str, Any]) -> None:
    write(books, session(), skipped(strange))
    assert "What it came to" in text(explain())
    assert data(explain("--json"))["id"] == "00066"


def test_a_reason_of_a_newer_version_and_odd_names_are_shown_safely(explain: Explain, books: Path) -> None:
    odd = skipped(DECISION | {"seen": {"draft": DRAFT | {"tool": "\x1b[2Jx"}}}, requested_model="m\x1b[31m")
    write(books, session(name="a\nb"), odd)
    shown = text(explain())
    assert "\x1b" not in shown
    assert "a?b" in shown


def test_calls_that_failed_or_sent_no_usage_say_so(explain: Explain, books: Path) -> None:
    failed = replace(call("draft", usage=None, cost=None, served=False), error="timeout", stop_reason=None)
    write(books, session(), turn(failed, replace(call(), usage_estimated=True), ending="client-gone"))
    shown = text(explain())
    assert re.search(r"^draft +claude-opus-5-5 +\? +\? +\? +\? +\? +2\.0 s +timeout$", shown, re.MULTILINE)
    assert re.search(r"^direct +claude-opus-5-5 +~10 ", shown, re.MULTILINE)
    assert "it did not come to a proper end (client-gone)" in " ".join(shown.split())
    assert data(explain("--json"))["calls"][0]["tokens"] is None


# --- real sessions --------------------------------------------------------------------------------------------------

CONTENT = ("careful agent", "Look at the project", "src/", "line 1", "closing report", "verify model's own words")


def test_every_turn_of_a_real_session_is_explained_and_no_word_of_it_is_shown(live: Live, explain: Explain) -> None:
    with FakeUpstream(mixed_session.script, prices=mixed_session.PRICES) as up:
        overrides = {
            "upstream.anthropic.base-url": up.url,
            "draft-model": "anthropic/claude-haiku-5-5",
            "log-content": "true",
        }
        run = live.open_session(overrides=overrides, keys={"ANTHROPIC_API_KEY": "k"})
        for number in range(16):
            send(run.base_url, mixed_session.conversation(number), x_claude_code_session_id="s1")
        run.end()
    rows = turn_rows()
    assert {row["outcome"] for row in rows} == {"skipped", "accepted", "enhanced", "direct"}
    for row in rows:
        shown, found = text(explain(row["id"])), data(explain(row["id"], "--json"))
        assert row["outcome"] in shown
        assert row["reason"] in shown
        assert not any(word in shown + json.dumps(found) for word in CONTENT)
        assert (found["outcome"], found["reason"], found["decided"]) == (row["outcome"], row["reason"], True)
        assert found["paid"]["picodollars"] == row["cost"]
        assert found["expected"]["caches"]["verify"]["prompt"] > 0
        verdict = {"accepted": "accept", "enhanced": "act"}.get(row["outcome"])
        assert found["verdict"] == verdict
        assert (found["draft"] is not None) or row["reason"] not in ("gate", "after-read", "verdict")


# --- budgets --------------------------------------------------------------------------------------------------------


def test_a_policy_that_a_budget_chose_is_said_to_be_so(explain: Explain, books: Path) -> None:
    decided = skipped(DECISION | {"degraded": ["budget.session", "careful"]})
    write(books, session(), replace(decided, policy="economy"))
    said = " ".join(text(explain()).split())
    assert "policy economy instead of careful, because budget.session was passed" in said
    assert data(explain("--json"))["degraded"] == {"setting": "budget.session", "policy": "careful"}


def test_no_budget_is_no_word_of_it(explain: Explain, books: Path) -> None:
    write(books, session(), skipped(DECISION | {"degraded": None}))
    assert "budget" not in text(explain())
    assert data(explain("--json"))["degraded"] is None


def test_a_turn_that_a_budget_stopped_was_not_answered_by_anybody(explain: Explain, books: Path) -> None:
    stopped = turn(id="00077", reason=Reason.BUDGET, ending="error", served_model="", baseline=0)
    write(books, session(), replace(stopped, calls=(), signals={}, status=402))
    said = text(explain())
    assert "direct: no model was asked" in said
    assert "the verify model answered" not in said
    assert "Nothing was decided: the request was not passed on." in said
    assert "saved $0.00" in said


# --- what audits had taught -----------------------------------------------------------------------------------------

CAUTION = {
    "price": 12.5,
    "usual_cost": 2 * CENT,
    "risks": {"edit": 0.04, "read": 0.02},
    "usual_risk": 0.03,
    "shut": [],
    "closed": None,
}
CONTROLLER: dict[str, Any] = {
    "epoch": "e1",
    "target": 0.02,
    "confidence": 0.95,
    "least": 0.04,
    "probability": 0.1,
    "coin": 0.0312,
    "obeys": True,
    "bucket": "edit",
    "gain": 2 * CENT,
    "caution": CAUTION,
}


def watched(caution: dict[str, Any] | None = None, **controller: Any) -> dict[str, Any]:
    return {**DECISION, "controller": {**CONTROLLER, "caution": {**CAUTION, **(caution or {})}, **controller}}


def lines(result: Result) -> dict[str, str]:
    """Of the section on audits, what stands beside each name."""
    part = text(result).partition("What audits had taught, and its own\n")[2].partition("\n\n")[0]
    found: dict[str, str] = {}
    for line in part.splitlines():
        if line[:1] != " ":
            name, _, body = line.partition("  ")
            found[name] = body.strip()
        else:
            found[next(reversed(found))] += f" {line.strip()}"
    return found


def test_every_threshold_is_shown_with_what_was_held_against_it(explain: Explain, books: Path) -> None:
    drawn = AuditRecord(START + 5, 0.1, "edit")
    write(books, session(), skipped(watched(), epoch=EPOCH, coin=0.1, audit=drawn))
    found = lines(explain())
    assert found["target"] == "at most 2 % of all turns worse, with 95 %"
    assert found["kind"] == "edit, expected loss 4 %"
    assert found["price"] == "one regression is held for 12.5 usual direct turns of $0.02, $0.25"
    assert found["threshold"] == ("$0.01 (price times expected loss); the draft was expected to save $0.02, enough")
    assert found["losses"] == "edit 4 %, read 2 %, any other kind 3 %"
    assert found["coin"] == "0.0312: an audit where it is below 0.1, which is never less than 0.04 here"
    kept = data(explain("--json"))["controller"]
    assert kept["threshold"]["picodollars"] == CENT
    assert (kept["gain"]["picodollars"], kept["expected_loss"], kept["closed"]) == (2 * CENT, 0.04, None)
    assert (kept["probability"], kept["coin"], kept["least_probability"]) == (0.1, 0.0312, 0.04)


@pytest.mark.parametrize(
    ("loss", "how", "words"),
    [
        (0.0, "same", "drawn; both answers come to the same, loss 0"),
        (0.0, "judged", "drawn; the judge found the draft no worse, loss 0"),
        (0.25, "judged", "drawn; the judge found the draft a little worse, loss 0.25"),
        (1.0, "judged", "drawn; the judge found the draft materially worse, loss 1"),
        (1.0, "failed", "drawn; no verdict was to be had, which counts as a loss of 1"),
    ],
)
def test_how_the_audit_ended(explain: Explain, books: Path, loss: float, how: AuditEnding, words: str) -> None:
    drawn = AuditRecord(START + 5, 0.1, "edit")
    write(books, session(), skipped(watched(), epoch=EPOCH, coin=0.1, audit=drawn))
    ledger = Ledger.open(books)
    ledger.end_audit("00066", START + 9, loss, how)
    ledger.canary("00066", EPOCH.id, START + 9, caught=False)
    assert ledger.flush(10)
    ledger.close()
    found = lines(explain())
    assert found["audit"] == words
    assert found["judge"] == "was shown a planted fault beside it, and missed it"
    kept = data(explain("--json"))["audit"]
    assert (kept["drawn"], kept["ended"], kept["loss"], kept["how"]) == (True, True, loss, how)
    assert (kept["planted"], kept["caught"]) == (True, False)


def test_an_audit_under_way_is_told_from_a_lost_one_and_from_none(explain: Explain, books: Path) -> None:
    write(books, session())
    now = time.time_ns() // 1000
    young, old = AuditRecord(now, 0.1, "edit"), AuditRecord(now - GIVEN_UP - 60 * 1_000_000, 0.1, "edit")
    for drawn, words in (
        (young, "drawn; still under way, which counts as a loss of 1 until it ends"),
        (old, "drawn; lost with a daemon that ended, which counts as a loss of 1"),
        (None, "not drawn"),
    ):
        made = replace(skipped(watched(), epoch=EPOCH, coin=0.1, audit=drawn), id=f"t-{words[-5:]}")
        write(books, made)
        assert lines(explain(made.id))["audit"] == words
    write(books, replace(skipped(watched(), epoch=EPOCH), id="no-coin"))
    assert lines(explain("no-coin"))["audit"] == "none: no draft was the answer unchecked"


@pytest.mark.parametrize(
    ("caution", "controller", "name", "words"),
    [
        ({}, {"gain": CENT - 1}, "threshold", "to save $0.01, too little"),
        ({}, {"gain": None}, "threshold", "was not known, which does not keep it from being served"),
        ({"usual_cost": None}, {}, "threshold", "none: what it is reckoned from was not known"),
        ({}, {"bucket": "side"}, "threshold", "here of what the turn itself costs"),
        ({"shut": ["edit", "text"]}, {}, "shut", "a calibration did not open it"),
        ({"shut": ["edit", "text"]}, {}, "shut kinds", "edit, text"),
        ({"closed": "quality-stop"}, {}, "closed", "nobody has looked yet"),
        ({}, {"obeys": False}, "policy", "goes by fixed rules"),
        ({"risks": {}}, {}, "losses", "any kind 3 %"),
    ],
)
def test_what_kept_a_draft_back(
    explain: Explain, books: Path, caution: dict[str, Any], controller: dict[str, Any], name: str, words: str
) -> None:
    write(books, session(), skipped(watched(caution, **controller), epoch=EPOCH, coin=0.1))
    assert words in lines(explain())[name]


def test_a_kind_is_told_only_where_there_was_a_draft_or_its_risk_kept_it_away(explain: Explain, books: Path) -> None:
    gated = replace(turn(id="gated", reason=Reason.FIRST_TURN), decision=watched(), epoch=EPOCH)
    risky = replace(turn(id="risky", reason=Reason.REGRESSION), decision=watched(), epoch=EPOCH)
    write(books, session(), gated, risky)
    assert "threshold" not in lines(explain("gated"))
    assert "threshold" in lines(explain("risky"))


@pytest.mark.parametrize("controller", [None, {}, {"epoch": "e1"}, "x", {**CONTROLLER, "caution": {"price": "x"}}])
def test_what_another_version_kept_is_not_guessed(explain: Explain, books: Path, controller: Any) -> None:
    write(books, session(), skipped({**DECISION, "controller": controller}))
    assert lines(explain()) == {"audit": "none: this turn could not be audited, or not by the version it ran with"}
    assert data(explain("--json"))["controller"] is None
    write(books, replace(skipped(None, epoch=EPOCH, coin=0.1), id="with-coin"))
    assert lines(explain("with-coin")) == {"audit": "not drawn"}
