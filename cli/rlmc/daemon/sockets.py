"""The daemon's listening socket.

Rule: loopback only, and the socket listens from the moment it is bound, so that a port is never claimed in vain and an
agent that calls while the daemon starts waits instead of being refused.
"""

from __future__ import annotations

import random
import socket

HOST = "127.0.0.1"
_BACKLOG = 512
# Below the ranges from which kernels lend ports to outgoing connections: while a killed daemon is started again,
# nothing else is likely to have been given its port, which agents hold in their base URL.
_OWN_RANGE = (20_011, 29_989)
_TRIES = 16


def listen(port: int) -> socket.socket:
    """A listening socket on `port`, or on a free one for 0. Raises OSError when it cannot be had."""
    if port:
        return _bound(port)
    for _ in range(_TRIES):
        try:
            return _bound(random.randint(*_OWN_RANGE))  # noqa: S311  # no secret: the session's token is one
        except OSError:
            continue
    return _bound(0)


def _bound(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        # Connections of a daemon that was here a moment ago must not keep the next one out.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener
