"""Migrations: in order, whole or not at all, never on somebody else's database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from rlmc.ledger import schema
from rlmc.ledger.schema import VERSION, NewerLedger, NotALedger, migrate, version_of


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    yield connection
    connection.close()


def test_an_empty_database_becomes_the_newest_version(db: sqlite3.Connection) -> None:
    assert version_of(db) == 0
    migrate(db)
    assert version_of(db) == VERSION
    migrate(db)
    assert version_of(db) == VERSION


def test_a_step_that_fails_leaves_nothing_behind(db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    migrate(db)
    steps = (*schema.MIGRATIONS, ("CREATE TABLE extra (x)", "CREATE TABLE extra (x)"))
    monkeypatch.setattr(schema, "MIGRATIONS", steps)
    monkeypatch.setattr(schema, "VERSION", VERSION + 1)
    with pytest.raises(sqlite3.OperationalError):
        migrate(db)
    assert version_of(db) == VERSION
    assert db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'extra'").fetchone() == (0,)
    assert not db.in_transaction


def test_later_steps_are_applied_to_an_older_database(db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    migrate(db)
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, ("ALTER TABLE sessions ADD COLUMN mood TEXT",)))
    monkeypatch.setattr(schema, "VERSION", VERSION + 1)
    migrate(db)
    assert version_of(db) == VERSION + 1
    db.execute("SELECT mood FROM sessions")


def test_a_newer_database_is_refused(db: sqlite3.Connection) -> None:
    migrate(db)
    db.execute(f"PRAGMA user_version = {VERSION + 7}")
    with pytest.raises(NewerLedger) as found:
        migrate(db)
    assert found.value.version == VERSION + 7
    assert found.value.hint


@pytest.mark.parametrize("version", [0, VERSION])
def test_a_database_of_another_program_is_refused(db: sqlite3.Connection, version: int) -> None:
    db.execute("CREATE TABLE songs (title TEXT)")
    db.execute(f"PRAGMA user_version = {version}")
    with pytest.raises(NotALedger):
        migrate(db)


@pytest.mark.parametrize(
    ("sql", "index"),
    [
        (
            "SELECT * FROM turns t WHERE t.started_at >= 1 AND t.started_at < 2 ORDER BY t.started_at, t.id",
            "turns_by_time",
        ),
        ("SELECT * FROM turns t WHERE t.session_id = 'x' ORDER BY t.started_at, t.id", "turns_by_session"),
        ("SELECT * FROM sessions ORDER BY started_at DESC LIMIT 1", "sessions_by_time"),
        ("SELECT * FROM calls WHERE turn_id = 'x' ORDER BY seq", "PRIMARY KEY"),
    ],
)
def test_what_is_asked_for_often_needs_neither_a_scan_nor_a_sort(db: sqlite3.Connection, sql: str, index: str) -> None:
    migrate(db)
    plan = " ".join(row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {sql}"))
    assert index in plan
    assert "TEMP B-TREE" not in plan
