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
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol

import uvicorn
import uvloop

import rlmc
from rlmc.config.paths import log_file, state_dir, state_file
from rlmc.daemon import exit_codes
from rlmc.daemon.limits import allow_many_files
from rlmc.daemon.log import set_up_logging
from rlmc.daemon.protocol import BoundedProtocol
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
from rlmc.server.metrics_token import metrics_token

DRAIN_SECONDS = 10
_KEEP_ALIVE_SECONDS = 120  # longer than an agent's own, so that it is the agent that hangs up
_SWITCH_SECONDS = 0.0005
_LOCK_SECONDS = 1.0  # a reader may hold the lock for an instant
_IDLE_LOOKS = (0.05, 5.0)


class DaemonApp(Protocol):
    """What the process needs to know of the thing it serves."""

    stop_requested: asyncio.Event

    async def app(self, scope: Any, receive: Any, send: Any) -> None: ...
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
        self._listener = listener
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
        self._server = _Server(
            uvicorn.Config(
                self._daemon.app,
                http=BoundedProtocol,
                ws="none",
                lifespan="off",
                interface="asgi3",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                date_header=False,
                timeout_keep_alive=_KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=DRAIN_SECONDS,
            ),
            self._announce,
        )

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
                await self._server.serve(sockets=[self._listener])
                if self._server.server_state.tasks:  # cancelled ones still have books to close
                    await asyncio.wait(self._server.server_state.tasks, timeout=2)
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
            self._server.force_exit = True
            return
        self._keep_claim = self._daemon.busy()
        self._log.info("received %s", signal.Signals(number).name)
        self._daemon.stop_requested.set()

    async def _end_when_asked(self) -> None:
        await self._daemon.stop_requested.wait()
        self._withdraw()
        self._server.end()

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


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers and its ten wake-ups a second; says when it serves."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce
        self._ending = asyncio.Event()

    def end(self) -> None:
        self.should_exit = True
        self._ending.set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._announce()

    async def main_loop(self) -> None:
        await self._ending.wait()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
