"""One request of a client and the answer to it, as whatever serves them offers it: the seam below which HTTP is.

Rule: an answer begins once and ends once. What is written to a client that has hung up goes nowhere, and raises
nothing; who wants to know asks `is_gone`, or is told by `when_gone`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from rlmc.upstream.transport import Headers

# Names and values, as they go over the line.
RawHeaders = list[tuple[bytes, bytes]]


class ClientGone(Exception):
    """The client hung up before its request was complete."""


class TooLarge(Exception):
    """The body is over the limit."""


class Exchange(Protocol):
    """`path` is unescaped, `raw_path` as the client wrote it, `query` raw too. Header names are in lower case."""

    method: str
    http_version: str
    path: str
    raw_path: str
    query: str
    headers: Headers

    @property
    def is_gone(self) -> bool: ...

    async def body(self, limit: int) -> bytes:
        """The whole body; what comes before this is asked for stays on the client's side, but for a little. Raises
        TooLarge as soon as it is over the limit (bytes), ClientGone when the client hangs up."""
        ...

    def begin(self, status: int, headers: RawHeaders) -> None: ...

    async def write(self, data: bytes) -> None:
        """Waits while the client does not read."""
        ...

    async def end(self, data: bytes = b"") -> None: ...

    def hang_up(self) -> None:
        """Close the line, without an answer or in the middle of one, as a provider may do. What has been written still
        goes out."""
        ...

    def when_gone(self, call: Callable[[], object] | None) -> None:
        """Have it called when the client hangs up before the answer's end: at once where it has. One at a time."""
        ...

    async def gone(self) -> None:
        """Returns when the client has hung up."""
        ...
