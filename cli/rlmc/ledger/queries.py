"""Reading the ledger while a daemon may be writing it.

Rule: a reader never changes the file. No file means empty books; one that cannot be read is a `LedgerError` that says
what to do. Rows come in the order of time, streamed: a year of turns needs no memory. Flags are SQLite's 0 and 1.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby, takewhile
from operator import itemgetter
from pathlib import Path
from typing import Any, Literal, NamedTuple

from rlmc.config.disks import writable
from rlmc.errors import LedgerError
from rlmc.ledger.files import BUSY_MS, is_broken, is_locked
from rlmc.ledger.schema import VERSION, NewerLedger, NotALedger, version_of


class CallRow(NamedTuple):
    """One model call. Token classes are 0 where `measured` is false; `cost` is None when unknown. `brief` is a
    verification on a compact context."""

    role: str
    provider: str
    model: str
    served: bool
    latency_ms: float
    input: int
    cache_read: int
    cache_write_5m: int
    cache_write_1h: int
    output: int
    thinking: int
    measured: bool
    estimated: bool
    cost: int | None
    brief: bool

    @property
    def prompt(self) -> int:
        return self.input + self.cache_read + self.cache_write_5m + self.cache_write_1h


class TurnRow(NamedTuple):
    """One turn with what its session adds to it. How far an estimated baseline may be off: `baseline_bias` adds up over
    turns, of `baseline_noise` the root is taken of the sum. `draft_only` is what the draft model alone would have
    cost, None where that is unknown or there is no draft model. `epoch` is there where drafts are audited, `coin`, the
    probability of its audit, where one of them was the answer."""

    id: str
    session: str
    session_name: str | None
    client: str
    directory: str | None
    simulated: bool
    started_at: int
    request_class: str
    served_model: str
    outcome: str
    reason: str
    ending: str
    latency_ms: float
    baseline: int | None
    baseline_estimated: bool
    baseline_bias: float
    baseline_noise: float
    draft_only: int | None
    calls: tuple[CallRow, ...]
    epoch: str | None = None
    coin: float | None = None


class SessionRow(NamedTuple):
    """One session; `turns` counts the rows there are."""

    id: str
    started_at: int
    ended_at: int | None
    client: str
    name: str | None
    directory: str | None
    git_branch: str | None
    policy: str
    simulated: bool
    requests: int | None
    turns: int


_TURNS = """
    SELECT t.id, t.session_id, s.name, coalesce(s.client, ''), s.directory, coalesce(s.simulated, 0), t.started_at,
        t.request_class, t.served_model, t.outcome, t.reason, t.ending, t.latency_ms, t.baseline, t.baseline_estimated,
        t.baseline_bias, t.baseline_noise, t.draft_only, t.epoch, t.coin,
        c.role, c.provider, c.model, c.served, c.latency_ms, coalesce(c.input, 0), coalesce(c.cache_read, 0),
        coalesce(c.cache_write_5m, 0), coalesce(c.cache_write_1h, 0), coalesce(c.output, 0), coalesce(c.thinking, 0),
        c.input IS NOT NULL, c.usage_estimated, c.cost, c.brief
    FROM turns t
    LEFT JOIN sessions s ON s.id = t.session_id
    LEFT JOIN calls c ON c.turn_id = t.id
"""
_ORDER = " ORDER BY t.started_at, t.id, c.seq"
_BEFORE_CALLS, _TURN_COLUMNS = 18, 20
_SESSIONS = """
    SELECT id, started_at, ended_at, client, name, directory, git_branch, policy, simulated, requests,
        (SELECT count(*) FROM turns WHERE turns.session_id = sessions.id)
    FROM sessions
"""
_NEIGHBOURS = {
    "turn": "SELECT (SELECT max(id) FROM turns WHERE id < ?), (SELECT min(id) FROM turns WHERE id > ?)",
    "session": "SELECT (SELECT max(id) FROM sessions WHERE id < ?), (SELECT min(id) FROM sessions WHERE id > ?)",
}
_NEWEST_FIRST = " ORDER BY started_at DESC, id DESC"
_FOREVER = 2**63 - 1


class LedgerReader:
    def __init__(self, db: sqlite3.Connection | None, path: Path) -> None:
        self._db = db
        self._path = path

    @classmethod
    def open(cls, path: Path) -> LedgerReader:
        if not path.exists():
            return cls(None, path)
        with _explained(path):
            try:
                db, version = _opened(path, "mode=ro")
            except sqlite3.OperationalError:
                if writable(path.parent):
                    raise
                # SQLite reads a write-ahead log only where it can make a file beside it. Here nobody writes any more.
                db, version = _opened(path, "mode=ro&immutable=1")
        if version == VERSION:
            return cls(db, path)
        db.close()
        if version == 0:  # just created, and still empty
            return cls(None, path)
        raise LedgerError(
            f"the ledger {path} has version {version}, older than this rlmc reads",
            "run `rlmc start` once to bring it up",
        )

    def close(self) -> None:
        if self._db is not None:
            self._db.close()

    def turns(self, since: int | None = None, until: int | None = None) -> Iterator[TurnRow]:
        """Turns that started at or after `since` and before `until` (unix microseconds)."""
        where = " WHERE t.started_at >= ? AND t.started_at < ?"
        return self._turns(where, _between(since, until))

    def session_turns(self, session: str) -> Iterator[TurnRow]:
        return self._turns(" WHERE t.session_id = ?", (session,))

    def turn(self, id: str) -> TurnRow | None:
        return next(self._turns(" WHERE t.id = ?", (id,)), None)

    def last_turn(self) -> TurnRow | None:
        newest = " WHERE t.id = (SELECT id FROM turns ORDER BY started_at DESC, id DESC LIMIT 1)"
        return next(self._turns(newest, ()), None)

    def last_turns(self, limit: int, session: str | None = None) -> list[TurnRow]:
        """The last ones there are, or those of a session, newest first."""
        where, values = ("", ()) if session is None else (" WHERE session_id = ?", (session,))
        some = f" WHERE t.id IN (SELECT id FROM turns{where} ORDER BY started_at DESC, id DESC LIMIT ?)"  # noqa: S608
        return list(self._turns(some, (*values, limit)))[::-1]

    def find_turns(self, text: str, limit: int) -> list[TurnRow]:
        """The turn with this id; else those whose id begins so, in the order of time and no more than `limit`."""
        exact = self.turn(text)
        if exact is not None:
            return [exact]
        some = " WHERE t.id IN (SELECT id FROM turns WHERE id LIKE ? ESCAPE '\\' ORDER BY started_at, id LIMIT ?)"
        return list(self._turns(some, (_beginning(text), limit)))

    def turns_of_sessions(self, since: int | None = None, until: int | None = None) -> Iterator[TurnRow]:
        """All turns of the sessions that `sessions` gives, and of those whose row was lost."""
        begun = "t.session_id IN (SELECT id FROM sessions WHERE started_at >= ? AND started_at < ?)"
        active = "t.session_id IN (SELECT session_id FROM turns WHERE started_at >= ? AND started_at < ?)"
        return self._turns(f" WHERE {begun} OR {active}", _between(since, until) * 2)

    def shortest(self, kind: Literal["turn", "session"], ids: Iterable[str]) -> int:
        """How many characters tell each of these ids from every other id of its kind there is."""
        pairs = ((id, other) for id in ids for row in self._rows(_NEIGHBOURS[kind], (id, id)) for other in row if other)
        return max((_alike(id, other) + 1 for id, other in pairs), default=1)

    def has_turns(self, since: int, until: int | None = None) -> bool:
        sql = "SELECT 1 FROM turns WHERE started_at >= ? AND started_at < ? LIMIT 1"
        return any(True for _ in self._rows(sql, _between(since, until)))

    def sessions(self, since: int | None = None, until: int | None = None) -> Iterator[SessionRow]:
        """Sessions that began in this time or have turns in it, newest first."""
        active = "id IN (SELECT session_id FROM turns WHERE started_at >= ? AND started_at < ?)"
        where = f" WHERE started_at >= ? AND started_at < ? OR {active}"
        return self._sessions(where + _NEWEST_FIRST, _between(since, until) * 2)

    def last_session(self) -> SessionRow | None:
        return next(self._sessions(f"{_NEWEST_FIRST} LIMIT 1", ()), None)

    def session(self, id: str) -> SessionRow | None:
        return next(self._sessions(" WHERE id = ?", (id,)), None)

    def last_served_model(self, session: str) -> str | None:
        """Which model, as `provider/model`, gave the last answer the agent worked with; side calls are not meant."""
        sql = """
            SELECT served_model FROM turns WHERE session_id = ? AND served_model <> '' AND request_class <> 'auxiliary'
            ORDER BY started_at DESC, id DESC LIMIT 1
        """
        return next((str(model) for (model,) in self._rows(sql, (session,))), None)

    def find_sessions(self, text: str) -> list[SessionRow]:
        """The session with this id; else those of this name; else those whose id begins so. Newest first."""
        for where, value in (("id = ?", text), ("name = ?", text), ("id LIKE ? ESCAPE '\\'", _beginning(text))):
            found = list(self._sessions(f" WHERE {where}{_NEWEST_FIRST}", (value,)))
            if found:
                return found
        return []

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All that is read in here is of one moment, also while somebody writes. Temporary tables end with it."""
        if self._db is None:
            yield
            return
        with _explained(self._path):
            self._db.execute("BEGIN")
            try:
                yield
            finally:
                self._db.execute("ROLLBACK")

    def scratch(self, table: str, columns: str, rows: Iterable[tuple[object, ...]]) -> None:
        """A temporary table, in memory, for the time of a `snapshot`: the ledger itself is not touched."""
        if self._db is None:
            return
        marks = ", ".join("?" * (columns.count(",") + 1))
        with _explained(self._path):
            self._db.execute(f"CREATE TEMP TABLE {table} ({columns})")
            self._db.executemany(f"INSERT INTO temp.{table} VALUES ({marks})", rows)  # noqa: S608 - never a user's words

    def removed(self, since: int | None = None) -> tuple[int, int, int]:
        """Turns that were taken out of the ledger, of how many sessions, and when the last of them began; of those
        that may have lain in a period from `since` on. Simulated ones are not counted."""
        sql = """
            SELECT coalesce(sum(turns), 0), coalesce(sum(sessions), 0), coalesce(max(until), 0) FROM removals
            WHERE simulated = 0 AND turns > 0 AND until >= ?
        """
        return next(((turns, sessions, until) for turns, sessions, until in self._rows(sql, (since or 0,))), (0, 0, 0))

    def rows(self, sql: str, values: tuple[object, ...]) -> Iterator[tuple[Any, ...]]:
        """For readers of their own beside this one: plain rows, with the same errors."""
        return self._rows(sql, values)

    def _turns(self, where: str, values: tuple[object, ...]) -> Iterator[TurnRow]:
        rows = self._rows(_TURNS + where + _ORDER, values)
        for _, group in groupby(rows, key=itemgetter(0)):
            same = list(group)
            calls = tuple(CallRow._make(row[_TURN_COLUMNS:]) for row in same if row[_TURN_COLUMNS] is not None)
            facts = same[0]
            yield TurnRow._make((*facts[:_BEFORE_CALLS], calls, *facts[_BEFORE_CALLS:_TURN_COLUMNS]))

    def _sessions(self, rest: str, values: tuple[object, ...]) -> Iterator[SessionRow]:
        return map(SessionRow._make, self._rows(_SESSIONS + rest, values))

    def _rows(self, sql: str, values: tuple[object, ...]) -> Iterator[tuple[Any, ...]]:
        if self._db is None:
            return
        with _explained(self._path):
            yield from self._db.execute(sql, values)


def _opened(path: Path, how: str) -> tuple[sqlite3.Connection, int]:
    db = sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, timeout=BUSY_MS / 1000)
    try:
        return db, version_of(db)
    except BaseException:
        db.close()
        raise


def _between(since: int | None, until: int | None) -> tuple[int, int]:
    return 0 if since is None else since, _FOREVER if until is None else until


def _beginning(text: str) -> str:
    """A pattern for what begins with this text."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"


def _alike(one: str, other: str) -> int:
    """How many characters both begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except (NotALedger, NewerLedger) as error:
        raise LedgerError(f"{path}: {error.message}", error.hint) from None
    except sqlite3.Error as error:
        if is_broken(error):
            raise LedgerError(
                f"the ledger {path} is damaged: {error}",
                "`rlmc restart` keeps it aside under another name and begins a new one; if not, move it away",
            ) from error
        if is_locked(error):
            raise LedgerError(
                f"the ledger {path} is held by another program: {error}",
                "end what reads or copies it, then try again; turns go on meanwhile, and are written later",
            ) from error
        raise LedgerError(f"the ledger {path} cannot be read: {error}", "see whether its folder is yours") from error
