"""Where the daemon says that it lives: its state file and its locks.

Rule: the file is a claim, never a fact. It can outlive its writer, so a reader probes before it believes; what proves a
living process is the lock, which the kernel drops with its holder. The file holds the control token: 0600.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType

from rlmc.config.paths import ensure_dir, metrics_token_file, state_dir, state_file

_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class DaemonState:
    """`instance` is a random word that only this daemon and readers of this file know; `started_at` unix seconds."""

    port: int
    pid: int
    version: str
    control_token: str = field(repr=False)
    started_at: float
    instance: str = field(repr=False)


def read_state(path: Path | None = None) -> DaemonState | None:
    """The claim, or None when there is none or it is damaged."""
    try:
        raw = json.loads((path or state_file()).read_bytes())
        return DaemonState(
            port=int(raw["port"]),
            pid=int(raw["pid"]),
            version=str(raw["version"]),
            control_token=str(raw["control_token"]),
            started_at=float(raw["started_at"]),
            instance=str(raw["instance"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_state(state: DaemonState, path: Path | None = None) -> None:
    """Replaces the file in one step: nobody ever reads half of it, and it is never open to others."""
    _write_private(path or state_file(), json.dumps(asdict(state)))


def _write_private(target: Path, text: str) -> None:
    ensure_dir(target.parent)
    beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            out.write(text)
        beside.replace(target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def remove_state(instance: str, path: Path | None = None) -> None:
    """Takes the claim back, but only one's own: a later daemon's stays."""
    target = path or state_file()
    state = read_state(target)
    if state is not None and state.instance == instance:
        target.unlink(missing_ok=True)


def write_metrics_token(token: str) -> None:
    """The token that opens the daemon's metrics, for a collector's `credentials_file`. A new one with every start."""
    _write_private(metrics_token_file(), token)


def remove_metrics_token(token: str) -> None:
    """Only one's own, as with the claim."""
    target = metrics_token_file()
    with suppress(OSError):
        if target.read_bytes() == token.encode():
            target.unlink(missing_ok=True)


class FileLock:
    """An exclusive lock on a file, held until `release` or the holder's death. The holder's pid stands inside."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def acquire(self, timeout: float = 0.0) -> bool:
        """False when somebody else still holds it after `timeout` seconds."""
        ensure_dir(self.path.parent)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + timeout
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if time.monotonic() >= deadline:
                    os.close(descriptor)
                    return False
                time.sleep(_POLL_SECONDS)
                continue
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
            self._descriptor = descriptor
            return True

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def held(self) -> bool:
        """Whether some process holds it now."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(descriptor)
        return False

    def holder(self) -> int | None:
        """The pid of the process that holds it now."""
        if not self.held():
            return None
        with suppress(OSError, ValueError):
            return int(self.path.read_text(encoding="ascii"))
        return None

    def __enter__(self) -> FileLock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def daemon_lock() -> FileLock:
    """Held by the living daemon, for as long as it lives."""
    return FileLock(state_dir() / "daemon.lock")


def start_lock() -> FileLock:
    """Held by whoever is about to start or stop a daemon, so that two starters start one."""
    return FileLock(state_dir() / "start.lock")
