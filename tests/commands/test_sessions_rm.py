"""`rlmc sessions rm`: only what was meant, only after asking, never what is in use; and it is said afterwards."""

from __future__ import annotations

import json

import pytest
from tests.support import cli
from tests.support.books import CENT, call, session, turn
from tests.support.live import Live

from rlmc.commands import sessions, stats
from rlmc.config.paths import ledger_file
from rlmc.errors import UsageError
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
    assert json.loads(out)["data"] == {"sessions": ["bbb2", "aaa1"], "turns": 2} or set(
        json.loads(out)["data"]["sessions"]
    ) == {"aaa1", "bbb2"}


def test_what_is_in_use_stays(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    held = live.open_session(id="held")
    status = live.control("GET", "/-/status")[1]
    monkeypatch.setattr("rlmc.daemon.control.status", lambda: status)
    live.daemon.books.ledger.flush(10)
    with pytest.raises(UsageError, match="is in use"):
        sessions.sessions_rm([held.id], yes=True)
    assert cli.run(sessions.register, "sessions", "rm", "--older-than", "2100-01-01", "--yes").out.startswith("No ")
