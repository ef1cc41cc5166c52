"""The benchmark's own check on a small ledger: what it compares comes to the same."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest
from tests.bench.books import books
from tests.bench.ledger import CASES, agree, rlmc, script, sqlite, today


@pytest.mark.skipif(shutil.which("sqlite3") is None, reason="needs the sqlite3 command-line tool")
def test_both_sides_agree_on_a_small_ledger(tmp_path: Path) -> None:
    folder = books(tmp_path, 3000, round(time.time() * 1_000_000))
    for arguments, by, day in CASES:
        _, data = rlmc(folder, arguments)
        _, rows = sqlite(folder, script(by, today() if day else 0))
        agree(data, rows, by)
    total = data["total"]
    assert isinstance(total, dict)
    total["turns"] = int(total["turns"]) + 1
    with pytest.raises(AssertionError):
        agree(data, rows, by)
