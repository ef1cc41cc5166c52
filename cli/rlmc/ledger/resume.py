"""Ends a stop of an epoch's drafts where no daemon runs that could: the user has looked."""

from __future__ import annotations

import json
import sqlite3
from contextlib import suppress

from rlmc.quality.care import Care


def resume(db: sqlite3.Connection, epoch: str) -> None:
    """What its controller knows else stays."""
    db.execute("BEGIN IMMEDIATE")
    try:
        for (kept,) in db.execute("SELECT care FROM epochs WHERE id = ? AND care IS NOT NULL", (epoch,)).fetchall():
            care = Care.from_record(json.loads(kept))
            care.look()
            text = json.dumps(care.record(), separators=(",", ":"))
            db.execute("UPDATE epochs SET care = ? WHERE id = ?", (text, epoch))
        db.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):  # some errors have rolled back already
            db.execute("ROLLBACK")
        raise
