"""Daemons for tests: folders of their own, the fake one's command line, waiting with a deadline, and cleaning up."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import pytest

from rlmc.daemon.spawn import Spawner
from rlmc.daemon.state import daemon_lock

_FAKE = Path(__file__).with_name("fake_daemon.py")
_T = TypeVar("_T")


def fake(*options: str, seconds: float = 20.0) -> Spawner:
    """A spawner of fake daemons with these options."""
    return Spawner(command=(sys.executable, str(_FAKE), *options), seconds=seconds)


@contextmanager
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Configuration, data and state under `tmp_path`. Whatever daemon lives there at the end is killed."""
    for name in list(os.environ):
        if name.startswith(("RLMC_", "ANTHROPIC_", "CLAUDE_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for name in ("CONFIG", "DATA", "STATE"):
        monkeypatch.setenv(f"RLMC_{name}_DIR", str(tmp_path / name.lower()))
    # Which drafts are audited is left to chance: a test that is not about it does without.
    monkeypatch.setenv("RLMC_AUDITS", "off")
    try:
        yield tmp_path
    finally:
        kill_daemon()


def kill_daemon() -> int | None:
    """SIGKILL for the living daemon of these folders; its pid. It is gone when this returns."""
    lock = daemon_lock()
    holder = lock.holder()
    if holder is not None:
        with suppress(ProcessLookupError):
            os.kill(holder, signal.SIGKILL)
        eventually(lambda: not lock.held())
    return holder


def eventually(look: Callable[[], _T], seconds: float = 20.0) -> _T:
    """What `look` gives as soon as that is something; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            pytest.fail(f"nothing within {seconds:.0f} s")
        time.sleep(0.02)
