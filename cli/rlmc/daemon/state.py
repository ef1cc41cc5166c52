"""Where the daemon says that it lives: its state file and its locks.

Rule: the file is a claim, never a fact. It can outlive its writer, so a reader probes before it believes; what proves a
living process is the lock, which the kernel drops with its holder. The file holds the control token: 0600. What others
of this machine could have put there is believed by nobody.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import secrets
import stat
import time
from contextlib import suppress
from dataclasses import asdict, field
from pathlib import Path
from types import TracebackType

from rlmc.config.locks import is_held
from rlmc.config.paths import daemon_lock_file, ensure_dir, metrics_token_file, state_dir, state_file
from rlmc.domain.frozen import dataclass
from rlmc.errors import DaemonError

_POLL_SECONDS = 0.05
_ANOTHER_FOLDER = "name a folder of your own in RLMC_STATE_DIR"
_FULL = (errno.ENOSPC, errno.EDQUOT)


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
    """The claim, or None when there is none, it is damaged, or it is another user's."""
    try:
        raw = json.loads(_own_file(path or state_file()))
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


def _own_file(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or not _is_ours(found):
            raise PermissionError(f"{path} is another user's")
        return file.read()


def _is_ours(found: os.stat_result) -> bool:
    """Root may be pointed to anybody's files, and needs none to do as it likes."""
    return os.geteuid() in (0, found.st_uid) or found.st_uid == 0


def own_folder(folder: Path) -> Path:
    """Makes `folder` if it is missing. Raises DaemonError where it cannot be, or where others could put a claim, or a
    link, of theirs in it."""
    try:
        found = ensure_dir(folder).stat()
    except OSError as error:
        raise DaemonError(f"the folder {folder} cannot be made: {error.strerror or error}", _ANOTHER_FOLDER) from error
    if not _is_ours(found):
        raise DaemonError(f"the folder {folder} belongs to another user", _ANOTHER_FOLDER)
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise DaemonError(f"others may write to the folder {folder}", f"chmod go-w {folder}, or: {_ANOTHER_FOLDER}")
    return folder


def write_state(state: DaemonState, path: Path | None = None) -> None:
    """Replaces the file in one step: nobody ever reads half of it, and it is never open to others. On a full disk the
    file that is there is written over; half of it is no claim."""
    target, text = path or state_file(), json.dumps(asdict(state))
    try:
        _write_private(target, text)
    except OSError as error:
        if error.errno not in _FULL:
            raise
        _write_over(target, text)


def _write_private(target: Path, text: str) -> None:
    own_folder(target.parent)
    beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            out.write(text)
        beside.replace(target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _write_over(target: Path, text: str) -> None:
    descriptor = os.open(target, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "wb") as out:
        os.fchmod(descriptor, 0o600)
        out.write(text.encode())
        out.truncate()


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
    """An exclusive lock on a file, held until `release` or the holder's death. The holder's pid stands inside, and on
    which machine that is one: a disk may be shared by several."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def acquire(self, timeout: float = 0.0) -> bool:
        """False when somebody else still holds it after `timeout` seconds. Raises DaemonError where there are no
        locks."""
        own_folder(self.path.parent)
        try:
            descriptor = _open_lock(self.path)
        except OSError as error:
            raise DaemonError(f"{self.path} cannot be opened: {error.strerror}", _ANOTHER_FOLDER) from error
        deadline = time.monotonic() + timeout
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    os.close(descriptor)
                    return False
                time.sleep(_POLL_SECONDS)
                continue
            except OSError as error:
                os.close(descriptor)
                why = f"{self.path} cannot be locked: {error.strerror}"
                raise DaemonError(why, "name a folder on a disk of this machine in RLMC_STATE_DIR") from error
            self._name_holder(descriptor)
            self._descriptor = descriptor
            return True

    def _name_holder(self, descriptor: int) -> None:
        """Over what stands there, for which also a full disk has room. Where it cannot be, nobody is named."""
        name = f"{os.getpid()} {os.uname().nodename}\n".encode()
        try:
            os.pwrite(descriptor, name, 0)
            os.ftruncate(descriptor, len(name))
        except OSError:
            with suppress(OSError):
                os.ftruncate(descriptor, 0)

    def renew(self) -> None:
        """Takes it again where its file has gone from under its holder; not where another one was quicker."""
        if self._descriptor is None or os.fstat(self._descriptor).st_nlink > 0:
            return
        again = FileLock(self.path)
        if again.acquire():
            os.close(self._descriptor)
            self._descriptor = again._descriptor

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def held(self) -> bool:
        """Whether some process holds it now."""
        return is_held(self.path)

    def holder(self) -> int | None:
        """The pid of the process that holds it now; None also for a process of another machine."""
        if not self.held():
            return None
        with suppress(OSError, ValueError):
            pid, _, machine = self.path.read_text(encoding="utf-8").strip().partition(" ")
            return int(pid) if machine in ("", os.uname().nodename) else None
        return None

    def __enter__(self) -> FileLock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def _open_lock(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno != errno.EROFS:
            raise
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)  # a daemon that lives on such a disk can be stopped, too


def daemon_lock() -> FileLock:
    """Held by the living daemon, for as long as it lives."""
    return FileLock(daemon_lock_file())


def start_lock() -> FileLock:
    """Held by whoever is about to start or stop a daemon, so that two starters start one."""
    return FileLock(state_dir() / "start.lock")
