"""What is taken out of a ledger: the oldest, whole, no more than asked; and what it came to is kept."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.books import CENT, call, session, turn

from rlmc.ledger import retention
from rlmc.ledger.files import connect
from rlmc.ledger.queries import LedgerReader
from rlmc.ledger.retention import DAY, Caps
from rlmc.ledger.rows import write_session, write_turn
from rlmc.ledger.schema import migrate
from rlmc.ledger.store import Ledger

PLENTY = 1 << 40


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
    """Every removal puts the next one behind what is waiting."""
    for _ in range(20):
        assert ledger.flush(10)


def test_the_old_go_and_the_rest_stays(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = fill(path, [40, 31, 29, 0.5])
    ledger.keep_within(Caps(30, PLENTY), frozenset())
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
    ledger.keep_within(Caps(1, 1), frozenset({"s400"}))
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
    ledger.keep_within(Caps(0, 2_000_000), frozenset())
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
        retention.give_back(db)
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
                write_turn(db, turn(call(cost=CENT), session=f"s{number}", at=at - age * DAY, baseline=3 * CENT))
        whole = db.execute("SELECT count(*), coalesce(sum(baseline), 0) FROM turns").fetchone()
        ages = retention.ages(db)
        gone = []
        in_use = {f"s{number}" for number in spared}
        while (found := retention.overdue(ages, 0, Caps(days, 1), in_use, at)) is not None:
            gone.append(found[0])
            retention.remove(db, [found[0]], found[1], at)
        kept = db.execute("SELECT count(*), coalesce(sum(baseline), 0) FROM turns").fetchone()
        removed = db.execute("SELECT coalesce(sum(turns), 0), coalesce(sum(baseline), 0) FROM removals").fetchone()
        assert tuple(map(sum, zip(kept, removed, strict=True))) == whole
        assert db.execute("SELECT count(*) FROM calls WHERE turn_id NOT IN (SELECT id FROM turns)").fetchone() == (0,)
        old = {f"s{n}" for n, (age, _) in enumerate(made) if days and age > max(days, 0) and age >= 1}
        assert set(gone) == old - in_use


def test_rows_go_on_coming_while_old_ones_go(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = fill(path, [float(age) for age in range(100, 160)])
    ledger.keep_within(Caps(30, PLENTY), frozenset())
    ledger.start_session(session("new", started_at=now()))
    for number in range(300):
        ledger.record(turn(session="new", at=now() + number))
    settle(ledger)
    while len(sessions(path)) > 1:
        assert ledger.flush(10)
    ledger.close()
    assert rows(path, "SELECT session_id, count(*) FROM turns GROUP BY 1") == [("new", 300)]
    assert ledger.error is None
