"""What stands in the ledger, read with plain SQL so that the product's own queries are not trusted with it."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from typing import Any


def ledger_path() -> Path:
    return Path(os.environ["RLMC_DATA_DIR"]) / "ledger.db"


def call_rows() -> list[dict[str, Any]]:
    return _rows("SELECT c.*, t.outcome FROM calls c JOIN turns t ON t.id = c.turn_id ORDER BY t.started_at, c.seq")


def turn_rows() -> list[dict[str, Any]]:
    """Turns in order, with the sum of their calls' cost (None when one is unknown) and whether any is estimated."""
    return _rows(
        """SELECT t.*, MAX(c.usage_estimated) AS estimated,
                  CASE WHEN COUNT(*) = COUNT(c.cost) THEN SUM(c.cost) END AS cost
           FROM turns t LEFT JOIN calls c ON c.turn_id = t.id GROUP BY t.id ORDER BY t.started_at"""
    )


def settle(ledger: Path, seconds: float = 2.0) -> None:
    """Until what the journal holds is in the database: a row is in there before its turn's answer has gone out."""
    journal, deadline = ledger.with_suffix(".pending"), time.monotonic() + seconds
    while journal.exists() and journal.stat().st_size and time.monotonic() < deadline:
        time.sleep(0.005)


def _rows(query: str) -> list[dict[str, Any]]:
    settle(ledger_path())
    connection = sqlite3.connect(f"file:{ledger_path()}?mode=ro", uri=True)
    try:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(query)]
    finally:
        connection.close()
