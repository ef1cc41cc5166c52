"""What calibrations found, kept and forgotten: a row for each draft model, verify model and kind of draft.

Rule: works beside a running daemon, which reads the table when it begins and when it is told to reload.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from rlmc.errors import LedgerError
from rlmc.ledger.care import Calibration
from rlmc.ledger.files import connect


def keep(path: Path, draft: str, verify: str, found: Sequence[Calibration]) -> None:
    """Takes the place of whatever was found of these two models before."""
    rows = [(draft, verify, one.bucket, one.at, one.labels, one.loss, int(one.opened)) for one in found]
    with _changing(path) as db:
        db.execute("DELETE FROM calibrations WHERE draft = ? AND verify = ?", (draft, verify))
        db.executemany("INSERT INTO calibrations VALUES (?, ?, ?, ?, ?, ?, ?)", rows)


def forget(path: Path, pairs: Sequence[tuple[str, str]]) -> None:
    """Of these pairs of draft and verify model nothing is known any more."""
    with _changing(path) as db:
        db.executemany("DELETE FROM calibrations WHERE draft = ? AND verify = ?", pairs)


@contextmanager
def _changing(path: Path) -> Iterator[sqlite3.Connection]:
    """One change, whole or not at all."""
    try:
        with closing(connect(path)) as db:
            db.execute("BEGIN IMMEDIATE")
            yield db
            db.execute("COMMIT")
    except sqlite3.Error as error:
        raise LedgerError(f"the ledger {path} cannot be changed: {error}", "try again in a moment") from error
