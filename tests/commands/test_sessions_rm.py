"""`rlmc sessions rm`: only what was meant, only after asking, never what is in use; and it is said afterwards."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing

import pytest
from tests.support import cli
from tests.support.books import CENT, call, session, turn
from tests.support.live import Live

from rlmc.commands import sessions, stats
from rlmc.config.paths import ledger_file
from rlmc.daemon.state import daemon_lock
from rlmc.errors import DaemonError, UsageError
from rlmc.ledger.retention import DAY
from rlmc.ledger.store import Ledger


@pytest.fixture
def books() -> None:
    ledger = Ledger.open(ledger_file())
    ledger.start_session(session("aaa1", name="one"))
    ledger.start_session(session("bbb2"))
    ledger.start_session(session("ccc3", simulated=True))
    for id, cents in (("aaa1", 5), ("bbb2", 11), ("ccc3", 100)):
        ledger.record(turn(call(cost=cents * CENT), session=id, baseline=cents * CENT))
    assert ledger.flush(10)
    ledger.close()


def left() -> set[str]:
    out = cli.run(sessions.register, "sessions", "--all", "--json").out
    return {one["id"] for one in json.loads(out)["data"]["sessions"]}


@pytest.mark.usefixtures("books")
def test_by_id_or_name_and_stats_says_what_is_missing() -> None:
    ran = cli.run(sessions.register, "sessions", "rm", "one", "--yes")
    assert ran.out == "Removed 1 session with 1 turn (paid $0.05).\n"
    assert left() == {"bbb2", "ccc3"}
    shown = cli.run(stats.register, "stats", "--all").out
    assert "1 turn of 1 session, none after" in shown
    assert "$0.11" in shown
    assert "removed" not in cli.run(stats.register, "stats", "--today").out


@pytest.mark.usefixtures("books")
def test_simulated_and_old_ones() -> None:
    assert cli.run(sessions.register, "sessions", "rm", "--simulated", "--yes").out.startswith("Removed 1 session")
    assert left() == {"aaa1", "bbb2"}
    assert "removed" not in cli.run(stats.register, "stats", "--all").out, "they were in no total"
    assert cli.run(sessions.register, "sessions", "rm", "--older-than", "1971-01-01", "--yes").out == (
        "No session is to be removed.\n"
    )
    with pytest.raises(UsageError, match="--older-than soon: not a date"):
        sessions.sessions_rm(older_than="soon", yes=True)
    assert left() == {"aaa1", "bbb2"}
    cli.run(sessions.register, "sessions", "rm", "--older-than", "2100-01-01", "--yes")
    assert left() == set()


@pytest.mark.usefixtures("books")
def test_nothing_goes_without_a_word() -> None:
    with pytest.raises(UsageError, match="nothing says"):
        sessions.sessions_rm(yes=True)
    with pytest.raises(UsageError, match="nobody to ask"):
        sessions.sessions_rm(["bbb2"])
    with pytest.raises(UsageError, match="no session"):
        sessions.sessions_rm(["zzz"], yes=True)
    with pytest.raises(UsageError, match="--json"):
        sessions.sessions_rm(["bbb2"], json=True)
    assert left() == {"aaa1", "bbb2", "ccc3"}


@pytest.mark.usefixtures("books")
def test_json() -> None:
    out = cli.run(sessions.register, "sessions", "rm", "aaa1", "bbb2", "--yes", "--json").out
    data = json.loads(out)["data"]
    assert (sorted(data["sessions"]), data["turns"]) == (["aaa1", "bbb2"], 2)


@pytest.mark.parametrize("length", ["90d", "12 weeks", "90 days ago"])
def test_a_length_of_time_is_counted_back_from_now(length: str) -> None:
    at = time.time_ns() // 1000
    ledger = Ledger.open(ledger_file())
    for id, days in (("new1", 80), ("old1", 100), ("old2", 200)):
        ledger.start_session(session(id, started_at=at - days * DAY))
    # It began long ago, and was in use since.
    ledger.record(turn(session="old2", at=at - 10 * DAY))
    assert ledger.flush(10)
    ledger.close()
    cli.run(sessions.register, "sessions", "rm", "--older-than", length, "--yes")
    assert left() == {"new1", "old2"}


@pytest.mark.usefixtures("books")
def test_asked_and_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def answer(text: str, **_: object) -> None:
        asked.append(text)

    monkeypatch.setattr("rlmc.ui.console.is_terminal", lambda _: True)
    monkeypatch.setattr("typer.confirm", answer)
    out = cli.run(sessions.register, "sessions", "rm", "bbb2").out
    assert asked == ["Remove 1 session with 1 turn (paid $0.11)?"]
    assert "bbb2" in out
    assert left() == {"aaa1", "ccc3"}


@pytest.mark.usefixtures("books")
def test_a_session_that_comes_into_use_while_one_is_asked_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    known: list[dict[str, str]] = []
    monkeypatch.setattr("rlmc.ui.console.is_terminal", lambda _: True)
    monkeypatch.setattr("rlmc.daemon.control.status", lambda: {"sessions": known})
    monkeypatch.setattr("typer.confirm", lambda *_, **__: known.append({"id": "bbb2"}))
    with pytest.raises(UsageError, match="in use by now"):
        sessions.sessions_rm(["bbb2"])
    assert "bbb2" in left()


@pytest.mark.usefixtures("books")
def test_a_daemon_that_does_not_answer_may_use_any_of_them() -> None:
    with daemon_lock() as lock:
        assert lock.acquire(1)
        with pytest.raises(DaemonError, match="nobody knows which sessions"):
            sessions.sessions_rm(["bbb2"], yes=True)
    assert "bbb2" in left()


@pytest.mark.usefixtures("books")
def test_another_writer_goes_on_meanwhile() -> None:
    ledger = Ledger.open(ledger_file())
    for number in range(200):
        ledger.record(turn(session="new", id=f"n{number}"))
        if number == 50:
            cli.run(sessions.register, "sessions", "rm", "aaa1", "bbb2", "--yes")
    assert ledger.flush(10)
    assert ledger.error is None
    ledger.close()
    with closing(sqlite3.connect(ledger_file())) as db:
        assert db.execute("SELECT session_id, count(*) FROM turns GROUP BY 1 ORDER BY 1").fetchall() == [
            ("ccc3", 1),
            ("new", 200),
        ]


def test_what_is_in_use_stays(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    held = live.open_session(id="held")
    status = live.control("GET", "/-/status")[1]
    monkeypatch.setattr("rlmc.daemon.control.status", lambda: status)
    live.daemon.books.ledger.flush(10)
    with pytest.raises(UsageError, match="is in use"):
        sessions.sessions_rm([held.id], yes=True)
    assert cli.run(sessions.register, "sessions", "rm", "--older-than", "2100-01-01", "--yes").out.startswith("No ")


def test_an_empty_name_is_no_beginning_of_an_id() -> None:
    """As from a variable of a script that is not set: not even the only session there is."""
    ledger = Ledger.open(ledger_file())
    ledger.start_session(session("aaa1"))
    ledger.record(turn(call(), session="aaa1"))
    assert ledger.flush(10)
    ledger.close()
    ran = cli.run(sessions.register, "sessions", "rm", "", "--yes")
    assert (ran.code, ran.out) == (2, "")
    assert "SESSION is empty" in ran.err
    assert left() == {"aaa1"}
