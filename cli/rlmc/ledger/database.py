"""The ledger's database as its writer keeps it: opened when it is needed, anew when it was moved, set aside when it
cannot be used.

Rule: what is wrong with it is in `failure` until a write succeeds; a file that is set aside is renamed and never
deleted, and `notices` say where it is. Used by the writer's thread alone, but for the first opening.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from rlmc.errors import LedgerError
from rlmc.ledger import files


class Database:
    """`opened` counts how often it was: who keeps something of a connection can tell whether it still is the same."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self.opened = 0
        self.failure: str | None = None
        self.notices: list[str] = []

    def connection(self) -> sqlite3.Connection:
        """The open database; opened anew when its file was moved or deleted, which SQLite itself would not notice."""
        if self._db is not None:
            if self._file == _identity(self._path):
                return self._db
            self._db.close()
            self._db = None
        try:
            self._db = files.connect(self._path)
        except (LedgerError, sqlite3.DatabaseError) as error:
            verdict = files.unusable(error)
            if verdict is None:
                raise
            self._set_aside(*verdict)
            self._db = files.connect(self._path)
        self._file = _identity(self._path)
        self.opened += 1
        return self._db

    def check(self) -> None:
        """Damage deep in the file shows only to a reader; look for it once, before the first row is added."""
        try:
            if self._db is not None and not files.is_sound(self._db, self._path):
                self._set_aside("corrupt", "is damaged")
        except (sqlite3.Error, LedgerError, OSError) as error:
            self.recover(error)

    def note(self, error: BaseException) -> None:
        self.failure = f"the ledger {self._path} cannot be written: {error}"

    def recover(self, error: BaseException) -> bool:
        """Note what went wrong. True when the cause is gone: a damaged database was set aside."""
        self.note(error)
        verdict = files.unusable(error)
        if verdict is None:
            return False
        try:
            self._set_aside(*verdict)
        except OSError as failed:
            self.note(failed)
            return False
        return True

    def close(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            with suppress(sqlite3.Error):
                db.close()

    def _set_aside(self, label: str, why: str) -> None:
        self.close()
        target = files.set_aside(self._path, label, datetime.now().astimezone())
        self.notices.append(f"the ledger {self._path} {why} and was kept as {target}; a new one was begun")


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
