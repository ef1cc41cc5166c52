"""The database's file: private to the user, and never deleted. What cannot be used is renamed and stays.

Rule: the files of unfinished writes go with their database, and before it: one of them left behind would be played into
the next database of that name.
"""

from __future__ import annotations

import os
import sqlite3
from datetime import datetime
from pathlib import Path

from rlmc.config.disks import network_disk
from rlmc.ledger.schema import DamagedLedger, NewerLedger, NotALedger, migrate, version_of

BUSY_MS = 5_000
_OPEN_MS = 250  # a daemon that starts does not wait for somebody else's lock
_EXTRAS = ("-wal", "-shm", "-journal")
_MAGIC = b"SQLite format 3\x00"
_CHECK_LIMIT = 256 * 1024 * 1024
_BROKEN = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_TAKEN = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


def connect(path: Path) -> sqlite3.Connection:
    """A connection for writing, to a database of the newest version. Whatever thread opens it may hand it on."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # SQLite would create it with the mode the umask gives; its own extra files take the mode from this one.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)
    _look(path)
    db = sqlite3.connect(path, timeout=min(BUSY_MS, _OPEN_MS) / 1000, isolation_level=None, check_same_thread=False)
    try:
        # First of all: a database that is not ours is not to be touched.
        if version_of(db) == 0:
            db.execute("PRAGMA auto_vacuum = INCREMENTAL")  # only an empty one takes that
        _set_journal(db, path)
        db.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        migrate(db)
    except BaseException:
        db.close()
        raise
    return db


def _set_journal(db: sqlite3.Connection, path: Path) -> None:
    """A write-ahead log, so that readers and the writer do not wait for each other; where its shared memory does not
    work, over a network and on some odd disks, a journal, which is synchronised with more care."""
    if network_disk(path) is None:
        try:
            if db.execute("PRAGMA journal_mode = WAL").fetchone()[0] == "wal":
                db.execute("PRAGMA synchronous = NORMAL")
                return
        except sqlite3.OperationalError as error:
            if is_locked(error) or error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_IOERR:
                raise
    try:
        db.execute("PRAGMA journal_mode = TRUNCATE")
    except sqlite3.OperationalError as error:
        if not is_locked(error):  # somebody reads it as it is; it can be written so, too
            raise
    db.execute("PRAGMA synchronous = FULL")


def remark(path: Path) -> str | None:
    """What is unusual about where the ledger lies."""
    kind = network_disk(path)
    if kind is None:
        return None
    return f"the ledger lies on a network disk ({kind}): it has no write-ahead log, and long readings delay its rows"


def is_sound(db: sqlite3.Connection, path: Path) -> bool:
    """Look through a database of reasonable size for damage. It reads all of it: nothing to do while somebody waits."""
    if path.stat().st_size > _CHECK_LIMIT:
        return True
    return bool(db.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")


def unusable(error: BaseException) -> tuple[str, str] | None:
    """A label and a reason when the error says that this file will never do; None for a full disk, a lock, the like."""
    match error:
        case NewerLedger():
            return f"newer-{error.version}", f"has version {error.version}, newer than this rlmc knows,"
        case NotALedger():
            return "corrupt", "is no rlmc ledger"
        case DamagedLedger():
            return "corrupt", "is damaged"
    return ("corrupt", "is damaged") if is_broken(error) else None


def is_broken(error: BaseException) -> bool:
    """Whether SQLite says that the file itself is damaged."""
    return isinstance(error, sqlite3.DatabaseError) and getattr(error, "sqlite_errorcode", 0) & 0xFF in _BROKEN


def is_locked(error: BaseException) -> bool:
    """Whether SQLite says that somebody else has the database for themselves."""
    return isinstance(error, sqlite3.DatabaseError) and getattr(error, "sqlite_errorcode", 0) & 0xFF in _TAKEN


def set_aside(path: Path, label: str, now: datetime) -> Path:
    """Rename the database to `<stem>.<label>-<time>.db` and say where it is now."""
    stamp = now.strftime("%Y%m%d-%H%M%S")
    target = path.with_name(f"{path.stem}.{label}-{stamp}{path.suffix}")
    count = 1
    while target.exists():
        count += 1
        target = path.with_name(f"{path.stem}.{label}-{stamp}-{count}{path.suffix}")
    for extra in (*_EXTRAS, ""):
        source = path.with_name(path.name + extra)
        if source.exists():
            source.rename(target.with_name(target.name + extra))
    return target


def _look(path: Path) -> None:
    """Refuse what does not begin like a database before SQLite sees it: it would throw away what was being written."""
    with path.open("rb") as file:
        head = file.read(len(_MAGIC))
    extras = [path.with_name(path.name + extra) for extra in _EXTRAS]
    if head != _MAGIC and (head or any(extra.exists() and extra.stat().st_size for extra in extras)):
        raise DamagedLedger(f"{path} is no database")
