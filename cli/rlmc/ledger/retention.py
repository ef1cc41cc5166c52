"""What is taken out of the ledger again: whole sessions, the oldest first, and what they came to is kept as a fact.

Rule: never a session that is in use; and unasked none that has a turn of the last 24 hours. What is removed stands in
`removals`, so that no total ever changes its meaning in silence. A clock that has leapt ahead makes nothing old.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from itertools import pairwise
from typing import Literal

from rlmc.domain.frozen import dataclass

DAY = 86_400_000_000
Cause = Literal["age", "size", "asked"]


@dataclass(frozen=True, slots=True)
class Caps:
    """How old a session's last turn may be, in days (0: any age), and how many bytes all rows may take."""

    days: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Removal:
    """What went with a session: its turns, none of them after `until` (unix microseconds). Of `paid` and `baseline` so
    many parts are unknown."""

    turns: int
    until: int
    paid: int
    paid_missing: int
    baseline: int
    baseline_missing: int


@dataclass(frozen=True, slots=True)
class Step:
    """One thing done to keep a ledger within its caps: a session that went, and why, or room given back."""

    cause: Cause | None = None
    removal: Removal | None = None


def keep_within(
    db: sqlite3.Connection, caps: Caps, in_use: Callable[[], Collection[str]], now: Callable[[], int]
) -> Iterator[Step]:
    """The oldest go until all is within its caps, then room is given back. Every step is over when it is told, so that
    others can write before the next; who is in use is asked before each."""
    waiting = ages(db)
    moments = [at for _, at in waiting]
    while (found := overdue(waiting, used_bytes(db), caps, in_use(), at := now(), believed(moments, at))) is not None:
        id, cause = found
        yield Step(cause, remove(db, id, cause, now()))
    for _ in give_back(db):
        yield Step()


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


def believed(moments: Sequence[int], now: int) -> int:
    """The time that the age of sessions is told from, theirs being these, in order: the clock's, unless it leapt.

    Months without any session are months without rlmc, or a clock that was set wrong. Which of the two shows in time:
    until the ledger has gone on for a while behind such a gap, time stands still before it.
    """
    behind = [at for at in moments if at <= now] + [now]
    for before, after in reversed(list(pairwise(behind))):
        if now - after >= _SETTLED:
            break
        if after - before > _LEAP:
            return before
    return now


_LEAP, _SETTLED = 60 * DAY, 30 * DAY


def overdue(
    ages: deque[tuple[str, int]], used: int, caps: Caps, spared: Collection[str], now: int, believed: int
) -> tuple[str, Cause] | None:
    """The next session that has to go, taken off `ages`, and why; None when all is within its caps. What is too old is
    told from the time that is `believed`."""
    limit = believed - caps.days * DAY if caps.days else 0
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


def remove(db: sqlite3.Connection, id: str, cause: Cause, at: int) -> Removal:
    """Takes a session out, with all that belongs to it, and notes what it came to: as a whole or not at all."""
    db.execute("BEGIN IMMEDIATE")
    try:
        one = Removal(*(value or 0 for value in db.execute(_SUMS, {"id": id}).fetchone()))
        simulated = db.execute("SELECT coalesce(max(simulated), 0) FROM sessions WHERE id = ?", (id,)).fetchone()[0]
        for statement in _DELETE:
            db.execute(statement, {"id": id})
        db.execute(
            "INSERT INTO removals VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?, ?)",
            (at, cause, simulated, one.turns, one.until, one.paid, one.paid_missing, one.baseline,
             one.baseline_missing),
        )  # fmt: skip
        db.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):  # some errors have rolled back already
            db.execute("ROLLBACK")
        raise
    return one


_SUMS = """
    SELECT count(*), max(t.started_at), sum(c.paid), sum(c.missing), sum(t.baseline), sum(t.baseline IS NULL)
    FROM turns t LEFT JOIN (
        SELECT turn_id, sum(cost) AS paid, sum(cost IS NULL) AS missing FROM calls
        WHERE turn_id IN (SELECT id FROM turns WHERE session_id = :id) GROUP BY turn_id
    ) c ON c.turn_id = t.id
    WHERE t.session_id = :id
"""
_MINE = "(SELECT id FROM turns WHERE session_id = :id)"
# What is known of quality outlives the turns it was learnt from: audits and canaries stay, turns stay as counts.
_KEEP_COUNTS = """
    UPDATE epochs SET
        gone_turns = gone_turns + (SELECT count(*) FROM turns WHERE session_id = :id AND epoch = epochs.id),
        gone_served = gone_served + (SELECT count(coin) FROM turns WHERE session_id = :id AND epoch = epochs.id)
    WHERE id IN (SELECT epoch FROM turns WHERE session_id = :id)
"""
_DELETE = (
    _KEEP_COUNTS,
    f"DELETE FROM regrets WHERE turn_id IN {_MINE}",  # noqa: S608 - a constant of this file
    f"DELETE FROM contents WHERE turn_id IN {_MINE}",  # noqa: S608 - a constant of this file
    f"DELETE FROM calls WHERE turn_id IN {_MINE}",  # noqa: S608 - a constant of this file
    "DELETE FROM turns WHERE session_id = :id",
    "DELETE FROM sessions WHERE id = :id",
)


def give_back(db: sqlite3.Connection) -> Iterator[None]:
    """Returns room that removed rows have left to the disk, a bit at a time. Outside a transaction.

    A ledger that was begun before it could do so step by step is written anew once, where that is worth the while; it
    needs as much room again.
    """
    pages, free, size = (int(db.execute(f"PRAGMA {name}").fetchone()[0]) for name in _PAGES)
    if free * size < _WORTH:
        return
    if db.execute("PRAGMA auto_vacuum").fetchone()[0] == _STEP_BY_STEP:
        for _ in range(0, free, _BIT):
            db.executescript(f"PRAGMA incremental_vacuum({_BIT})")  # `execute` would stop at the first page
            yield
    elif free * _SHARE >= pages:
        db.execute(f"PRAGMA auto_vacuum = {_STEP_BY_STEP}")
        db.execute("VACUUM")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    yield


_WORTH = 1 << 20
_SHARE = 5
_BIT = 1_000  # pages
_STEP_BY_STEP = 2
