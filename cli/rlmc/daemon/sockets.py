"""The daemon's listening socket.

Rule: loopback only, and the socket listens from the moment it is bound, so that a port is never claimed in vain and an
agent that calls while the daemon starts waits instead of being refused. A port that agents hold in their base URL is
kept for this user while no daemon listens there: agents send whoever does their keys.
"""

from __future__ import annotations

import errno
import random
import socket
import sys

HOST = "127.0.0.1"
_BACKLOG = 512
# Below the ranges from which kernels lend ports to outgoing connections: while a killed daemon is started again,
# nothing else is likely to have been given its port, which agents hold in their base URL.
_OWN_RANGE = (20_011, 29_989)
_TRIES = 16
_LOOK_SECONDS = 0.5


def listen(port: int) -> socket.socket:
    """A listening socket on `port`, or on a free one for 0. Raises OSError when it cannot be had."""
    if port:
        return _bound_where_held(port)
    for _ in range(_TRIES):
        try:
            return _bound(random.randint(*_OWN_RANGE))  # noqa: S311  # no secret: the session's token is one
        except OSError:
            continue
    return _bound(0)


def hold(port: int) -> socket.socket | None:
    """Keeps `port` from other users until it is closed, beside a daemon or without one. None where that cannot be.

    Linux lets sockets share a port that all say so and are one user's, and sends connections only to those that listen.
    """
    if sys.platform != "linux":
        return None
    holder = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holder.bind((HOST, port))
    except OSError:
        holder.close()
        return None
    return holder


def _bound_where_held(port: int) -> socket.socket:
    try:
        return _bound(port)
    except OSError as error:
        if error.errno != errno.EADDRINUSE or sys.platform != "linux" or _answers(port):
            raise
        return _bound(port, shared=True)


def _answers(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), _LOOK_SECONDS).close()
    except ConnectionRefusedError:
        return False
    except OSError:
        return True
    return True


def _bound(port: int, *, shared: bool = False) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        # Connections of a daemon that was here a moment ago must not keep the next one out.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind((HOST, port))
        listener.listen(_BACKLOG)
        listener.setblocking(False)
        if sys.platform == "linux":  # only now: two daemons must not listen on one port, but runs may hold it
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    except OSError:
        listener.close()
        raise
    return listener
