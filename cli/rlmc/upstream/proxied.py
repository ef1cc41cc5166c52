"""The HTTP client for whoever reaches the outside through a proxy: aiohttp, raw streams both ways.

The only module that imports aiohttp, and loaded only where there is a proxy. A relayed answer must reach the client as
the provider encoded it, so nothing is decompressed here.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from rlmc.errors import UpstreamError
from rlmc.upstream.certificates import trust
from rlmc.upstream.dialling import CONNECT_SECONDS
from rlmc.upstream.http_head import target_of
from rlmc.upstream.transport import Headers, UpstreamRequest

_ADDED_BY_AIOHTTP = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")
# Larger bodies are written in pieces, as the provider takes them, and are not copied for that.
_LARGE_BODY, _PIECE = 1 << 20, 1 << 18
_MOST_POOLS = 8
# In a header that is passed on these could end it, and begin another.
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class ProxiedResponse:
    """See `UpstreamResponse`."""

    def __init__(self, response: aiohttp.ClientResponse, host: str) -> None:
        self._response = response
        self._host = host
        self.status = response.status
        self.headers: Headers = [(k.decode("latin-1"), v.decode("latin-1")) for k, v in response.raw_headers]

    async def chunks(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._response.content.iter_any():
                yield chunk
        except (aiohttp.ClientError, OSError) as error:
            raise _mapped(error, self._host) from error

    async def close(self) -> None:
        # Closing, not releasing: what has not been read is not wanted, and the provider should stop writing it.
        if self._response.content.at_eof():
            self._response.release()
        else:
            self._response.close()


class ProxiedTransport:
    """One connection pool for all sessions, and a new one after each `renew`; must be made inside an event loop."""

    def __init__(self) -> None:
        self._pools = [_pool()]

    async def renew(self) -> None:
        """No connection there is now is used for another request; what goes on on one goes on."""
        self._pools.append(_pool())
        if len(self._pools) > _MOST_POOLS:
            await self._pools.pop(0).close()

    async def send(self, request: UpstreamRequest, proxy: str) -> ProxiedResponse:
        target = target_of(request.url)
        body: bytes | AsyncIterator[memoryview] | None = request.body or None
        if body is not None and len(request.body) >= _LARGE_BODY:
            body = _pieces(request.body)
        headers = CIMultiDict(request.headers)
        if body is not None:
            headers["Content-Length"] = str(len(request.body))
        try:
            response = await self._pools[-1].request(
                request.method,
                URL(request.url, encoded=True),
                headers=headers,
                data=body,
                allow_redirects=False,
                proxy=proxy,
                ssl=trust(request.network.ca_file) if target.tls else True,
            )
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _mapped(error, target.shown) from error
        answer = ProxiedResponse(response, target.shown)
        if not 200 <= answer.status < 600 or any(_CONTROL.search(value) for _, value in answer.headers):
            response.close()
            raise UpstreamError("wire", f"{target.shown} answered something that cannot be passed on")
        return answer

    async def close(self) -> None:
        for pool in self._pools:
            await pool.close()


def _pool() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=30, ttl_dns_cache=60),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
        skip_auto_headers=_ADDED_BY_AIOHTTP,
        # Header lines of real providers stay far below this; the default of 8 KiB does not always hold.
        max_line_size=64 * 1024,
        max_field_size=64 * 1024,
    )


async def _pieces(body: bytes) -> AsyncIterator[memoryview]:
    view = memoryview(body)
    for at in range(0, len(body), _PIECE):
        yield view[at : at + _PIECE]
        await asyncio.sleep(0)  # a provider that takes everything at once must not keep others waiting


def _mapped(error: Exception, host: str) -> UpstreamError:
    """The one table of what the HTTP client raises. `kind` is what the ledger keeps."""
    match error:
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
            kind, what = "tls", f"{host} offers a certificate that is not trusted here"
        case aiohttp.ClientConnectorDNSError():
            kind, what = "dns", f"no address found for {host}"
        case aiohttp.ConnectionTimeoutError():
            kind, what = "connect-timeout", f"{host} could not be reached in time"
        case aiohttp.ServerTimeoutError() | asyncio.TimeoutError():
            kind, what = "timeout", f"{host} did not answer in time"
        case aiohttp.ClientProxyConnectionError() | aiohttp.ClientHttpProxyError():
            kind, what = "proxy", f"the proxy on the way to {host} refused"
        case aiohttp.ClientConnectorError():
            kind, what = "refused", f"no connection to {host}"
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientPayloadError() | ConnectionResetError():
            kind, what = "reset", f"{host} broke off"
        case aiohttp.ClientOSError():
            kind, what = "reset", f"the connection to {host} broke"
        case aiohttp.ClientResponseError():
            kind, what = "wire", f"{host} answered something that is no HTTP"
        case _:
            kind, what = "other", f"the request to {host} failed"
    # The library's own words may hold a URL with credentials; its type is enough.
    return UpstreamError(kind, f"{what} ({type(error).__name__})")
