from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _grown_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """No daemon here waits for sessions of one that died before it."""
    monkeypatch.setattr("rlmc.server.app._YOUNG_SECONDS", 0.0)
