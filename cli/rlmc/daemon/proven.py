"""A connection to whoever listens on the daemon's port, used for nothing until it has proven to be the daemon.

Rule: the proof and what follows it go over one connection, so that nobody can take the port in between. All that a
stranger can do here is waste the time that was set.
"""

from __future__ import annotations

import hmac
import json
import os
import re
import socket
import time

from rlmc.errors import DaemonError
from rlmc.server.proof import NONCE_HEADER, PATH, proof

HOST = "127.0.0.1"
_MOST = 4_096
_HEAD = re.compile(rb"HTTP/1\.1 200 .*?\r\ncontent-length: (\d{1,3})\r\n(?:.*?\r\n)?\r\n", re.DOTALL | re.IGNORECASE)


def proven(port: int, token: str, timeout: float) -> socket.socket:
    """A connection to the daemon. Raises OSError when nobody answers in time, DaemonError when it is somebody else."""
    deadline = time.monotonic() + timeout
    connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        connection.settimeout(timeout)
        connection.connect((HOST, port))
        # A question is sent in two parts; the second one must not wait until the first is acknowledged.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        nonce = os.urandom(16).hex()
        connection.sendall(f"GET {PATH} HTTP/1.1\r\nHost: {HOST}:{port}\r\n{NONCE_HEADER}: {nonce}\r\n\r\n".encode())
        if not hmac.compare_digest(_answer(connection, deadline), proof(token, port, nonce).encode()):
            raise DaemonError(f"what answers on {HOST}:{port} is not rlmc's daemon", "see: rlmc status")
        connection.settimeout(timeout)
    except BaseException:
        connection.close()
        raise
    return connection


def _answer(connection: socket.socket, deadline: float) -> bytes:
    """What is said to be the proof; nothing where it is no answer of the daemon's."""
    said = b""
    while len(said) < _MOST:
        head = _HEAD.match(said)
        if head is not None and len(said) >= head.end() + int(head[1]):
            return _proof_in(said[head.end() :])
        if head is None and b"\r\n\r\n" in said:
            return b""  # a whole head, and not that of a proof
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("no answer in time")
        connection.settimeout(left)
        more = connection.recv(_MOST)
        if not more and b"\r\n\r\n" not in said:
            raise ConnectionResetError("the line ended before it began")
        if not more:
            break
        said += more
    return b""


def _proof_in(body: bytes) -> bytes:
    try:
        return str(json.loads(body)["proof"]).encode()
    except (ValueError, KeyError, TypeError):
        return b""
