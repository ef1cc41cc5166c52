"""Keeps a session alive while its agent works, whatever becomes of the daemon.

Rule: a daemon that dies is started again on the same port and given the same session, token and keys, so that the
agent's next try succeeds, and no other user gets the port in between. One that was stopped by choice is not started
again; if it comes back, the session does too.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

from rlmc.config.paths import state_file
from rlmc.daemon import control
from rlmc.daemon.attachment import Attachment
from rlmc.daemon.control import Endpoint, Registration
from rlmc.daemon.lifecycle import PortWish, ensure_running
from rlmc.daemon.sockets import hold
from rlmc.daemon.state import read_state
from rlmc.errors import DaemonError

Reviver = Callable[[int], Endpoint]

# About a minute in all; an agent's own patience with a refused connection is not longer.
_PAUSES = (0.0, 0.1, 0.3, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
_LOOK_SECONDS = 1.0


def revive(port: int) -> Endpoint:
    """A daemon on `port`, of whatever version is installed by now."""
    return ensure_running(PortWish(port, "the port of a running session"), version=None).endpoint


class SessionKeeper:
    """A thread that holds the line to the daemon. `endpoint` is where the session lives now."""

    def __init__(self, endpoint: Endpoint, registration: Registration, reviver: Reviver = revive) -> None:
        self.endpoint = endpoint
        self.revivals = 0
        self._registration = registration
        self._reviver = reviver
        self._notes: list[str] = []
        self._stopping = threading.Event()
        self._guard = threading.Lock()
        self._line: Attachment | None = None
        self._claim = state_file()
        self._port: socket.socket | None = None
        self._thread = threading.Thread(target=self._keep, name="rlmc-keeper", daemon=True)

    def start(self) -> None:
        """Opens the line before it returns: from here on the daemon knows that somebody waits."""
        self._open()
        self._port = hold(self.endpoint.port)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        with self._guard:
            if self._line is not None:
                self._line.hang_up()
        if self._thread.is_alive():
            # It may be in the middle of starting a daemon that nobody needs any more.
            self._thread.join(timeout=5)
        if self._port is not None:
            self._port.close()

    @property
    def notes(self) -> tuple[str, ...]:
        back = self.revivals
        if not back:
            return tuple(self._notes)
        times = "once" if back == 1 else f"{back} times"
        return (f"the daemon went away {times} and came back; the session went on", *self._notes)

    def _keep(self) -> None:
        while not self._stopping.is_set():
            line = self._line
            if line is not None:
                line.wait_closed()
                with self._guard:
                    self._line = None
                line.close()
            if not self._come_back():
                return

    def _come_back(self) -> bool:
        """True once the session lives again; False when it is over, or cannot be brought back."""
        reason = ""
        pauses = iter(_PAUSES)
        while not self._stopping.is_set():
            # A disk that can no longer be written has the next daemon live elsewhere; the claim stays where it was.
            if read_state() is None and read_state(self._claim) is None:
                # Stopped by choice. Somebody may start it again, and that costs no more than a look.
                self._stopping.wait(_LOOK_SECONDS)
                continue
            pause = next(pauses, None)
            if pause is None:
                self._notes.append(f"the daemon went away and could not be brought back: {reason}")
                return False
            if self._stopping.wait(pause):
                break
            try:
                endpoint = self._reviver(self.endpoint.port)
                if endpoint.port != self.endpoint.port:
                    reason = f"it listens on port {endpoint.port} now, the agent still calls {self.endpoint.port}"
                    continue
                another = endpoint.instance != self.endpoint.instance
                control.register_session(endpoint, self._registration)
                self.endpoint = endpoint
                self._open()
            except DaemonError as error:
                reason = error.message
                continue
            self.revivals += another
            return True
        return False

    def _open(self) -> None:
        line = control.attach(self.endpoint, self._registration.id)
        self._claim = state_file()
        with self._guard:
            self._line = line
            if self._stopping.is_set():
                line.hang_up()
