"""How a request reaches a provider: the seam between rlmc and any HTTP client, or an embedded model.

Everything above speaks these few types, so the HTTP client can be exchanged in one file.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from rlmc.domain.frozen import dataclass

Headers = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Network:
    """How a session's user reaches the outside: `proxy` for https and http URLs, hosts without it, a CA bundle file."""

    https_proxy: str | None = None
    http_proxy: str | None = None
    no_proxy: str | None = None
    ca_file: str | None = None


@dataclass(frozen=True, slots=True)
class UpstreamRequest:
    """`url` is absolute. `headers` hold credentials: never log them."""

    method: str
    url: str
    headers: Headers
    body: bytes
    network: Network = Network()


class UpstreamResponse(Protocol):
    """An answer whose headers have arrived. `chunks` yields the body as the provider encoded it (never decompressed).

    Close it in every case: closing before the end cancels the call at the provider.
    """

    status: int
    headers: Headers

    def chunks(self) -> AsyncIterator[bytes]: ...
    async def close(self) -> None: ...


class Transport(Protocol):
    async def send(self, request: UpstreamRequest) -> UpstreamResponse:
        """Raises `UpstreamError` when no response headers arrive. Breaks while reading raise it from `chunks`."""
        ...

    async def close(self) -> None: ...
