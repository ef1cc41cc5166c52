"""The open line between a waiting `rlmc run` and the daemon: each side learns of the other's death at once.

Rule: silence is not death, only the end of the line is; a machine may sleep for a night.
"""

from __future__ import annotations

import select
import socket
import time
from contextlib import suppress
from types import TracebackType

from rlmc.daemon.proven import HOST, proven
from rlmc.daemon.question import read_head
from rlmc.errors import DaemonError


class Attachment:
    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._closed = False

    def fileno(self) -> int:
        return self._connection.fileno()

    def wait_closed(self, timeout: float | None = None) -> bool:
        """True once the daemon is gone or has hung up; False when it still holds the line after `timeout` seconds.

        The daemon's signs of life are read and forgotten on the way.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self._closed:
            left = None if deadline is None else max(0.0, deadline - time.monotonic()) * 1000
            # poll, because select knows no descriptor beyond 1,023
            poller = select.poll()
            try:
                poller.register(self._connection, select.POLLIN)
                if not poller.poll(left):
                    return False
                self._closed = not self._connection.recv(4096)
            except (OSError, ValueError):  # reset, or closed from another thread
                self._closed = True
        return True

    def hang_up(self) -> None:
        """Ends the line; a thread that waits on it wakes up. `close` is still due."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._closed = True
        self._connection.close()

    def __enter__(self) -> Attachment:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_attachment(port: int, token: str, path: str, timeout: float) -> Attachment:
    """Raises OSError when nobody answers, DaemonError when the daemon does not know the session."""
    connection = proven(port, token, timeout)
    try:
        connection.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {HOST}:{port}\r\nAuthorization: Bearer {token}\r\n"
            "Connection: close\r\n\r\n".encode("ascii")
        )
        head, _ = read_head(connection)
        words = head.split(b"\r\n", 1)[0].split()
        if len(words) < 2 or words[1] != b"200":
            raise DaemonError("the daemon does not know this session")
        connection.settimeout(None)
    except BaseException:
        connection.close()
        raise
    return Attachment(connection)
