"""What is taken out of a ledger: the oldest, whole, no more than asked; and what it came to is kept."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.books import CENT, call, session, turn

from rlmc.ledger import retention
from rlmc.ledger.files import connect
from rlmc.ledger.queries import LedgerReader
from rlmc.ledger.retention import DAY, Caps
from rlmc.ledger.rows import turn_rows, write_session, write_turns
from rlmc.ledger.schema import migrate
from rlmc.ledger.store import Ledger

PLENTY = 1 << 40


def nobody() -> frozenset[str]:
    return frozenset()


def now() -> int:
    return time.time_ns() // 1000


def fill(path: Path, ages: Sequence[float], *, turns: int = 3, body: int = 0) -> Ledger:
    """A session for each age in days, called by it."""
    ledger = Ledger.open(path)
    for age in ages:
        at = now() - round(age * DAY)
        ledger.start_session(session(f"s{age}", started_at=at - turns))
        for number in range(turns):
            ledger.record(
                turn(call(cost=CENT), call("draft", cost=None), session=f"s{age}", at=at - number, baseline=2 * CENT,
                     request_body=bytes(body))
            )  # fmt: skip
    assert ledger.flush(10)
    return ledger


def rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute(sql).fetchall()


def sessions(path: Path) -> set[object]:
    return {id for (id,) in rows(path, "SELECT id FROM sessions")}


def settle(ledger: Ledger) -> None:
    """A step is taken after each batch of what is recorded."""
    for _ in range(40):
        assert ledger.flush(10)


def test_the_old_go_and_the_rest_stays(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = fill(path, [40, 31, 29, 0.5])
    ledger.keep_within(Caps(30, PLENTY), nobody)
    settle(ledger)
    assert sessions(path) == {"s29", "s0.5"}
    assert rows(path, "SELECT count(*) FROM turns") == [(6,)]
    assert rows(path, "SELECT count(*) FROM calls") == [(12,)]
    assert dict(ledger.removed) == {"age": 6}
    ledger.close()
    reader = LedgerReader.open(path)
    turns, gone, until = reader.removed()
    assert (turns, gone) == (6, 2)
    assert reader.removed(until + 1) == (0, 0, 0)
    reader.close()
    assert rows(path, "SELECT sum(paid), sum(paid_missing), sum(baseline) FROM removals") == [(6 * CENT, 6, 12 * CENT)]


def test_what_is_in_use_or_of_today_stays_whatever_the_caps(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = fill(path, [400, 300, 0.9])
    ledger.keep_within(Caps(1, 1), lambda: {"s400"})
    settle(ledger)
    ledger.close()
    assert sessions(path) == {"s400", "s0.9"}


def test_a_ledger_that_grew_too_large_gives_its_room_back(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = Ledger.open(path)
    for age in range(2, 12):
        at = now() - age * DAY
        ledger.start_session(session(f"s{age}", started_at=at))
        ledger.record(turn(session=f"s{age}", at=at, request_body=os.urandom(600_000)))
    assert ledger.flush(20)
    before = path.stat().st_size + path.with_name("ledger.db-wal").stat().st_size
    ledger.keep_within(Caps(0, 2_000_000), nobody)
    settle(ledger)
    ledger.close()
    assert sessions(path) == {"s2", "s3", "s4"}
    assert path.stat().st_size < 2_500_000 < before
    assert rows(path, "SELECT count(*) FROM contents") == [(3,)]
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]


def test_a_ledger_begun_before_it_could_shrink_is_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    fill(path, [9, 8, 7], body=10).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA auto_vacuum = NONE")
        db.execute("VACUUM")
        db.execute("CREATE TABLE big (x)")
        db.execute("INSERT INTO big VALUES (zeroblob(3000000))")
        db.execute("DROP TABLE big")
    with closing(connect(path)) as db:
        assert len(list(retention.give_back(db))) == 1
    assert path.stat().st_size < 1_000_000
    assert rows(path, "PRAGMA auto_vacuum") == [(2,)]
    assert len(sessions(path)) == 3


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 4)), max_size=8),
    st.integers(0, 40),
    st.sets(st.integers(0, 7)),
)
def test_whatever_goes_what_is_kept_and_what_was_removed_make_the_whole(
    made: list[tuple[int, int]], days: int, spared: set[int]
) -> None:
    at = 1_800_000_000_000_000
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        migrate(db)
        for number, (age, turns) in enumerate(made):
            write_session(db, session(f"s{number}", started_at=at - age * DAY))
            for _ in range(turns):
                one = turn(call(cost=CENT), session=f"s{number}", at=at - age * DAY, baseline=3 * CENT)
                write_turns(db, [turn_rows(one)])
        whole = db.execute("SELECT count(*), coalesce(sum(baseline), 0) FROM turns").fetchone()
        ages = retention.ages(db)
        gone = []
        in_use = {f"s{number}" for number in spared}
        while (found := retention.overdue(ages, 0, Caps(days, 1), in_use, at, at)) is not None:
            gone.append(found[0])
            retention.remove(db, found[0], found[1], at)
        kept = db.execute("SELECT count(*), coalesce(sum(baseline), 0) FROM turns").fetchone()
        removed = db.execute("SELECT coalesce(sum(turns), 0), coalesce(sum(baseline), 0) FROM removals").fetchone()
        assert tuple(map(sum, zip(kept, removed, strict=True))) == whole
        assert db.execute("SELECT count(*) FROM calls WHERE turn_id NOT IN (SELECT id FROM turns)").fetchone() == (0,)
        old = {f"s{n}" for n, (age, _) in enumerate(made) if days and age > max(days, 0) and age >= 1}
        assert set(gone) == old - in_use


MOMENTS = st.lists(st.integers(0, 4_000), max_size=12).map(sorted)


@given(MOMENTS, st.integers(0, 4_000), st.integers(1, 90), st.integers(61, 3_650))
def test_a_clock_that_leaps_ahead_makes_nothing_old(days: list[int], last: int, cap: int, leap: int) -> None:
    """What goes under a clock set years ahead would have gone under the right one, whatever was begun meanwhile."""
    moments = [day * DAY for day in days if day <= last] + [last * DAY]
    right = retention.believed(moments, last * DAY)
    ahead = (last + leap) * DAY
    assert retention.believed(moments, ahead) <= max(right, last * DAY)
    wrongly = [*moments, ahead, ahead + 5 * DAY]  # sessions that are dated so
    assert retention.believed(wrongly, ahead + 6 * DAY) == last * DAY
    assert retention.believed(wrongly, ahead + 30 * DAY) == ahead + 30 * DAY, "a clock that stays so is right"
    assert retention.believed(wrongly, last * DAY) == right, "set back, it is as if nothing had been"


def test_nothing_is_removed_by_age_because_the_clock_has_leapt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "ledger.db"
    ledger = fill(path, [40, 20, 0.5])
    real = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real() + 3650 * DAY * 1000)
    ledger.start_session(session("ahead", started_at=now()))
    ledger.keep_within(Caps(30, PLENTY), nobody)
    settle(ledger)
    ledger.close()
    assert sessions(path) == {"s20", "s0.5", "ahead"}


def test_a_step_that_fails_is_taken_again_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "ledger.db"
    ledger = fill(path, [float(age) for age in range(40, 50)])
    real, tries = retention.remove, [0]

    def full(*args: Any) -> retention.Removal:
        tries[0] += 1
        if tries[0] == 4:
            raise sqlite3.OperationalError("database or disk is full")
        return real(*args)

    monkeypatch.setattr(retention, "remove", full)
    ledger.keep_within(Caps(30, PLENTY), nobody)
    settle(ledger)
    assert (len(sessions(path)), dict(ledger.removed), ledger.error) == (7, {"age": 9}, None)
    assert "could not be kept within its caps: database or disk is full" in caplog.text
    ledger.keep_within(Caps(30, PLENTY), nobody)
    settle(ledger)
    assert (len(sessions(path)), dict(ledger.removed)) == (0, {"age": 30})
    ledger.close()


def test_whoever_comes_into_use_meanwhile_stays(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = fill(path, [50, 49, 48, 47])
    asked = []

    def in_use() -> set[str]:
        asked.append(len(sessions(path)))
        return {"s47"} if len(asked) > 2 else set()

    ledger.keep_within(Caps(30, PLENTY), in_use)
    settle(ledger)
    ledger.close()
    assert sessions(path) == {"s47"}


def test_a_ledger_that_closes_first_writes_what_it_has_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = fill(path, [float(age) for age in range(40, 240)])
    ledger.keep_within(Caps(30, PLENTY), nobody)
    ledger.start_session(session("new", started_at=now()))
    ledger.record(turn(session="new", at=now()))
    ledger.close()
    assert ledger.error is None
    assert "new" in sessions(path)
    left, told = len(sessions(path)) - 1, sum(ledger.removed.values())
    assert left * 3 + told == 600
    assert rows(path, "SELECT coalesce(sum(turns), 0) FROM removals") == [(told,)]


def test_writing_anew_does_not_hold_up_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a VACUUM of a large file: it takes long, and can be interrupted."""
    path = tmp_path / "ledger.db"
    ledger = fill(path, [1])
    begun = threading.Event()

    def slow(db: sqlite3.Connection) -> Iterator[None]:
        begun.set()
        db.execute("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n").fetchone()
        yield

    monkeypatch.setattr(retention, "give_back", slow)
    ledger.keep_within(Caps(0, PLENTY), nobody)
    assert begun.wait(10)
    ledger.record(turn(session="s1", at=now()))
    ledger.close()
    assert ledger.error is None
    assert rows(path, "SELECT count(*) FROM turns") == [(4,)]


def test_rows_go_on_coming_while_old_ones_go(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = fill(path, [float(age) for age in range(35, 95)])
    ledger.keep_within(Caps(30, PLENTY), nobody)
    ledger.start_session(session("new", started_at=now()))
    for number in range(300):
        ledger.record(turn(session="new", at=now() + number))
    settle(ledger)
    while len(sessions(path)) > 1:
        assert ledger.flush(10)
    ledger.close()
    assert rows(path, "SELECT session_id, count(*) FROM turns GROUP BY 1") == [("new", 300)]
    assert ledger.error is None
