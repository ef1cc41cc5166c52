"""The HTTP client: raw streams in both directions, no redirects, errors as `UpstreamError`.

Lines of rlmc's own where a provider is reached directly; aiohttp where there is a proxy on the way. A provider is asked
exactly as often as the client asked. There is one exception: a line that waited may have been closed at its other end,
and where nothing at all came back on it, a request that may be made twice without harm is made once more.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from rlmc.errors import UpstreamError
from rlmc.upstream.dialling import Dialler
from rlmc.upstream.http_answer import HttpResponse
from rlmc.upstream.http_head import head_of, target_of
from rlmc.upstream.http_line import Line
from rlmc.upstream.pool import Key, Pool
from rlmc.upstream.sleep import asleep
from rlmc.upstream.transport import Network, UpstreamRequest, UpstreamResponse

if TYPE_CHECKING:
    from rlmc.upstream.proxied import ProxiedTransport

_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
_NAP_SECONDS = 5.0


class HttpTransport:
    """See `Transport`. One connection pool for all sessions; must be used inside one event loop.

    While a machine sleeps, waiting connections die without a word, and a request on one of them would fail. After a
    sleep only new ones are used; what still goes on on an old one goes on there.
    """

    def __init__(self) -> None:
        self._pool = Pool()
        self._dialler = Dialler()
        self._proxied: ProxiedTransport | None = None
        self._slept = asleep()

    async def send(self, request: UpstreamRequest) -> UpstreamResponse:
        slept = asleep()
        if abs(slept - self._slept) > _NAP_SECONDS:
            self._slept = slept
            self._pool.renew()
            if self._proxied is not None:
                await self._proxied.renew()
        proxy = proxy_for(request.url, request.network)
        if proxy is not None:
            return await self._through().send(request, proxy)
        return await self._direct(request)

    async def _direct(self, request: UpstreamRequest) -> HttpResponse:
        method, body = request.method.upper(), request.body
        target, ca_file = target_of(request.url), request.network.ca_file
        head = head_of(method, target, request.headers, len(body))
        key: Key = (target.origin, ca_file)
        line = self._pool.take(key)
        if line is not None:
            response = line.ask(head, body, bodiless=method == "HEAD")
            try:
                await response.head()
                return response
            except UpstreamError:
                if response.heard or method not in _IDEMPOTENT:
                    raise
        loop = asyncio.get_running_loop()
        line = await self._dialler.connect(lambda: Line(self._pool, key, target.shown, loop), target, ca_file)
        self._pool.made(line)
        response = line.ask(head, body, bodiless=method == "HEAD")
        await response.head()
        return response

    def _through(self) -> ProxiedTransport:
        if self._proxied is None:
            from rlmc.upstream.proxied import ProxiedTransport

            self._proxied = ProxiedTransport()
        return self._proxied

    async def close(self) -> None:
        self._pool.close()
        if self._proxied is not None:
            await self._proxied.close()
        await asyncio.sleep(0)  # lines learn of their end in the loop's next round


def proxy_for(url: str, network: Network) -> str | None:
    """The proxy a request takes, by the usual environment rules; None to go straight."""
    if network.https_proxy is None and network.http_proxy is None:
        return None
    parts = urlsplit(url)
    proxy = network.https_proxy if parts.scheme == "https" else network.http_proxy
    if not proxy or parts.hostname in ("127.0.0.1", "localhost", "::1"):
        return None
    if network.no_proxy:
        from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]  # missing in typeshed only

        if proxy_bypass_environment(parts.netloc, {"no": network.no_proxy}):
            return None
    return proxy if "://" in proxy else f"http://{proxy}"
