"""The page of `rlmc quality` on a terminal: no line is wider, and no count gives way."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.audited import EPOCH, Audited
from tests.support.prices import MINUTE, START
from tests.ui.test_snapshots import COLOUR, Terminal

from rlmc.ledger.epochs import Quality, quality
from rlmc.ledger.quality import Aim
from rlmc.ledger.queries import LedgerReader
from rlmc.quality.care import Care
from rlmc.ui.quality import quality_lines
from rlmc.views.figures import cells

LONG = "a-provider-with-a-long-name/a-model-with-a-name-that-is-even-longer-than-that-20261126"


@pytest.fixture
def found(tmp_path: Path) -> Quality:
    care = Care.begin(0.02)
    for _ in range(3):
        care.ended("edit", 0.04, 1.0, judged=True)
    for at, id in enumerate(("one", "two")):
        record = replace(EPOCH, id=id, draft=LONG, verify=LONG, policy="draft-only" if at else "balanced")
        epoch = Audited(tmp_path / "ledger.db", record, session_id=id, at=START + (1 - at) * 900 * MINUTE)
        epoch.served(700)
        epoch.audited(0.0, 30, caught=True)
        epoch.audited(1.0, 3, bucket="edit")
        epoch.unaudited(2)
        epoch.care(care.record())
        epoch.close()
    reader = LedgerReader.open(tmp_path / "ledger.db")
    try:
        return quality(reader, Aim(0.02, 0.95), START + 10_000 * MINUTE)
    finally:
        reader.close()


@pytest.mark.parametrize("columns", [80, 100, 120])
@pytest.mark.parametrize("whole", [False, True])
def test_it_fits_a_terminal_and_no_count_gives_way(
    found: Quality, columns: int, whole: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("NO_COLOR", "1")
    lines = quality_lines(found, whole, 8, Terminal())
    assert [line for line in lines if cells(COLOUR.sub("", line)) > columns] == []
    text = " ".join(" ".join(lines).split())
    assert text.count("33: 3 worse (3 material, 0 minor), 30 no worse") == (2 if whole else 1)
    assert ("Other epochs" in text) is not whole
    if not whole:
        other = lines[next(at for at, line in enumerate(lines) if line == "Other epochs") + 2]
        assert re.search(r" 733 +33 ", other)


def test_a_stop_is_told_by_words_and_not_by_colour_alone(found: Quality, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    text = "\n".join(quality_lines(found, True, 8, Terminal()))
    assert text.count("STOPPED") == 1, "a policy of fixed rules is not stopped"
    assert text.count("audits only watch") == 1
