"""`rlmc turns` from the outside: one session's turns, a line for each, with ids one can go on with."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer
from tests.support.books import CENT, call, session, turn
from tests.support.prices import HAIKU, HOUR, START
from typer.testing import CliRunner, Result

from rlmc.commands import explain, turns
from rlmc.domain.outcome import Outcome, Reason
from rlmc.domain.record import SessionRecord, TurnRecord
from rlmc.errors import UsageError
from rlmc.ledger.store import Ledger

Rlmc = Callable[..., Result]


@pytest.fixture
def books(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RLMC_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    return tmp_path / "ledger.db"


@pytest.fixture
def rlmc(books: Path) -> Rlmc:
    app = typer.Typer()
    turns.register(app)
    explain.register(app)
    return lambda *args: CliRunner().invoke(app, args)


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
    assert found["schema"] == "rlmc.turns/1"
    return found["data"]


def skipped(**changes: Any) -> TurnRecord:
    draft = call("draft", model=HAIKU, cost=CENT // 100)
    model = "anthropic/claude-haiku-5-5"
    made = turn(draft, outcome=Outcome.SKIPPED, reason=Reason.AFTER_READ, estimated=True, served_model=model, **changes)
    return replace(made, latency_ms=900.0)


def test_empty_books_say_what_to_do(rlmc: Rlmc) -> None:
    assert "rlmc run --" in rlmc("turns").stdout
    assert data(rlmc("turns", "--json")) == {"session": None, "turns": [], "left_out": 0, "notes": []}


def test_a_line_for_each_turn_in_the_order_of_time(rlmc: Rlmc, books: Path) -> None:
    write(books, session("s1"), session("s0", started_at=START - HOUR), turn(session="s0", at=START - HOUR))
    write(books, skipped(id="00066-2", at=START + 2_000_000), turn(id="00066-1", at=START))
    text = rlmc("turns").stdout
    heading, where, _, columns, first, second, *rest = text.splitlines()
    assert where == "project /home/ada/project, branch main"
    assert heading == "rlmc turns: session s1 (claude, 2026-11-23 13:00)"
    named = ["id", "time", "class", "outcome", "reason", "model", "paid", "baseline", "saved", "latency"]
    assert columns.split() == named
    opus, haiku = "anthropic/claude-opus-5-5", "anthropic/claude-haiku-5-5"
    paid = ["$0.01", "$0.01", "$0.00"]
    assert first.split() == ["00066-1", "13:00:00", "main", "direct", "unsure", opus, *paid, "2.1", "s"]
    paid = ["$0.0001", "~$0.01", "$0.0099"]
    assert second.split()[1:-2] == ["13:00:02", "main", "skipped", "after-read", haiku, *paid]
    assert any("~ is an estimate" in line for line in rest)
    assert rlmc("turns", "--last").stdout == text
    assert data(rlmc("turns", "s0", "--json"))["session"] == "s0"
    [one, two] = data(rlmc("turns", "s1", "--json"))["turns"]
    assert (one["id"], two["outcome"], two["served_model"]) == ("00066-1", "skipped", haiku)
    assert (two["paid"]["picodollars"], two["baseline"]["estimated_turns"]) == (CENT // 100, 1)


def test_the_ids_shown_are_understood_by_explain(rlmc: Rlmc, books: Path) -> None:
    ids = [f"000661234{n:05x}{'ab' * 4}" for n in range(12)]
    write(books, session(), *(turn(id=id, session="s1" if n else "other", at=START + n) for n, id in enumerate(ids)))
    lines = rlmc("turns", "s1").stdout.splitlines()[4:15]
    shown = [line.split()[0] for line in lines]
    assert len(set(shown)) == 11
    assert all(len(id) < len(ids[0]) for id in shown)
    for short, id in zip(shown, ids[1:], strict=True):
        assert id in rlmc("explain", short).stdout


def test_a_session_over_midnight_shows_days(rlmc: Rlmc, books: Path) -> None:
    write(books, session(), turn(at=START), turn(at=START + 24 * HOUR))
    assert "11-23 13:00:00" in rlmc("turns").stdout
    assert "11-24 13:00:00" in rlmc("turns").stdout


def test_what_is_unknown_is_not_zero(rlmc: Rlmc, books: Path) -> None:
    write(books, session(), turn(call(cost=None), baseline=None, served_model=""))
    line = rlmc("turns").stdout.splitlines()[4].split()
    assert line[5:9] == ["-", "?", "?", "?"]
    assert data(rlmc("turns", "--json"))["turns"][0]["served_model"] is None


def test_a_session_without_turns_says_so(rlmc: Rlmc, books: Path) -> None:
    write(books, session())
    assert "No turns in this session" in rlmc("turns").stdout


def test_which_session_has_to_be_clear(rlmc: Rlmc, books: Path) -> None:
    write(books, session("ab1", name="x"), session("ab2", name="x", started_at=START + 1), turn(session="ab2"))
    for args in (["ab"], ["nothing"], ["ab1", "--last"]):
        problem = rlmc("turns", *args).exception
        assert isinstance(problem, UsageError)
        assert problem.hint
    found = data(rlmc("turns", "x", "--json"))
    assert (found["session"], found["notes"]) == ("ab2", ["The newest of 2 sessions of that name."])


def test_the_last_ones_in_the_order_of_time_and_how_many_there_are(rlmc: Rlmc, books: Path) -> None:
    write(books, session(), *(turn(id=f"t{n:02}", at=START + n) for n in range(60)))
    text = rlmc("turns", "--limit", "2").stdout
    assert [line.split()[0] for line in text.splitlines()[4:6]] == ["t58", "t59"]
    assert "The last 2 of 60; without --limit, all of them." in text
    assert rlmc("turns").stdout.count(" direct ") == 60
    found = data(rlmc("turns", "--limit", "2", "--json"))
    assert ([one["id"] for one in found["turns"]], found["left_out"]) == (["t58", "t59"], 58)


def test_csv_has_a_row_for_each_turn(rlmc: Rlmc, books: Path) -> None:
    write(books, session(), skipped(id="t1", at=START, baseline=3 * CENT))
    write(books, turn(call(cost=None), id="t2", at=START + 1, baseline=None, served_model=""))
    first, second = csv.DictReader(io.StringIO(rlmc("turns", "--csv").stdout))
    assert (first["id"], first["outcome"], first["reason"], first["latency_ms"]) == (
        "t1",
        "skipped",
        "after-read",
        "900.0",
    )
    assert (first["paid_usd"], first["baseline_usd"], first["saved_usd"]) == ("0.0001", "0.03", "0.0299")
    assert (first["baseline_estimated"], first["saved_bound"]) == ("1", "exact")
    assert (second["paid_complete"], second["baseline_complete"], second["saved_usd"]) == ("0", "0", "")
    assert isinstance(rlmc("turns", "--csv", "--json").exception, UsageError)
