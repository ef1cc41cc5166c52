"""Notices silence on a line, so that somebody can keep the other line alive, and does not do so for ever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from rlmc.errors import UpstreamError


async def paced(
    chunks: AsyncIterator[bytes], first_wait: float, wait: float, limit: float
) -> AsyncIterator[bytes | None]:
    """The chunks as they come, and None whenever nothing came for a while: `first_wait` seconds, then every `wait`.

    A line that stays silent for `limit` seconds is given up with an UpstreamError: pings would hide from the client
    that nothing comes any more.
    """
    pending: asyncio.Future[bytes | None] | None = None
    patience, silent = first_wait, 0.0
    try:
        while True:
            if pending is None:
                pending = asyncio.ensure_future(_next(chunks))
            patience = min(patience, limit - silent)
            done, _ = await asyncio.wait({pending}, timeout=patience)
            if not done:
                silent += patience
                if silent >= limit:
                    raise UpstreamError("timeout", f"nothing came for {limit:g} s")
                patience = wait
                yield None
                continue
            chunk, pending = pending.result(), None
            silent = 0.0
            if chunk is None:
                return
            yield chunk
    finally:
        if pending is not None:
            pending.cancel()


async def _next(chunks: AsyncIterator[bytes]) -> bytes | None:
    """The end comes as None: a StopAsyncIteration cannot leave a task."""
    return await anext(chunks, None)
