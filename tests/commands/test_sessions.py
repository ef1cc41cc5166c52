"""`rlmc sessions` from the outside: which sessions, in what order, with which figures."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from tests.support.books import CENT, call, session, turn
from tests.support.prices import HAIKU
from typer.testing import CliRunner, Result

from rlmc.commands.sessions import register
from rlmc.domain.outcome import Outcome, Reason
from rlmc.domain.record import SessionRecord, TurnRecord
from rlmc.errors import LedgerError, UsageError
from rlmc.ledger.store import Ledger

Sessions = Callable[..., Result]
HERE = "/home/ada/project"


@pytest.fixture
def books(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RLMC_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    return tmp_path / "ledger.db"


@pytest.fixture
def sessions(books: Path) -> Sessions:
    app = typer.Typer()
    register(app)
    app.command("other")(lambda: None)

    def run(*args: str) -> Result:
        return CliRunner().invoke(app, ["sessions", *args])

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


def ago(days: float = 0) -> int:
    """Noon of the day so many days before today."""
    noon = datetime.now().astimezone().replace(hour=12, minute=0, second=0, microsecond=0)
    return int((noon - timedelta(days=days)).timestamp()) * 1_000_000


def data(result: Result) -> Any:
    assert result.exception is None, result.output
    found = json.loads(result.stdout)
    assert found["schema"] == "rlmc.sessions/1"
    return found["data"]


def skipped(**changes: Any) -> TurnRecord:
    draft = call("draft", model=HAIKU, cost=CENT // 100)
    return turn(draft, outcome=Outcome.SKIPPED, reason=Reason.AFTER_READ, estimated=True, **changes)


def test_empty_books_say_what_to_do(sessions: Sessions) -> None:
    result = sessions()
    assert result.exit_code == 0
    assert "rlmc run --" in result.stdout
    assert data(sessions("--json"))["sessions"] == []


def test_a_line_for_each_session_newest_first(sessions: Sessions, books: Path) -> None:
    write(
        books,
        session("0123456789abcdef", started_at=ago(2), name="fix"),
        session("0123456fffffffff", started_at=ago(1)),
        skipped(session="0123456789abcdef", at=ago(2), baseline=3 * CENT),
        turn(session="0123456789abcdef", at=ago(2)),
        turn(call(cost=3 * CENT), session="0123456fffffffff", at=ago(1)),
    )
    text = sessions("--all").stdout
    heading, _, columns, newest, oldest, *_ = text.splitlines()
    assert heading == "rlmc sessions: all time"
    assert columns.split() == ["id", "when", "client", "project", "branch", "turns", "skipped", "paid", "saved"]
    assert newest.split()[0] == "0123456f"
    assert newest.split()[3:] == ["claude", HERE, "main", "1", "0", "%", "$0.03", "-$0.02"]
    assert oldest.split()[3:] == ["claude", "fix", HERE, "main", "2", "50", "%", "$0.01", "$0.03"]
    found = data(sessions("--all", "--json"))["sessions"]
    assert [one["id"] for one in found] == ["0123456fffffffff", "0123456789abcdef"]
    assert [one["skipped_share"] for one in found] == [0.0, 0.5]
    assert found[1]["saved"]["picodollars"] == 4 * CENT - CENT - CENT // 100
    assert (found[1]["directory"], found[1]["git_branch"]) == (HERE, "main")


def test_ids_are_as_long_as_it_takes_to_tell_them_apart(sessions: Sessions, books: Path) -> None:
    write(books, session("0123456789aa", started_at=ago()), session("0123456789ab", started_at=ago()))
    lines = sessions("--all").stdout.splitlines()[3:5]
    assert sorted(line.split()[0] for line in lines) == ["0123456789aa", "0123456789ab"]


def test_a_session_that_goes_on_today_is_shown_whole(sessions: Sessions, books: Path) -> None:
    write(books, session("long", started_at=ago(1)), session("over", started_at=ago(1)))
    write(books, turn(session="long", at=ago(1)), turn(session="long", at=ago()), turn(session="over", at=ago(1)))
    [only] = data(sessions("--today", "--json"))["sessions"]
    assert (only["id"], only["turns"]) == ("long", 2)


def test_without_a_period_it_is_today_or_else_everything(sessions: Sessions, books: Path) -> None:
    write(books, session("s1", started_at=ago(3)), turn(at=ago(3)))
    assert data(sessions("--json"))["notes"] == ["No turns today, so this is everything."]
    assert "No turns today" in sessions().stdout
    day = datetime.fromtimestamp(ago(3) / 1e6).astimezone().date()
    assert sessions("--today").stdout.splitlines()[-1].split() == ["rlmc", "sessions", "--since", f"{day}"]


def test_a_session_without_turns_claims_no_figures(sessions: Sessions, books: Path) -> None:
    write(books, session("s1", started_at=ago()))
    assert sessions("--all").stdout.splitlines()[3].split()[-4:] == ["0", "-", "-", "-"]
    [one] = data(sessions("--all", "--json"))["sessions"]
    assert (one["turns"], one["skipped_share"]) == (0, None)


def test_simulated_sessions_and_unknown_prices_are_marked(sessions: Sessions, books: Path) -> None:
    write(books, session("demo", started_at=ago(), simulated=True), turn(call(cost=None), session="demo", at=ago()))
    line = sessions("--all").stdout.splitlines()[3]
    assert "simulated claude" in line
    assert line.split()[-3:] == ["?", "≤", "$0.01"]


def test_contradictions_and_damaged_books_are_errors(sessions: Sessions, books: Path) -> None:
    assert isinstance(sessions("--today", "--all").exception, UsageError)
    books.write_bytes(b"nothing like a database")
    assert isinstance(sessions().exception, LedgerError)


def test_no_more_than_the_newest_are_listed_and_how_many_there_are_is_said(sessions: Sessions, books: Path) -> None:
    write(books, *(session(f"{n:03}", started_at=ago() + n) for n in range(60)))
    text = sessions("--all").stdout
    assert text.splitlines()[3].split()[0] == "059"
    assert sum(" claude " in line for line in text.splitlines()) == 50
    assert "The newest 50 of 60; `--limit 60` shows all." in text
    assert "The newest" not in sessions("--all", "--limit", "60").stdout
    assert sum(" claude " in line for line in sessions("--all", "--limit", "2").stdout.splitlines()) == 2
    found = data(sessions("--all", "--json"))
    assert (len(found["sessions"]), found["left_out"]) == (60, 0), "data is whole"
    found = data(sessions("--all", "--limit", "7", "--json"))
    assert (len(found["sessions"]), found["left_out"]) == (7, 53)
    assert sessions("--limit", "0").exit_code == 2


def test_csv_has_a_row_for_each_session(sessions: Sessions, books: Path) -> None:
    write(books, session("s1", started_at=ago(), name="a, b"), session("s2", started_at=ago(1)))
    write(books, skipped(session="s1", at=ago(), baseline=3 * CENT), turn(call(cost=None), session="s2", at=ago(1)))
    first, second = csv.DictReader(io.StringIO(sessions("--all", "--csv").stdout))
    assert (first["id"], first["name"], first["directory"], first["git_branch"]) == ("s1", "a, b", HERE, "main")
    assert (first["turns"], first["skipped"], first["paid_usd"], first["saved_usd"]) == ("1", "1", "0.0001", "0.0299")
    assert (second["paid_complete"], second["saved_bound"], second["name"]) == ("0", "at most", "")
    assert isinstance(sessions("--csv", "--json").exception, UsageError)


def test_a_project_and_a_branch_leave_only_their_sessions(sessions: Sessions, books: Path) -> None:
    places = (("a", "/p/shop", "main"), ("b", "/p/shop/api", "try"), ("c", "/p/shop-2", "main"))
    for id, directory, branch in places:
        write(books, replace(session(id, started_at=ago()), directory=directory, git_branch=branch))
        write(books, turn(session=id, at=ago()))
    write(books, turn(session="lost", at=ago()))

    def listed(*args: str) -> str:
        return "".join(sorted(one["id"] for one in data(sessions(*args, "--json"))["sessions"]))

    assert sorted(listed()) == sorted("abclost")
    assert listed("--project", "/p/shop") == "ab"
    assert listed("--branch", "main") == "ac"
    assert listed("--project", "/p/shop", "--branch", "try") == "b"
    assert "project /p/shop and below, branch try" in sessions("--project", "/p/shop", "--branch", "try").stdout
    assert "Branches in the ledger" in sessions("--branch", "gone").stdout


def test_sessions_of_which_nothing_came_through_send_to_the_doctor(sessions: Sessions, books: Path) -> None:
    write(books, session("s1", started_at=ago(3)))
    assert "rlmc doctor" in sessions("--today").stdout
