"""The real command line as a process of its own, in folders of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.support.daemons import own_folders

_KEPT = ("PATH", "LANG", "PYTHONPATH", "TMPDIR", "VIRTUAL_ENV")


class Rlmc:
    """A user with an empty home. `env` is what their shell holds besides."""

    def __init__(self, home: Path, **env: str) -> None:
        self.home = home
        self.env: dict[str, str] = {
            **{name: os.environ[name] for name in _KEPT if name in os.environ},
            **{name: value for name, value in os.environ.items() if name.startswith("RLMC_")},
            "HOME": str(home),
            **env,
        }
        self._started: list[subprocess.Popen[str]] = []

    def close(self) -> None:
        """Kills what a failed test has left behind, children included."""
        for process in self._started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            if not all(stream is None or stream.closed for stream in (process.stdout, process.stderr)):
                process.communicate()

    def start(
        self, *arguments: str, env: Mapping[str, str] | None = None, stdin: int | None = None
    ) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "rlmc", *arguments],
            env={**self.env, **(env or {})},
            cwd=self.home,
            stdin=subprocess.DEVNULL if stdin is None else stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._started.append(process)
        return process

    def __call__(
        self, *arguments: str, env: Mapping[str, str] | None = None, stdin: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        process = self.start(*arguments, env=env, stdin=None if stdin is None else subprocess.PIPE)
        out, err = process.communicate(stdin, timeout=60)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)


@contextmanager
def a_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rlmc]:
    """In folders of their own; nothing of theirs is left running."""
    home = tmp_path / "home"
    home.mkdir()
    with own_folders(tmp_path, monkeypatch):
        user = Rlmc(home)
        yield user
        user.close()
