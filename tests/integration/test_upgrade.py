"""The package is replaced under a running `rlmc run`: the agent's end stands, with whatever is there by then.

Modules that a waiting run has not imported yet are those of the version on disk at its end.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from tests.support.daemons import eventually, kill_daemon
from tests.support.fake_upstream import FakeUpstream
from tests.support.installed import install, install_another
from tests.support.ledger_rows import ledger_path, turn_rows

from rlmc.ledger.schema import VERSION

pytestmark = pytest.mark.timeout(120)

ROOT = Path(__file__).parents[2]
# Asks once, waits, asks once more as agents do, and ends with a code of its own.
AGENT = """
import pathlib, sys, time
from tests.support.mixed_session import conversation
from tests.support.wire_client import send
import os

def ask(turn):
    while True:
        try:
            assert send(os.environ["ANTHROPIC_BASE_URL"], conversation(turn)).status == 200
            return
        except OSError:
            time.sleep(0.2)

ask(0)
pathlib.Path("waits").touch()
while not pathlib.Path("go").exists():
    time.sleep(0.05)
ask(1)
sys.exit(7)
"""


class Work:
    """An agent at work by `rlmc run` of a package in `site`."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.site = folder, folder / "site"
        install(self.site)
        self.env = os.environ | {
            "PYTHONPATH": os.pathsep.join((str(self.site), str(ROOT))),
            "ANTHROPIC_API_KEY": "sk-ant-test-0000",
        }
        self.child = subprocess.Popen(
            [sys.executable, "-m", "rlmc", "run", "--", sys.executable, "-c", AGENT],
            cwd=folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        eventually((folder / "waits").exists, 60)

    def ends(self) -> str:
        """Lets it come to its end; what was said at it."""
        (self.folder / "go").touch()
        _, said = self.child.communicate(timeout=60)
        assert self.child.returncode == 7, said
        assert "Traceback" not in said
        return said


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Work]:
    with _configured(), _ended(tmp_path) as made:
        yield made


@contextmanager
def _configured() -> Iterator[None]:
    with FakeUpstream() as up:
        file = Path(os.environ["RLMC_CONFIG_DIR"]) / "config.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f'[upstream.anthropic]\nbase-url = "{up.url}"\n')
        yield


@contextmanager
def _ended(folder: Path) -> Iterator[Work]:
    made = Work(folder)
    try:
        yield made
    finally:
        with suppress(ProcessLookupError):
            made.child.kill()
        made.child.communicate()
        kill_daemon()


def test_a_version_that_does_not_go_together_with_the_running_one(work: Work) -> None:
    install_another(work.site)
    said = work.ends()
    assert "no account of this session: RuntimeError: this is another version" in said
    assert "see: rlmc stats " in said
    assert len(turn_rows()) == 2


def test_a_ledger_that_a_newer_version_has_taken_over(work: Work) -> None:
    eventually(turn_rows)
    with closing(sqlite3.connect(ledger_path())) as db:
        db.execute(f"PRAGMA user_version = {VERSION + 1}")
    said = work.ends()
    assert f"the ledger has version {VERSION + 1}" in said


def test_the_daemon_dies_while_the_package_is_half_there(work: Work) -> None:
    install_another(work.site)
    assert kill_daemon() is not None
    log = Path(os.environ["RLMC_STATE_DIR"]) / "daemon.log"
    eventually(lambda: "this is another version" in log.read_text())
    install(work.site, "9.9.9")
    said = work.ends()
    assert "the daemon went away once and came back" in said
    assert "rlmc: 2 turns" in said
    assert "version 9.9.9 listens" in log.read_text()
