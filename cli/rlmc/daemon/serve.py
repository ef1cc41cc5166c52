"""The daemon's process: one socket, one event loop, one way in and one way out.

Rule: listening comes before announcing. The state file appears when the daemon serves and goes when it stops by
choice; a daemon that dies, or is ended while somebody needs it, leaves it behind, which tells a waiting `rlmc run` to
start another.
"""

from __future__ import annotations

import asyncio
import errno
import faulthandler
import logging
import os
import secrets
import signal
import socket
import sys
import time
from contextlib import suppress
from typing import Protocol

import uvloop

import rlmc
from rlmc.config.paths import log_file, state_dir, state_file
from rlmc.daemon import exit_codes
from rlmc.daemon.limits import allow_many_files
from rlmc.daemon.listener import Listener
from rlmc.daemon.log import set_up_logging
from rlmc.daemon.sockets import listen
from rlmc.daemon.state import (
    DaemonState,
    FileLock,
    daemon_lock,
    own_folder,
    remove_metrics_token,
    remove_state,
    write_metrics_token,
    write_state,
)
from rlmc.errors import RlmcError
from rlmc.server.exchange import Exchange
from rlmc.server.metrics_token import metrics_token

DRAIN_SECONDS = 10
_KEEP_ALIVE_SECONDS = 120  # longer than an agent's own, so that it is the agent that hangs up
_SWITCH_SECONDS = 0.0005
_LOCK_SECONDS = 1.0  # a reader may hold the lock for an instant
_IDLE_LOOKS = (0.05, 5.0)


class DaemonApp(Protocol):
    """What the process needs to know of the thing it serves."""

    stop_requested: asyncio.Event

    async def app(self, exchange: Exchange) -> None: ...
    async def startup(self) -> None: ...
    async def shutdown(self) -> None: ...
    def busy(self) -> bool: ...
    def idle_seconds(self) -> float: ...
    def idle_timeout(self) -> float: ...


class Builder(Protocol):
    def __call__(self, *, port: int, control_token: str, instance: str, log: logging.Logger) -> DaemonApp: ...


def serve(port: int, log_level: str, build: Builder | None = None) -> int:
    """Runs until told to stop. The exit code says what went wrong; the log says the rest."""
    os.umask(0o077)
    os.chdir("/")
    own_folder(state_dir())
    log = set_up_logging(log_file(), log_level)
    lock = daemon_lock()
    if not lock.acquire(_LOCK_SECONDS):
        log.error("not started: a daemon is running already")
        return exit_codes.ALREADY_RUNNING
    with lock:
        faulthandler.enable()
        allow_many_files()
        # What other threads do, such as writing rows, must not keep the turns waiting for longer than this.
        sys.setswitchinterval(_SWITCH_SECONDS)
        try:
            listener = listen(port)
        except OSError as error:
            log.error("cannot listen on 127.0.0.1:%d: %s", port, error.strerror or error)
            return exit_codes.PORT_FORBIDDEN if error.errno == errno.EACCES else exit_codes.PORT_TAKEN
        try:
            with listener, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(_Process(listener, lock, log, build or _assembled).run())
        except RlmcError as error:
            log.error("not started: %s%s", error.message, f" ({error.hint})" if error.hint else "")
            return exit_codes.FAILED
        except Exception:
            log.exception("ended by an error of its own")
            return exit_codes.FAILED
    return 0


def _assembled(*, port: int, control_token: str, instance: str, log: logging.Logger) -> DaemonApp:
    from rlmc.assembly import build_daemon

    return build_daemon(port=port, control_token=control_token, instance=instance, log=log)


class _Process:
    """The life of one daemon, from its first to its last turn."""

    def __init__(self, listener: socket.socket, lock: FileLock, log: logging.Logger, build: Builder) -> None:
        self._socket = listener
        self._lock = lock
        self._log = log
        self._state = DaemonState(
            port=listener.getsockname()[1],
            pid=os.getpid(),
            version=rlmc.__version__,
            control_token=secrets.token_urlsafe(32),
            started_at=time.time(),
            instance=secrets.token_hex(16),
        )
        self._daemon = build(
            port=self._state.port,
            control_token=self._state.control_token,
            instance=self._state.instance,
            log=log,
        )
        self._metrics_token = metrics_token(self._state.control_token)
        self._keep_claim = False
        self._announced = False
        self._ending = asyncio.Event()
        self._listener: Listener | None = None

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        # The first to wait for the event: the claim is gone before anybody else learns that this is the end.
        ending = asyncio.create_task(self._end_when_asked())
        await asyncio.sleep(0)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_signal, number)
        loop.add_signal_handler(signal.SIGHUP, lambda: None)
        idle = asyncio.create_task(self._end_when_idle())
        try:
            await self._daemon.startup()
            try:
                self._listener = listener = Listener(self._daemon.app, _KEEP_ALIVE_SECONDS)
                await listener.start(self._socket)
                self._announce()
                await self._ending.wait()
                await listener.drain(DRAIN_SECONDS)
                if listener.tasks:  # cancelled ones still have books to close
                    await asyncio.wait(listener.tasks, timeout=2)
            finally:
                await self._daemon.shutdown()
        finally:
            idle.cancel()
            ending.cancel()
            self._withdraw()
        self._log.info("stopped")

    def _announce(self) -> None:
        try:
            write_metrics_token(self._metrics_token)
        except OSError as error:
            self._log.warning("metrics cannot be opened to a collector: %s", error)
        write_state(self._state)
        self._announced = True
        self._log.info("version %s listens on 127.0.0.1:%d", self._state.version, self._state.port)

    def _on_signal(self, number: int) -> None:
        if self._daemon.stop_requested.is_set():
            if self._listener is not None:
                self._listener.cancel()
            return
        self._keep_claim = self._daemon.busy()
        self._log.info("received %s", signal.Signals(number).name)
        self._daemon.stop_requested.set()

    async def _end_when_asked(self) -> None:
        await self._daemon.stop_requested.wait()
        self._withdraw()
        self._ending.set()

    def _withdraw(self) -> None:
        if not self._keep_claim:
            with suppress(OSError):  # on a disk that cannot be written it stays, a claim that nobody answers to
                remove_state(self._state.instance)
            remove_metrics_token(self._metrics_token)

    def _stay_known(self) -> None:
        """Folders of temporary files are cleaned, also under a daemon that lives in one."""
        if not self._announced:
            return
        with suppress(OSError, RlmcError):
            self._lock.renew()
            if not state_file().exists():
                write_state(self._state)
                self._log.info("the state file was gone and is written again")

    async def _end_when_idle(self) -> None:
        daemon, least, most = self._daemon, *_IDLE_LOOKS
        quiet_since = time.monotonic()
        while not daemon.stop_requested.is_set():
            if daemon.busy():
                quiet_since = time.monotonic()
            # A session that waited for hours has ended just now: its last request is no measure.
            idle = min(daemon.idle_seconds(), time.monotonic() - quiet_since)
            timeout = daemon.idle_timeout()
            if idle > timeout > 0 and not daemon.busy():
                self._log.info("idle for %.0f s", idle)
                daemon.stop_requested.set()
                return
            self._stay_known()
            left = timeout - idle if timeout > 0 else most
            await asyncio.sleep(min(max(left, least), most))
