from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from rlmc.commands.checks.ledger import check_ledger
from rlmc.ledger.files import connect
from rlmc.ledger.schema import VERSION


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rlmc" / "ledger.db"


def test_none_yet(file: Path) -> None:
    checks = check_ledger(file)
    assert [one.status for one in checks] == ["ok"]
    assert not file.parent.exists()


def test_a_sound_ledger_also_while_somebody_writes(file: Path) -> None:
    db = connect(file)
    try:
        db.execute("BEGIN IMMEDIATE")
        checks = check_ledger(file)
        assert [one.status for one in checks] == ["ok"]
        assert f"version {VERSION}" in checks[0].detail
    finally:
        db.close()


def test_a_newer_ledger(file: Path) -> None:
    db = connect(file)
    db.execute(f"PRAGMA user_version = {VERSION + 1}")
    db.close()
    checks = check_ledger(file)
    assert [one.status for one in checks] == ["fail"]
    assert str(VERSION + 1) in checks[0].detail
    assert checks[0].fix


def test_not_a_ledger(file: Path) -> None:
    file.parent.mkdir()
    file.write_bytes(b"this is no database, whatever its name says" * 100)
    before = file.read_bytes()
    assert [one.status for one in check_ledger(file)] == ["fail"]
    assert file.read_bytes() == before
    file.unlink()
    other = sqlite3.connect(file)
    other.execute("CREATE TABLE songs (name)")
    other.close()
    assert [one.status for one in check_ledger(file)] == ["fail"]


def test_damage_in_the_middle(file: Path) -> None:
    db = connect(file)
    db.executescript("CREATE TABLE filler (x); CREATE INDEX i ON filler (x);")
    db.executemany("INSERT INTO filler VALUES (?)", [("x" * 500 + str(n),) for n in range(500)])
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    content = bytearray(file.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 20_000] = b"\x5a" * 20_000
    file.write_bytes(bytes(content))
    assert [one.status for one in check_ledger(file)] == ["fail"]


def test_ledgers_set_aside_are_told(file: Path) -> None:
    connect(file).close()
    file.with_name("ledger.corrupt-20260101-000000.db").touch()
    checks = check_ledger(file)
    assert [one.status for one in checks] == ["ok", "warn"]
    assert "ledger.corrupt-20260101-000000.db" in checks[1].detail
