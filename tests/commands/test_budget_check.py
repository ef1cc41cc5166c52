"""`rlmc stats --check`: budgets for a script, by exit code, and for people."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.support.books import CENT, call, session, turn
from tests.support.cli import Ran, run

from rlmc.commands.stats import register
from rlmc.config.paths import config_file, ledger_file
from rlmc.domain.record import SessionRecord, TurnRecord
from rlmc.ledger.store import Ledger
from rlmc.ui import console

Check = Callable[..., Ran]


@pytest.fixture
def check() -> Check:
    return lambda *args: run(register, "stats", "--check", *args)


def now(days: float = 0) -> int:
    noon = datetime.now().astimezone().replace(hour=12, minute=0, second=0, microsecond=0)
    return int((noon - timedelta(days=days)).timestamp()) * 1_000_000


def write(*records: SessionRecord | TurnRecord) -> None:
    ledger = Ledger.open(ledger_file())
    for record in records:
        if isinstance(record, SessionRecord):
            ledger.start_session(record)
        else:
            ledger.record(record)
    assert ledger.flush(10)
    ledger.close()


def configure(text: str) -> None:
    config_file().parent.mkdir(parents=True, exist_ok=True)
    config_file().write_text(f"[budget]\n{text}")


def data(ran: Ran) -> Any:
    found = json.loads(ran.out)
    assert found["schema"] == "rlmc.budgets/1"
    return found["data"]


@pytest.fixture
def spending() -> None:
    """Two cents yesterday, by a session of that day; three cents today by another."""
    write(
        session("old", started_at=now(1)), turn(call(), call(), session="old", at=now(1)),
        session("new", started_at=now(), name="fix"), turn(call(), call(), call(), session="new", at=now()),
    )  # fmt: skip


def test_no_budget_is_no_failure_and_is_said(check: Check, spending: None) -> None:
    ran = check()
    assert ran.code == 0
    assert "No budget is set" in ran.out
    assert (check("--json").code, data(check("--json"))["budgets"]) == (0, [])


def test_within(check: Check, spending: None) -> None:
    configure("session = 0.05\ndaily = 0.03\n")
    ran = check()
    assert ran.code == 0
    first, second = ran.out.splitlines()
    assert first.startswith("within")
    assert "session new (claude, fix, " in first
    assert first.endswith("$0.03 of $0.05, $0.02 left")
    assert second.split() == ["within", "budget.daily", "today", "$0.03", "of", "$0.03,", "$0.00", "left"]


@pytest.mark.parametrize("args", [(), ("--json",), ("--last",), ("fix",)])
def test_over_one_of_them_the_exit_code_is_four(check: Check, spending: None, args: tuple[str, ...]) -> None:
    configure("session = 0.02\ndaily = 1\n")
    assert check(*args).code == 4
    found = data(check("--json"))
    assert (found["session"], found["over"], [b["over"] for b in found["budgets"]]) == ("new", True, [True, False])


def test_the_session_that_was_named(check: Check, spending: None) -> None:
    configure("session = 0.02\n")
    assert (check("old").code, check("new").code) == (0, 4)


def test_the_days_budget_alone(check: Check, spending: None) -> None:
    configure("daily = 0.02\n")
    ran = check("old")
    assert (ran.code, len(ran.out.splitlines())) == (4, 1)
    assert "over by $0.01" in ran.out


def test_what_is_not_known_is_neither_within_nor_over(check: Check) -> None:
    write(session("s1", started_at=now()), turn(call(), call(cost=None), at=now()))
    configure("daily = 0.02\n")
    ran = check()
    assert ran.code == 0
    assert ran.out.startswith("not known")
    assert "at least $0.01 of $0.02, at most $0.01 left" in ran.out
    assert data(check("--json"))["budgets"][0]["spent"]["complete"] is False


def test_empty_books_have_spent_nothing(check: Check) -> None:
    configure("session = 1\ndaily = 1\n")
    ran = check()
    assert ran.code == 0
    assert ran.out.count("$0.00 of $1") == 2


def test_simulated_money_counts_where_there_is_nothing_real(check: Check) -> None:
    write(session("played", started_at=now(), simulated=True), turn(session="played", at=now()))
    configure(f"daily = {CENT / 10**12}\n")
    assert check().code == 0
    write(turn(session="played", at=now()))
    assert check().code == 4
    write(session("s1", started_at=now()), turn(at=now()))
    assert check().code == 0


def test_the_environment_counts(check: Check, spending: None, monkeypatch: pytest.MonkeyPatch) -> None:
    configure("session = 1\n")
    monkeypatch.setenv("RLMC_BUDGET_SESSION", "0.02")
    assert check().code == 4


@pytest.mark.parametrize("args", [("--today",), ("--by", "day"), ("--csv",), ("--all",), ("--since", "2026-01-01")])
def test_it_stands_alone(check: Check, args: tuple[str, ...]) -> None:
    ran = check(*args)
    assert ran.code == 2
    assert f"--check and {args[0]}" in ran.err


def test_a_ledger_that_is_none_is_said(check: Check) -> None:
    Path(ledger_file()).parent.mkdir(parents=True, exist_ok=True)
    Path(ledger_file()).write_text("no ledger")
    configure("daily = 1\n")
    assert check().code == 1


def test_a_misspelt_budget_is_no_silent_pass(check: Check, spending: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RLMC_BUDGET_DALY", "0.01")
    assert "RLMC_BUDGET_DAILY" in check().err
    ran = check("--json")
    assert (ran.code, data(ran)["over"]) == (0, False)  # stdout is still JSON alone


@pytest.mark.parametrize("columns", [60, 80])
def test_lines_are_fitted_to_a_terminal(
    check: Check, spending: None, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    configure("session = 0.05\ndaily = 0.03\n")
    monkeypatch.setattr(console, "is_terminal", lambda _stream: True)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", str(columns))
    write(session("f" * 16, started_at=now(), name="a name of many words"), turn(call(), session="f" * 16, at=now()))
    lines = check("f" * 16).out.splitlines()
    assert max(map(len, lines)) <= columns
    text = " ".join(" ".join(lines).split())
    assert "a name of many words" in text
    assert "$0.01 of $0.05, $0.04 left" in text
