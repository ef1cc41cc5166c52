"""One question and its answer over a connection that has proven to be the daemon's.

Rule: no more of HTTP than the daemon speaks, whose every answer says how long it is; the library for all of it takes
longer to load than anything asked here takes to answer. Every wait is bounded by the connection's own timeout.
"""

from __future__ import annotations

import re
import socket

from rlmc.daemon.proven import HOST

_CHUNK = 65_536
_HEAD_LIMIT = 16_384
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})[ \r]")
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,12})[ \t]*\r\n", re.IGNORECASE)


def answer_to(
    connection: socket.socket, port: int, token: str, method: str, path: str, body: bytes | None = None
) -> tuple[int, bytes]:
    """The status and the body of the answer. Raises OSError where there is none, or not all of one."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {HOST}:{port}", f"Authorization: Bearer {token}", "Connection: close"]
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    connection.sendall("\r\n".join([*lines, "", ""]).encode("ascii") + (body or b""))
    head, said = read_head(connection)
    status, length = _STATUS.match(head), _LENGTH.search(head)
    if status is None or length is None:
        raise ConnectionError("what came is no answer of the daemon's")
    parts, left = [said], int(length[1]) - len(said)
    while left > 0:
        more = _more(connection)
        parts.append(more)
        left -= len(more)
    return int(status[1]), b"".join(parts)[: int(length[1])]


def read_head(connection: socket.socket) -> tuple[bytes, bytes]:
    """The head of an answer with the empty line at its end, and what has come of the rest."""
    said = b""
    while b"\r\n\r\n" not in said:
        if len(said) > _HEAD_LIMIT:
            raise ConnectionError("the head of the answer has no end")
        said += _more(connection)
    head, end, rest = said.partition(b"\r\n\r\n")
    return head + end, rest


def _more(connection: socket.socket) -> bytes:
    more = connection.recv(_CHUNK)
    if not more:
        raise ConnectionResetError("the line ended before the answer did")
    return more
