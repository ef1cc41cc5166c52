"""What is taken out of the ledger again: whole sessions, the oldest first, and what they came to is kept as a fact.

Rule: never a session that is in use; and unasked none that has a turn of the last 24 hours. What is removed stands in
`removals`, so that no total ever changes its meaning in silence.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal

DAY = 86_400_000_000
Cause = Literal["age", "size", "asked"]


@dataclass(frozen=True, slots=True)
class Caps:
    """How old a session's last turn may be, in days (0: any age), and how many bytes all rows may take."""

    days: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Removal:
    """What went: turns of so many sessions, none of them after `until` (unix microseconds). Of `paid` and `baseline`
    so many parts are unknown."""

    sessions: int
    turns: int
    until: int
    paid: int
    paid_missing: int
    baseline: int
    baseline_missing: int


# A session's age is its last turn's; one whose row was lost is known by its turns alone.
_AGES = """
    SELECT id, max(at) AS at FROM (
        SELECT session_id AS id, max(started_at) AS at FROM turns GROUP BY session_id
        UNION ALL SELECT id, started_at FROM sessions
    ) GROUP BY id ORDER BY at, id
"""


def ages(db: sqlite3.Connection) -> deque[tuple[str, int]]:
    """Every session with the beginning of its last turn, the oldest first."""
    return deque(db.execute(_AGES))


def overdue(
    ages: deque[tuple[str, int]], used: int, caps: Caps, spared: Collection[str], now: int
) -> tuple[str, Cause] | None:
    """The next session that has to go, taken off `ages`, and why; None when all is within its caps."""
    limit = now - caps.days * DAY if caps.days else 0
    while ages and ages[0][1] <= now - DAY:
        id, at = ages.popleft()
        if at >= limit and used <= caps.bytes:
            return None
        if id not in spared:
            return id, "age" if at < limit else "size"
    return None


def used_bytes(db: sqlite3.Connection) -> int:
    """What the rows take, without the room that removed ones have left."""
    pages, free, size = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in _PAGES)
    return int((pages - free) * size)


_PAGES = ("page_count", "freelist_count", "page_size")


def remove(db: sqlite3.Connection, ids: Iterable[str], cause: Cause, at: int) -> Removal:
    """Takes these sessions out, with all that belongs to them, and notes what they came to. Inside a transaction."""
    totals = [0] * 7
    for id in ids:
        found = db.execute(_SUMS, {"id": id}).fetchone()
        simulated = db.execute("SELECT coalesce(max(simulated), 0) FROM sessions WHERE id = ?", (id,)).fetchone()[0]
        one = Removal(1, *(value or 0 for value in found))
        for statement in _DELETE:
            db.execute(statement, {"id": id})
        db.execute(
            "INSERT INTO removals VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (at, cause, simulated, one.sessions, one.turns, one.until, one.paid, one.paid_missing, one.baseline,
             one.baseline_missing),
        )  # fmt: skip
        values = (1, one.turns, 0, one.paid, one.paid_missing, one.baseline, one.baseline_missing)
        totals = [total + value for total, value in zip(totals, values, strict=True)]
        totals[2] = max(totals[2], one.until)
    return Removal(*totals)


_SUMS = """
    SELECT count(*), max(t.started_at), sum(c.paid), sum(c.missing), sum(t.baseline), sum(t.baseline IS NULL)
    FROM turns t LEFT JOIN (
        SELECT turn_id, sum(cost) AS paid, sum(cost IS NULL) AS missing FROM calls
        WHERE turn_id IN (SELECT id FROM turns WHERE session_id = :id) GROUP BY turn_id
    ) c ON c.turn_id = t.id
    WHERE t.session_id = :id
"""
_MINE = "(SELECT id FROM turns WHERE session_id = :id)"
_DELETE = (
    f"DELETE FROM contents WHERE turn_id IN {_MINE}",  # noqa: S608 - a constant of this file
    f"DELETE FROM calls WHERE turn_id IN {_MINE}",  # noqa: S608 - a constant of this file
    "DELETE FROM turns WHERE session_id = :id",
    "DELETE FROM sessions WHERE id = :id",
)


def give_back(db: sqlite3.Connection) -> None:
    """Returns room that removed rows have left to the disk, where it is worth the while. Outside a transaction.

    A ledger that was begun before it could do so step by step is written anew once, which needs as much room again.
    """
    pages, free, size = (int(db.execute(f"PRAGMA {name}").fetchone()[0]) for name in _PAGES)
    if free * size < _WORTH or free * _SHARE < pages:
        return
    if db.execute("PRAGMA auto_vacuum").fetchone()[0] == _STEP_BY_STEP:
        db.executescript("PRAGMA incremental_vacuum")  # `execute` would stop at the first page
    else:
        db.execute(f"PRAGMA auto_vacuum = {_STEP_BY_STEP}")
        db.execute("VACUUM")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


_WORTH = 1 << 20
_SHARE = 5
_STEP_BY_STEP = 2
