"""A transport that is loaded and made with its first request: not every daemon is ever asked for it."""

from __future__ import annotations

from collections.abc import Callable

from rlmc.upstream.transport import Transport, UpstreamRequest, UpstreamResponse


class OnDemand:
    """See `Transport`."""

    def __init__(self, make: Callable[[], Transport]) -> None:
        self._make = make
        self._made: Transport | None = None

    async def send(self, request: UpstreamRequest) -> UpstreamResponse:
        if self._made is None:
            self._made = self._make()
        return await self._made.send(request)

    async def close(self) -> None:
        if self._made is not None:
            await self._made.close()
