"""Options and fixtures all tests share. Nothing outside loopback is ever contacted, and no user's folders are used."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from tests.support.live import Live

# Machines are shared and noisy: how long one example takes says nothing.
settings.register_profile("shared", deadline=None)
settings.load_profile("shared")

# Whoever starts the tests in the background, or by nohup, has them ignore these, and so all children they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
for number in (signal.SIGHUP, signal.SIGQUIT):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--clients", action="store_true", help="also run the tests that drive the real agents and SDKs")
    parser.addoption("--browser", action="store_true", help="also run the tests that drive a real browser")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for layer in ("clients", "browser"):
        if not config.getoption(f"--{layer}"):
            skip = pytest.mark.skip(reason=f"opt-in: run with --{layer}")
            for item in items:
                if layer in item.keywords:
                    item.add_marker(skip)


@pytest.fixture(autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test may meet the configuration, the ledger or the daemon of whoever runs it."""
    folder = tmp_path_factory.mktemp("rlmc")
    for name in ("CONFIG", "DATA", "STATE"):
        monkeypatch.setenv(f"RLMC_{name}_DIR", str(folder / name.lower()))
    # Which drafts are audited is left to chance: a test that is not about it does without.
    monkeypatch.setenv("RLMC_AUDITS", "off")


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
    """The real daemon application with nothing configured."""
    from tests.support.live import live_daemon

    with live_daemon(tmp_path, monkeypatch) as daemon:
        yield daemon
