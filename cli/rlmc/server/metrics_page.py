"""`GET /metrics`: the counts in Prometheus's text format, or OpenMetrics for who asks for it, behind a bearer token.

Rule: the control token opens it, and so does one that opens nothing else. The library that writes the formats is
loaded off the loop, at the first scrape.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable
from typing import TYPE_CHECKING

from rlmc.server.exchange import Exchange, RawHeaders
from rlmc.server.headers import first
from rlmc.server.metrics import Readings, Tally
from rlmc.server.metrics_token import metrics_token

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

# The second is the published system's.
PATHS = ("/metrics", "/metrics/prometheus")
_TEXT = "text/plain; charset=utf-8"


class MetricsPage:
    """`read` is asked at every scrape."""

    def __init__(self, control_token: str, tally: Tally, read: Callable[[], Readings]) -> None:
        self._tokens = (control_token.encode(), metrics_token(control_token).encode())
        self._tally = tally
        self._read = read
        self._registry: CollectorRegistry | None = None

    async def serve(self, exchange: Exchange) -> None:
        headers = exchange.headers
        scheme, _, presented = (first(headers, "authorization") or "").partition(" ")
        # Compared with both, always, so that the time taken tells nothing.
        matches = [hmac.compare_digest(presented.strip().encode(), token) for token in self._tokens]
        if scheme.lower() != "bearer" or not any(matches):
            challenge = [(b"www-authenticate", b'Bearer realm="rlmc metrics"')]
            await _answer(exchange, 401, _TEXT, b"the token of the file metrics-token is missing or wrong\n", challenge)
        elif exchange.method not in ("GET", "HEAD"):
            await _answer(exchange, 405, _TEXT, b"only GET and HEAD\n", [(b"allow", b"GET, HEAD")])
        else:
            content_type, body = await self._render(first(headers, "accept") or "")
            await _answer(exchange, 200, content_type, body, [])

    async def _render(self, accept: str) -> tuple[str, bytes]:
        if self._registry is None:
            families = await asyncio.to_thread(_load)
            self._registry = families(self._tally, self._read)
        from prometheus_client.exposition import choose_encoder

        encode, content_type = choose_encoder(accept)
        return content_type, encode(self._registry)


def _load() -> Callable[[Tally, Callable[[], Readings]], CollectorRegistry]:
    from rlmc.server.metrics_families import registry

    return registry


async def _answer(exchange: Exchange, status: int, content_type: str, body: bytes, more: RawHeaders) -> None:
    headers = [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode()), *more]
    headers.append((b"cache-control", b"no-store"))
    exchange.begin(status, headers)
    await exchange.end(body)
