"""The journal as the ledger's writer uses it: opened as soon as it can be, and begun anew where it was deleted.

Rule: nothing here raises, as a turn is on its way to its client. What could not be kept is in memory alone, and
`failure` says so. Every method is called with the writer's lock held.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

from rlmc.ledger.journal import Journal, Record

log = logging.getLogger("rlmc.ledger")

_TRY_SECONDS = 5.0
_LOOK_EVERY = 64  # records; an empty one is always looked for


class Pending:
    """`take_up` is given each record that a daemon left when it died, with the journal that holds it. `notices` are of
    records nobody could read."""

    def __init__(self, ledger: Path, take_up: Callable[[Record, Journal], None]) -> None:
        self.failure: str | None = None
        self.notices: list[str] = []
        self._ledger = ledger
        self._take_up = take_up
        self._journal: Journal | None = None
        self._looked = 0.0
        self._given_up = False

    def open(self) -> None:
        self._looked = time.monotonic()
        try:
            self._journal = journal = Journal.open(self._ledger)
        except OSError as error:
            self.failure = _described(error)
            return
        self.failure = None
        left, journal.left = journal.left, []
        for record in left:
            self._take_up(record, journal)
        if left:
            log.info("records that a daemon left when it died: %d", len(left))
        if journal.unreadable:
            what = f"{journal.unreadable} records that a daemon left in {journal.path}"
            self.notices.append(f"{what} cannot be read; they are kept beside it")

    def keep(self, record: Record) -> Journal | None:
        """The journal that holds the record now; None where there is none."""
        try:
            if self._journal is not None and self._journal.held % _LOOK_EVERY == 0 and not self._journal.exists:
                self._journal.close()
                self._journal = None
                self._looked = 0.0
            if self._journal is None and time.monotonic() - self._looked >= _TRY_SECONDS:
                self.open()
            if self._journal is None:
                return None
            self._journal.append(record)
        except Exception as error:  # whatever it was
            self.failure = _described(error)
            return None
        self.failure = None
        return self._journal

    def release(self, journals: list[Journal | None]) -> None:
        """What these hold, one record each, is in the database."""
        if self._journal is not None and not self._given_up:
            self._journal.release(sum(journal is self._journal for journal in journals))

    def give_up(self) -> None:
        """Some of what the journal holds is never written by this process. All of it stays, as what is released is the
        oldest; the next daemon writes it once more, which is the same as once."""
        self._given_up = True

    def close(self) -> None:
        if self._journal is not None:
            self._journal.close()
            self._journal = None


def _described(error: Exception) -> str:
    return f"what waits for the ledger is in memory only: {error}"
