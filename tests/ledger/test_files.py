"""Databases on disks where a write-ahead log does not work, held by others, or in folders nobody may write to."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.support.books import session, turn

from rlmc.errors import LedgerError
from rlmc.ledger import files, queries
from rlmc.ledger.queries import LedgerReader
from rlmc.ledger.store import Ledger


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "ledger.db"


@pytest.fixture
def over_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "network_disk", lambda _: "nfs4")


def mode(path: Path) -> str:
    with closing(sqlite3.connect(path)) as db:
        return str(db.execute("PRAGMA journal_mode").fetchone()[0])


def fill(path: Path, count: int = 1) -> None:
    ledger = Ledger.open(path)
    ledger.start_session(session())
    for _ in range(count):
        ledger.record(turn())
    assert ledger.flush(10)
    ledger.close()
    assert ledger.error is None


def turns(path: Path) -> int:
    reader = LedgerReader.open(path)
    try:
        return sum(1 for _ in reader.turns())
    finally:
        reader.close()


def test_over_a_network_there_is_no_write_ahead_log(path: Path, over_a_network: None) -> None:
    fill(path, 3)
    assert not path.with_name("ledger.db-wal").exists()
    assert not path.with_name("ledger.db-shm").exists()
    assert mode(path) != "wal"
    assert turns(path) == 3
    assert "network disk (nfs4)" in (files.remark(path) or "")


def test_a_ledger_that_moves_to_a_network_disk_and_back_goes_on(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind, expected in ((None, "wal"), ("cifs", "delete"), (None, "wal")):
        monkeypatch.setattr(files, "network_disk", lambda _, kind=kind: kind)
        fill(path)
        assert mode(path) == expected
    assert turns(path) == 3


def test_where_the_shared_memory_of_a_write_ahead_log_does_not_work_there_is_none(path: Path) -> None:
    class Odd(sqlite3.Connection):
        def execute(self, sql: str, *values: object) -> sqlite3.Cursor:  # type: ignore[override]
            if "WAL" in sql:
                error = sqlite3.OperationalError("disk I/O error")
                error.sqlite_errorcode = sqlite3.SQLITE_IOERR_SHMMAP
                raise error
            return super().execute(sql, *values)

    path.parent.mkdir()
    with closing(sqlite3.connect(path, factory=Odd)) as db:
        files._set_journal(db, path)
        assert db.execute("PRAGMA journal_mode").fetchone()[0] == "truncate"
        assert db.execute("PRAGMA synchronous").fetchone()[0] == 2


def test_an_unfinished_write_goes_with_its_database(path: Path) -> None:
    """Or it would be played into the next one of that name."""
    path.parent.mkdir()
    for name in ("ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.db-journal"):
        (path.parent / name).write_text(name)
    target = files.set_aside(path, "corrupt", datetime(2026, 11, 26, 12, tzinfo=UTC))
    assert sorted(file.name for file in path.parent.iterdir()) == sorted(
        target.name + extra for extra in ("", "-wal", "-shm", "-journal")
    )


def test_an_emptied_database_with_an_unfinished_write_is_kept(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    path.with_name("ledger.db-journal").write_bytes(b"rows")
    Ledger.open(path).close()
    [kept] = path.parent.glob("ledger.corrupt-*.db-journal")
    assert kept.read_bytes() == b"rows"


def test_opening_does_not_wait_for_somebody_elses_lock(path: Path) -> None:
    fill(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        other.execute("SELECT * FROM turns").fetchall()
        began = time.monotonic()
        ledger = Ledger.open(path)
        assert time.monotonic() - began < 2
        assert "locked" in (ledger.error or "")
        ledger.record(turn())
        other.execute("ROLLBACK")
    assert ledger.flush(10)
    ledger.close()
    assert ledger.error is None
    assert turns(path) == 2


def test_a_reader_says_that_another_program_holds_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "BUSY_MS", 20)
    fill(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        other.execute("SELECT * FROM turns").fetchall()
        with pytest.raises(LedgerError, match="held by another program") as caught:
            turns(path)
    assert "turns go on" in (caught.value.hint or "")
