"""What calibrations found, in a ledger that a daemon has open."""

from __future__ import annotations

from pathlib import Path

import pytest

from rlmc.errors import LedgerError
from rlmc.ledger import calibrations
from rlmc.ledger.care import Calibration, kept_calibrations
from rlmc.ledger.queries import LedgerReader
from rlmc.ledger.store import Ledger

READ = Calibration("read", 5, 60, 0.25, True)
EDIT = Calibration("edit", 5, 61, 9.0, False)


def kept(path: Path) -> dict[tuple[str, str], list[Calibration]]:
    reader = LedgerReader.open(path)
    try:
        return kept_calibrations(reader)
    finally:
        reader.close()


def test_kept_replaced_and_forgotten_beside_a_daemon(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = Ledger.open(path)
    calibrations.keep(path, "a/draft", "b/verify", [READ, EDIT])
    calibrations.keep(path, "a/other", "b/verify", [READ])
    assert kept(path) == {("a/draft", "b/verify"): [EDIT, READ], ("a/other", "b/verify"): [READ]}
    newer = Calibration("plan", 7, 90, 0.0, True)
    calibrations.keep(path, "a/draft", "b/verify", [newer])
    assert kept(path)["a/draft", "b/verify"] == [newer]
    calibrations.forget(path, [("a/draft", "b/verify"), ("a/none", "b/verify")])
    assert kept(path) == {("a/other", "b/verify"): [READ]}
    ledger.close()


def test_a_change_is_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    calibrations.keep(path, "a/draft", "b/verify", [READ])
    with pytest.raises(LedgerError, match="cannot be changed"):
        calibrations.keep(path, "a/draft", "b/verify", [EDIT, EDIT])
    assert kept(path) == {("a/draft", "b/verify"): [READ]}
