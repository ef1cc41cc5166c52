"""The demonstration's session: the real `rlmc run` around the demo agent, in a folder of its own.

The user's configuration, ledger, daemon and keys are out of reach: every path is inside the folder, and no variable
that names a key, an address or a setting is handed on.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import IO, Any, Self

from rlmc.domain.frozen import dataclass
from rlmc.errors import RlmcError

DRAFT_MODEL = "sim/draft"
VERIFY_MODEL = "sim/verify"
POLICY = "balanced"
_HIDDEN_PREFIXES = ("RLMC_", "ANTHROPIC_", "CLAUDE_")
_PATIENCE_SECONDS = 15.0


class DemoError(RlmcError):
    """The demonstration could not be shown."""

    code = "demo"


@dataclass(frozen=True, slots=True)
class DemoTurn:
    """What the agent tells of one turn. `task` 0 is the title call; `prompt_tokens` is what its context meter shows."""

    turn: int
    task: int
    asked: str | None
    model: str
    does: str
    prompt_tokens: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Session:
    """`summary` is what `rlmc run` said at its end."""

    turns: tuple[DemoTurn, ...]
    summary: str
    seconds: float


class Sandbox:
    """A folder with its own configuration, ledger and daemon. Closing ends the daemon and removes the folder."""

    def __init__(self, *, keep: bool = False) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="rlmc-demo-"))
        self.keep = keep
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(_HIDDEN_PREFIXES)},
            "RLMC_CONFIG_DIR": str(self.folder / "config"),
            "RLMC_DATA_DIR": str(self.folder / "data"),
            "RLMC_STATE_DIR": str(self.folder / "state"),
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.rlmc("stop", "--force", timeout=_PATIENCE_SECONDS)
        finally:
            if not self.keep:
                shutil.rmtree(self.folder, ignore_errors=True)

    def rlmc(self, *arguments: str, timeout: float | None = None) -> subprocess.CompletedProcess[str]:
        """One rlmc command inside the sandbox, its output captured."""
        try:
            return subprocess.run(  # noqa: S603 - our own command line
                _rlmc(arguments),
                env=self.environment,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise DemoError(f"`rlmc {' '.join(arguments)}` of the demo did not end", self._where()) from error

    def session(self, on_turn: Callable[[DemoTurn], None]) -> Session:
        """Runs the agent's whole session; `on_turn` is called as soon as each turn is over."""
        options = ["--draft-model", DRAFT_MODEL, "--verify-model", VERIFY_MODEL, "--policy", POLICY, "--name", "demo"]
        command = _rlmc(["run", *options, "--", sys.executable, "-m", "rlmc.demo.agent"])
        started = time.monotonic()
        turns: list[DemoTurn] = []
        # Into a file: a pipe nobody reads while the turns come in could fill up.
        with tempfile.TemporaryFile("w+", encoding="utf-8") as told:
            child = subprocess.Popen(  # noqa: S603 - our own command line
                command,
                env=self.environment,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=told,
                text=True,
            )
            with child:
                try:
                    for turn in _turns(child.stdout):
                        turns.append(turn)
                        on_turn(turn)
                    code = child.wait(_PATIENCE_SECONDS)
                except subprocess.TimeoutExpired as error:
                    child.kill()
                    raise DemoError("the demo's session did not end", self._where()) from error
                except BaseException:
                    _end(child)
                    raise
            told.seek(0)
            said = told.read().strip()
        if code != 0 or not turns:
            raise DemoError(f"the demo's session ended with exit code {code}: {said[-500:]}", self._where())
        return Session(tuple(turns), said, time.monotonic() - started)

    def stats(self) -> dict[str, Any]:
        """The session's account, as `rlmc stats --last --json` gives it."""
        done = self.rlmc("stats", "--last", "--json", timeout=_PATIENCE_SECONDS)
        try:
            data = json.loads(done.stdout)["data"]
        except (ValueError, KeyError, TypeError) as error:
            raise DemoError(f"no account of the demo's session: {done.stderr.strip()[-500:]}", self._where()) from error
        return data if isinstance(data, dict) else {}

    def _where(self) -> str:
        log = self.folder / "state" / "daemon.log"
        return f"look at {log}" if self.keep else "run `rlmc demo --keep` and look at state/daemon.log in its folder"


def _end(child: subprocess.Popen[str]) -> None:
    """Waits for it: a living `rlmc run` would start the daemon again that is about to be stopped."""
    child.terminate()
    try:
        child.wait(_PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()


def _rlmc(arguments: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "rlmc", *arguments]


def _turns(lines: IO[str] | None) -> Iterator[DemoTurn]:
    names = [f.name for f in fields(DemoTurn)]
    for line in lines or ():
        try:
            told = json.loads(line)
            yield DemoTurn(**{name: told[name] for name in names})
        except (ValueError, KeyError, TypeError):
            continue
