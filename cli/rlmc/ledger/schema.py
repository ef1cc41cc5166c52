"""The database's tables as ordered migrations; `PRAGMA user_version` counts those that were applied.

Rule: a published migration never changes; a new one is added at the end. A database of a newer version is left alone.
Money is integer picodollars, NULL when unknown. Token classes are NULL when a call's usage is unknown.
"""

from __future__ import annotations

import sqlite3

from rlmc.errors import LedgerError

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """
        CREATE TABLE sessions (
            id TEXT PRIMARY KEY,
            started_at INTEGER NOT NULL,
            ended_at INTEGER,
            client TEXT NOT NULL,
            name TEXT,
            directory TEXT,
            git_branch TEXT,
            policy TEXT NOT NULL,
            draft_model TEXT,
            verify_model TEXT,
            version TEXT NOT NULL,
            simulated INTEGER NOT NULL,
            requests INTEGER,
            turns INTEGER,
            auto_mode_turns INTEGER
        )
        """,
        """
        CREATE TABLE turns (
            id TEXT PRIMARY KEY,
            session_id TEXT NOT NULL,
            conversation TEXT NOT NULL,
            started_at INTEGER NOT NULL,
            protocol TEXT NOT NULL,
            request_class TEXT NOT NULL,
            requested_model TEXT NOT NULL,
            served_model TEXT NOT NULL,
            policy TEXT NOT NULL,
            outcome TEXT NOT NULL,
            reason TEXT NOT NULL,
            ending TEXT NOT NULL,
            status INTEGER,
            ttfb_ms REAL,
            latency_ms REAL NOT NULL,
            baseline INTEGER,
            baseline_estimated INTEGER NOT NULL,
            signals TEXT NOT NULL,
            findings TEXT NOT NULL
        )
        """,
        """
        CREATE TABLE calls (
            turn_id TEXT NOT NULL,
            seq INTEGER NOT NULL,
            role TEXT NOT NULL,
            provider TEXT NOT NULL,
            model TEXT NOT NULL,
            started_at INTEGER NOT NULL,
            ttfb_ms REAL,
            latency_ms REAL NOT NULL,
            status INTEGER,
            error TEXT,
            stop_reason TEXT,
            served INTEGER NOT NULL,
            input INTEGER,
            cache_read INTEGER,
            cache_write_5m INTEGER,
            cache_write_1h INTEGER,
            output INTEGER,
            thinking INTEGER,
            web_searches INTEGER,
            others TEXT,
            unpriced TEXT,
            usage_estimated INTEGER NOT NULL,
            cost INTEGER,
            price_source TEXT,
            PRIMARY KEY (turn_id, seq)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE contents (
            turn_id TEXT PRIMARY KEY,
            request BLOB,
            answer BLOB
        ) WITHOUT ROWID
        """,
        "CREATE INDEX sessions_by_time ON sessions (started_at)",
        "CREATE INDEX turns_by_time ON turns (started_at, id)",
        "CREATE INDEX turns_by_session ON turns (session_id, started_at, id)",
    ),
    # What it takes to decide a turn again, and the draft-only session beside the baseline.
    (
        "ALTER TABLE turns ADD COLUMN baseline_bias REAL NOT NULL DEFAULT 0",
        "ALTER TABLE turns ADD COLUMN baseline_noise REAL NOT NULL DEFAULT 0",
        "ALTER TABLE turns ADD COLUMN draft_only INTEGER",
        "ALTER TABLE turns ADD COLUMN decision TEXT",
        "ALTER TABLE calls ADD COLUMN brief INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE calls ADD COLUMN details TEXT",
    ),
    # What was taken out again, one row a session: when, why, and what it came to.
    (
        """
        CREATE TABLE removals (
            at INTEGER NOT NULL,
            cause TEXT NOT NULL,
            simulated INTEGER NOT NULL,
            sessions INTEGER NOT NULL,
            turns INTEGER NOT NULL,
            until INTEGER NOT NULL,
            paid INTEGER NOT NULL,
            paid_missing INTEGER NOT NULL,
            baseline INTEGER NOT NULL,
            baseline_missing INTEGER NOT NULL
        )
        """,
    ),
    # What is known of quality. `epoch` names what a turn ran under; `coin` is the probability with which the coin of a
    # turn that a draft answered was to fall on an audit, NULL for all others. An audit without a loss has not ended.
    (
        "ALTER TABLE turns ADD COLUMN epoch TEXT",
        "ALTER TABLE turns ADD COLUMN coin REAL",
        "CREATE INDEX turns_by_epoch ON turns (epoch, started_at, coin) WHERE epoch IS NOT NULL",
        """
        CREATE TABLE epochs (
            id TEXT PRIMARY KEY,
            began_at INTEGER NOT NULL,
            draft TEXT NOT NULL,
            verify TEXT NOT NULL,
            judge TEXT NOT NULL,
            policy TEXT NOT NULL,
            policy_version INTEGER NOT NULL,
            least REAL NOT NULL,
            simulated INTEGER NOT NULL,
            care TEXT,
            gone_turns INTEGER NOT NULL DEFAULT 0,
            gone_served INTEGER NOT NULL DEFAULT 0
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE audits (
            turn_id TEXT PRIMARY KEY,
            epoch TEXT NOT NULL,
            at INTEGER NOT NULL,
            probability REAL NOT NULL,
            bucket TEXT NOT NULL,
            ended_at INTEGER,
            loss REAL,
            how TEXT
        ) WITHOUT ROWID
        """,
        "CREATE INDEX audits_by_epoch ON audits (epoch, at)",
        """
        CREATE TABLE canaries (
            turn_id TEXT PRIMARY KEY,
            epoch TEXT NOT NULL,
            at INTEGER NOT NULL,
            caught INTEGER NOT NULL
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE regrets (
            turn_id TEXT NOT NULL,
            kind TEXT NOT NULL,
            at INTEGER NOT NULL,
            PRIMARY KEY (turn_id, kind)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE calibrations (
            draft TEXT NOT NULL,
            verify TEXT NOT NULL,
            bucket TEXT NOT NULL,
            at INTEGER NOT NULL,
            labels INTEGER NOT NULL,
            loss REAL NOT NULL,
            opened INTEGER NOT NULL,
            PRIMARY KEY (draft, verify, bucket)
        ) WITHOUT ROWID
        """,
    ),
)
VERSION = len(MIGRATIONS)


class NotALedger(LedgerError):
    """The file is a database, but not one of ours."""


class DamagedLedger(LedgerError):
    """The file does not even begin like a database."""


class NewerLedger(LedgerError):
    """The database was written by a newer version of rlmc."""

    def __init__(self, version: int) -> None:
        super().__init__(
            f"the ledger has version {version}; this rlmc knows versions up to {VERSION}",
            "upgrade rlmc, or point RLMC_DATA_DIR at another folder",
        )
        self.version = version


def version_of(db: sqlite3.Connection) -> int:
    """The database's version, 0 for an empty one. Raises `NewerLedger`, `NotALedger`."""
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    if version > VERSION:
        raise NewerLedger(version)
    tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if tables >= {"sessions", "turns", "calls"} if version else not tables:
        return version
    raise NotALedger("the file is an SQLite database, but no rlmc ledger", "move it away and try again")


def migrate(db: sqlite3.Connection) -> None:
    """Bring the database to the newest version, each step as a whole or not at all. Two processes may try at once."""
    while version_of(db) < VERSION:
        db.execute("BEGIN IMMEDIATE")
        try:
            version = version_of(db)
            if version < VERSION:
                for statement in MIGRATIONS[version]:
                    db.execute(statement)
                db.execute(f"PRAGMA user_version = {version + 1}")
            db.execute("COMMIT")
        except BaseException:
            db.execute("ROLLBACK")
            raise
