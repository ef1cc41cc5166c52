"""Starting, finding, replacing and stopping the daemon.

Rule: whoever starts or stops one holds the start lock, so two starters start one; and no process is ever signalled
because of a number in a file, only because the lock shows that it is the daemon.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import rlmc
from rlmc.config.paths import state_file
from rlmc.daemon import control
from rlmc.daemon.control import Endpoint
from rlmc.daemon.state import daemon_lock, read_state, start_lock
from rlmc.domain.frozen import dataclass
from rlmc.errors import DaemonError

if TYPE_CHECKING:
    from rlmc.daemon.spawn import Spawner

DRAIN_SECONDS = 15.0  # the daemon gives open streams ten, and needs a moment for its books
_STARTERS_SECONDS = 45.0
_KILL_SECONDS = 3.0
_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class PortWish:
    """The port the user set, 0 for any, and where it is set."""

    value: int = 0
    source: str = "default"


@dataclass(frozen=True, slots=True)
class Running:
    """A daemon that answers; `started` when this call started it. `notes` are worth telling the user."""

    endpoint: Endpoint
    started: bool
    notes: tuple[str, ...] = ()


def ensure_running(
    wish: PortWish, *, version: str | None = rlmc.__version__, spawner: Spawner | None = None
) -> Running:
    """The daemon, started if need be. One of another version (None: any will do) or on another port than the one set
    is replaced when no session lives on it, else kept with a note."""
    endpoint = control.find()
    if endpoint is not None and not _misfits(endpoint, wish, version):
        return Running(endpoint, started=False)
    with _only_starter():
        endpoint = control.find() or _wait_for_the_old_one()
        if endpoint is not None:
            misfits = _misfits(endpoint, wish, version)
            if not misfits:
                return Running(endpoint, started=False)
            if endpoint.sessions_alive > 0:
                kept = " and ".join(misfits)
                note = f"the daemon {kept}; it stays because {_sessions(endpoint)}. Replace it: rlmc restart"
                return Running(endpoint, started=False, notes=(note,))
            _end(endpoint)
        return Running(_start(wish, _last_port(endpoint), spawner), started=True)


def stop(*, force: bool = False) -> Endpoint | None:
    """Ends the daemon and returns what it was; None when none was running. Refused while sessions live on it."""
    with _only_starter():
        endpoint = control.find()
        if endpoint is None:
            _end(None)
            return None
        if endpoint.sessions_alive > 0 and not force:
            raise DaemonError(
                f"{_sessions(endpoint)}: their agents would lose their connection",
                "end them first, or: rlmc stop --force. To replace the daemon under them: rlmc restart",
            )
        _end(endpoint)
        return endpoint


def restart(wish: PortWish, *, spawner: Spawner | None = None) -> Running:
    """A fresh daemon in the place of the old one. Living sessions keep their port and come back by themselves, except
    those of terminals, of which that is said."""
    with _only_starter():
        old = control.find()
        last_port = _last_port(old)
        _end(old)
        notes: tuple[str, ...] = ()
        if old is not None and old.sessions_alive > 0 and wish.value not in (0, old.port):
            notes = (f"it stays on port {old.port}, not {wish.value} ({wish.source}), because {_sessions(old)}",)
            wish = PortWish(old.port, "the port its sessions use")
        if old is not None and old.terminals:
            lost = f"{old.terminals} terminal{'s' if old.terminals != 1 else ''}"
            notes += (f'{lost} of rlmc env lost the session; there, again: eval "$(rlmc env)"',)
        return Running(_start(wish, last_port, spawner), started=True, notes=notes)


def _misfits(endpoint: Endpoint, wish: PortWish, version: str | None) -> list[str]:
    found = []
    if version is not None and endpoint.version != version:
        found.append(f"is of version {endpoint.version}, not {version}")
    if wish.value not in (0, endpoint.port):
        found.append(f"listens on port {endpoint.port}, not {wish.value} ({wish.source})")
    return found


def _sessions(endpoint: Endpoint) -> str:
    count = endpoint.sessions_alive
    return f"{count} session{'s live' if count != 1 else ' lives'} on it"


def _last_port(endpoint: Endpoint | None) -> int:
    """The port agents may hold in their base URL: the living daemon's, or the one a dead daemon left in its claim."""
    if endpoint is not None:
        return endpoint.port
    claim = read_state()
    return claim.port if claim is not None else 0


def _start(wish: PortWish, last_port: int, spawner: Spawner | None) -> Endpoint:
    """With the start lock held and no daemon alive."""
    from rlmc.daemon.spawn import PortUnavailable, Spawner

    spawner = spawner or Spawner()
    if wish.value:
        try:
            return spawner.spawn(wish.value)
        except PortUnavailable as error:
            raise DaemonError(
                f"port is {wish.value} ({wish.source}), and {error.message}",
                "choose another: rlmc config set port N, or 0 for a free one",
            ) from error
    if last_port:
        with suppress(PortUnavailable):
            return spawner.spawn(last_port)
    return spawner.spawn(0)


def _wait_for_the_old_one() -> Endpoint | None:
    """With no daemon answering: one that is about to serve is waited for, one that is on its way out as well, and one
    that hangs is ended."""
    lock = daemon_lock()
    deadline = time.monotonic() + DRAIN_SECONDS
    while lock.held():
        endpoint = control.find()
        if endpoint is not None:
            return endpoint
        if time.monotonic() >= deadline:
            _kill()
            break
        time.sleep(_POLL_SECONDS)
    return None


def _end(endpoint: Endpoint | None) -> None:
    """With the start lock held: afterwards there is no daemon and no claim of one."""
    asked = False
    if endpoint is not None:
        with suppress(DaemonError):
            control.request_stop(endpoint)
            asked = True
    if not _gone_within(DRAIN_SECONDS if asked or endpoint is None else 0.0):
        _kill()
    # Whoever wrote it is gone, and that by choice: nobody shall start it again.
    with suppress(OSError):  # where it cannot go, nobody can come back either
        state_file().unlink(missing_ok=True)


def _kill() -> None:
    """By the pid that holds the lock, which is the daemon's as long as it holds it."""
    lock = daemon_lock()
    for number in (signal.SIGTERM, signal.SIGKILL):
        holder = lock.holder()
        if holder is None:
            break
        with suppress(ProcessLookupError, PermissionError):
            os.kill(holder, number)
        if _gone_within(_KILL_SECONDS):
            return
    if not lock.held():
        return
    holder = lock.holder()
    who = f"the daemon (pid {holder})" if holder else f"who holds {lock.path}, perhaps on another machine,"
    raise DaemonError(f"{who} does not end", "end it yourself, then try again")


def _gone_within(seconds: float) -> bool:
    lock = daemon_lock()
    deadline = time.monotonic() + seconds
    while lock.held():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


@contextmanager
def _only_starter() -> Iterator[None]:
    lock = start_lock()
    if not lock.acquire(_STARTERS_SECONDS):
        raise DaemonError(
            f"another rlmc (pid {lock.holder()}) has been starting or stopping the daemon for a long time",
            "wait for it, or end it",
        )
    with lock:
        yield
