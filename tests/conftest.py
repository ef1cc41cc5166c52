"""Options and fixtures all tests share. Nothing outside loopback is ever contacted, and no user's folders are used."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.live import Live, live_daemon

OPT_IN = {"clients": "drive the real agents and SDKs", "models": "drive real local models"}


def pytest_addoption(parser: pytest.Parser) -> None:
    for name, meaning in OPT_IN.items():
        parser.addoption(f"--{name}", action="store_true", help=f"also run the tests that {meaning}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for name in OPT_IN:
        if not config.getoption(f"--{name}"):
            skip = pytest.mark.skip(reason=f"opt-in: run with --{name}")
            for item in items:
                if name in item.keywords:
                    item.add_marker(skip)


@pytest.fixture(autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test may meet the configuration, the ledger or the daemon of whoever runs it."""
    folder = tmp_path_factory.mktemp("rlmc")
    for name in ("CONFIG", "DATA", "STATE"):
        monkeypatch.setenv(f"RLMC_{name}_DIR", str(folder / name.lower()))


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
    """The real daemon application with nothing configured."""
    with live_daemon(tmp_path, monkeypatch) as daemon:
        yield daemon
