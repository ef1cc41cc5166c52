"""A few kills of the daemon under agents at work. Many more: `python -m tests.studies.kills`."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.studies.kills import study
from tests.support.daemons import own_folders


@pytest.mark.timeout(240)
def test_nothing_is_lost_whenever_the_daemon_dies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with own_folders(tmp_path, monkeypatch):
        found = study(kills=5, sessions=3, seed=7)
    assert not found.lost, found.lines()
    assert found.kills.total() >= 5
    assert found.answers >= 5
