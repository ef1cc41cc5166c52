"""Notices silence on a line, so that somebody can keep the other line alive."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator


async def paced(chunks: AsyncIterator[bytes], first_wait: float | None, wait: float) -> AsyncIterator[bytes | None]:
    """The chunks as they come, and None whenever nothing came for a while: `first_wait` seconds, then every
    `wait`; never without a `first_wait`."""
    pending: asyncio.Future[bytes | None] | None = None
    patience = first_wait
    try:
        while True:
            if pending is None:
                pending = asyncio.ensure_future(_next(chunks))
            done, _ = await asyncio.wait({pending}, timeout=patience)
            if not done:
                patience = wait
                yield None
                continue
            chunk, pending = pending.result(), None
            if chunk is None:
                return
            yield chunk
    finally:
        if pending is not None:
            pending.cancel()


async def _next(chunks: AsyncIterator[bytes]) -> bytes | None:
    """The end comes as None: a StopAsyncIteration cannot leave a task."""
    return await anext(chunks, None)
