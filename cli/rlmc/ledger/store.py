"""The ledger's one writer: a thread of its own, so that no turn ever waits for a disk.

Rule: nothing here raises into a turn. A turn is in the journal beside the database before `record` returns, so that
no death of the daemon loses it. What cannot be written now (locked, disk full) waits in memory and is tried
again until the ledger is closed; memory is bounded, and rows it cannot hold are counted and said. A damaged database or
one of a newer version is renamed, never deleted, and a new one begun.

The writer lets a moment pass between two transactions, so that a busy daemon has its turns written together: in one of
its own each would cost several times as much. Who waits for a row, or for the end, is not kept waiting.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue

from rlmc.domain.frozen import dataclass
from rlmc.domain.record import AuditEnding, EpochRecord, SessionRecord, TurnRecord
from rlmc.errors import LedgerError
from rlmc.ledger import files, retention, rows
from rlmc.ledger.database import Database
from rlmc.ledger.journal import Journal, Record
from rlmc.ledger.pending import Pending
from rlmc.ledger.retention import Caps, Cause, Step
from rlmc.ledger.rows import TurnRows

log = logging.getLogger("rlmc.ledger")

MAX_WAITING = 20_000
MAX_WAITING_CONTENT = 64 * 1024 * 1024
_BATCH = 500
_GATHER_SECONDS = 0.05
_LOOK_EVERY = 50_000  # instructions of the database
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 5.0


@dataclass(slots=True)
class _Job:
    """Something to write, steps to take between what is written, or a place in the queue somebody waits for. What is
    in a `journal` outlives the process."""

    turn: TurnRows | None = None
    write: Callable[[sqlite3.Connection], None] | None = None
    journal: Journal | None = None
    content: int = 0
    done: threading.Event | None = None
    last: bool = False
    steps: Callable[[sqlite3.Connection], Iterator[Step]] | None = None

    @property
    def writes(self) -> bool:
        return self.turn is not None or self.write is not None


class Ledger:
    """Open it with `Ledger.open`; every method may be called from any thread, and none waits but flush and close."""

    def __init__(self, path: Path) -> None:
        self._database = Database(path)
        self._queue: SimpleQueue[_Job] = SimpleQueue()
        self._lock = threading.Lock()
        self._waiting = 0
        self._waiting_content = 0
        self._pending = Pending(path, self._take_up)
        self._cares: dict[str, tuple[EpochRecord, str]] = {}
        self._written: dict[str, tuple[EpochRecord, str]] = {}
        self._dropped = 0
        self._removed: Counter[Cause] = Counter()
        self._untold: Counter[Cause] = Counter()
        self._steps: Iterator[Step] | None = None
        self._steps_of = 0
        self._closed = False
        self._hurry = threading.Event()
        self._rested = 0.0
        self._give_up = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rlmc-ledger", daemon=True)

    @classmethod
    def open(cls, path: Path) -> Ledger:
        """Never fails: what is wrong is in `error`, and is tried again with every row."""
        ledger = cls(path)
        with ledger._lock:
            ledger._pending.open()
        try:
            ledger._database.connection()
        except (sqlite3.Error, LedgerError, OSError) as error:
            ledger._database.note(error)
        ledger._thread.start()
        return ledger

    # --- what a daemon calls ----------------------------------------------------------------------------------------

    def start_session(self, session: SessionRecord) -> None:
        self._put(_Job(write=partial(rows.write_session, s=session)), session)

    def end_session(self, id: str, at: int, requests: int, turns: int, auto_mode_turns: int) -> None:
        write = partial(rows.end_session, id=id, at=at, requests=requests, turns=turns, auto_mode_turns=auto_mode_turns)
        self._put(_Job(write=write))

    def record(self, turn: TurnRecord) -> None:
        try:
            found = rows.turn_rows(turn)
        except Exception:  # what no row can hold
            log.exception("turn %s cannot be recorded", turn.id)
            self._lose(1)
            return
        content = found.content
        if content:
            with self._lock:
                full = self._waiting_content + content > MAX_WAITING_CONTENT
            if full:
                found, content = found.without_content(), 0
        self._put_row(_Job(turn=found, content=content), found)

    def keep_care(self, epoch: EpochRecord, care: str) -> None:
        """Of what waits only the newest is written, and once."""
        with self._lock:
            waits = epoch.id in self._cares
            self._cares[epoch.id] = epoch, care
        if not waits:
            self._put(_Job(write=partial(self._keep_care, id=epoch.id)))

    def end_audit(self, turn_id: str, at: int, loss: float, how: AuditEnding) -> None:
        self._put_row(_Job(write=partial(rows.end_audit, turn_id=turn_id, at=at, loss=loss, how=how)))

    def canary(self, turn_id: str, epoch: str, at: int, *, caught: bool) -> None:
        self._put_row(_Job(write=partial(rows.write_canary, turn_id=turn_id, epoch=epoch, at=at, caught=caught)))

    def regret(self, turn_id: str, kind: str, at: int) -> None:
        self._put_row(_Job(write=partial(rows.write_regret, turn_id=turn_id, kind=kind, at=at)))

    def keep_within(self, caps: Caps, in_use: Callable[[], Collection[str]]) -> None:
        """Takes the oldest sessions out until the ledger is within its caps, one at a time between what is recorded.
        `in_use` is asked in the writer's thread. What fails, or is not done when the ledger closes, is left."""
        self._put(_Job(steps=partial(retention.keep_within, caps=caps, in_use=in_use, now=_now)))

    def flush(self, timeout: float) -> bool:
        """Wait until everything recorded so far is committed. False when that took too long or failed."""
        done = threading.Event()
        kept = self._put(_Job(done=done))
        self._hurry.set()
        return kept and done.wait(timeout)

    def close(self, timeout: float = 5.0) -> None:
        """Write what is waiting, within `timeout` seconds, and stop."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._queue.put(_Job(last=True))
        self._hurry.set()
        self._thread.join(timeout)
        self._give_up.set()
        self._thread.join(timeout)

    @property
    def error(self) -> str | None:
        """What is wrong at the moment, or which rows were lost; None when all is well."""
        parts = [self._database.failure] if self._database.failure else []
        if self._pending.failure and self._waiting:
            parts.append(self._pending.failure)
        if self._dropped:
            parts.append(f"{self._dropped} records were lost")
        return "; ".join(parts) or None

    @property
    def waiting(self) -> int:
        """How much is recorded and not yet written."""
        return self._waiting

    @property
    def lost(self) -> int:
        return self._dropped

    @property
    def notices(self) -> tuple[str, ...]:
        """What happened to databases that could not be used, with their paths."""
        return (*self._database.notices, *self._pending.notices)

    @property
    def removed(self) -> Counter[Cause]:
        """How many turns were taken out since the daemon began, by cause."""
        return self._removed

    # --- the writer ---------------------------------------------------------------------------------------------------

    def _put(self, job: _Job, record: Record | None = None) -> bool:
        with self._lock:
            if not self._closed:
                self._enqueue(job, record)
                return True
        self._lose(job.writes)
        return False

    def _put_row(self, job: _Job, record: Record | None = None) -> None:
        with self._lock:
            if not self._closed and self._waiting < MAX_WAITING:
                self._enqueue(job, record)
                return
        self._lose(1)

    def _enqueue(self, job: _Job, record: Record | None) -> None:
        if record is not None:
            job.journal = self._pending.keep(record)
        self._waiting += 1
        self._waiting_content += job.content
        self._queue.put(job)

    def _take_up(self, record: Record, journal: Journal) -> None:
        self._waiting += 1
        if isinstance(record, TurnRows):
            self._queue.put(_Job(turn=record, journal=journal))
        else:
            self._queue.put(_Job(write=partial(rows.write_session, s=record), journal=journal))

    def _settle(self, jobs: list[_Job]) -> None:
        """What these jobs have in the journal is needed there no more."""
        with self._lock:
            self._pending.release([job.journal for job in jobs])

    def _keep_care(self, db: sqlite3.Connection, id: str) -> None:
        # It stays until it is committed: a batch that is rolled back is tried again.
        with self._lock:
            newest = self._cares.get(id)
        if newest is not None:
            rows.keep_care(db, *newest)
            self._written[id] = newest

    def _forget_written(self) -> None:
        """Of what controllers know, what is committed; one that came meanwhile is still to be written."""
        late = []
        with self._lock:
            for id, written in self._written.items():
                if self._cares.get(id) is written:
                    del self._cares[id]
                elif id in self._cares:
                    late.append(id)
            self._written.clear()
        for id in late:
            self._put(_Job(write=partial(self._keep_care, id=id)))

    def _lose(self, count: int) -> None:
        with self._lock:
            self._dropped += count

    def _run(self) -> None:
        self._database.check()
        last = False
        while not last:
            batch = self._next()
            last = any(job.last for job in batch)
            if batch:
                self._save(batch)
                self._rested = time.monotonic() + _GATHER_SECONDS
            with self._lock:
                self._waiting -= sum(not job.last for job in batch)
                self._waiting_content -= sum(job.content for job in batch)
            if not last:
                self._step(next((job.steps for job in reversed(batch) if job.steps is not None), None))
        self._tell()
        self._database.close()
        with self._lock:
            self._pending.close()

    def _next(self) -> list[_Job]:
        """What is written together: all there is when the moment after the last transaction is over."""
        batch = []
        if self._steps is None:
            batch.append(self._queue.get())
            left = self._rested - time.monotonic()
            if left > 0:
                self._hurry.wait(left)
        self._hurry.clear()  # whoever sets it has put his job into the queue before
        with suppress(Empty):
            while len(batch) < _BATCH:
                batch.append(self._queue.get_nowait())
            self._hurry.set()  # it may stand for a job that is still in there
        return batch

    def _save(self, jobs: list[_Job]) -> None:
        pause = _FIRST_PAUSE
        while True:
            try:
                self._commit(jobs)
            except (sqlite3.OperationalError, OSError) as error:
                if self._database.recover(error):
                    continue
                if self._give_up.wait(pause):
                    # What the journal holds the next daemon finds there.
                    with self._lock:
                        self._pending.give_up()
                    self._lose(sum(job.writes and job.journal is None for job in jobs))
                    return
                pause = min(pause * 2, _LONGEST_PAUSE)
            except Exception as error:  # a value no database takes: the row at fault must not hold up the others
                if self._database.recover(error):
                    continue
                if len(jobs) > 1:
                    for job in jobs:
                        self._save([job])
                    return
                self._lose(1)
                self._settle(jobs)
                return
            else:
                self._database.failure = None
                self._settle(jobs)
                for job in jobs:
                    if job.done is not None:
                        job.done.set()
                return

    def _step(self, begin: Callable[[sqlite3.Connection], Iterator[Step]] | None) -> None:
        """The next of the steps there are, of `begin` where it is given. One that fails is the last."""
        if begin is None and self._steps is None:
            return
        try:
            db = self._database.connection()
            if begin is not None:
                self._steps, self._steps_of = begin(db), self._database.opened
            elif self._steps_of != self._database.opened:
                self._steps = None  # they were of a file that is another one by now
            # What was recorded does not wait for a large file to be written anew: a step is cut short by the end.
            db.set_progress_handler(lambda: self._closed, _LOOK_EVERY)
            try:
                step = None if self._steps is None else next(self._steps, None)
            finally:
                db.set_progress_handler(None, 0)
        except Exception as error:  # whatever it was, there are rows to be written
            step = None
            if files.unusable(error) is not None:
                self._database.recover(error)
            elif not self._closed:
                log.warning("the ledger could not be kept within its caps: %s", error)
        if step is None:
            self._steps = None
            self._tell()
        elif step.cause is not None and step.removal is not None:
            self._removed[step.cause] += step.removal.turns
            self._untold[step.cause] += 1

    def _tell(self) -> None:
        """One line, however many sessions went."""
        for cause, sessions in self._untold.items():
            log.info("the ledger is past ledger.max-%s: removed sessions: %d, the oldest ones", cause, sessions)
        self._untold.clear()

    def _commit(self, jobs: list[_Job]) -> None:
        turns = [job.turn for job in jobs if job.turn is not None]
        writes = [job.write for job in jobs if job.write is not None]
        if turns or writes:
            db = self._database.connection()
            db.execute("BEGIN IMMEDIATE")
            try:
                # Turns first, as others may speak of them; nothing in a turn depends on what is not one.
                rows.write_turns(db, turns)
                for write in writes:
                    write(db)
                db.execute("COMMIT")
            except BaseException:
                self._written.clear()
                with suppress(sqlite3.Error):
                    db.execute("ROLLBACK")
                raise
        self._forget_written()


def _now() -> int:
    return time.time_ns() // 1000
