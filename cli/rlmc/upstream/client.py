"""The HTTP client: raw streams in both directions, no retries, no redirects, errors as `UpstreamError`.

The only module that imports aiohttp. A relayed answer must reach the client as the provider encoded it, so nothing is
decompressed here, and a provider is asked exactly as often as the client asked.
"""

from __future__ import annotations

import asyncio
import functools
import re
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]  # missing in typeshed only

import aiohttp
import certifi
from multidict import CIMultiDict
from yarl import URL

from rlmc.errors import UpstreamError
from rlmc.upstream.sleep import asleep
from rlmc.upstream.transport import Headers, Network, UpstreamRequest

CONNECT_SECONDS = 15.0
_ADDED_BY_AIOHTTP = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")
# Larger bodies are written in pieces, as the provider takes them, and are not copied for that.
_LARGE_BODY, _PIECE = 1 << 20, 1 << 18
_NAP_SECONDS, _MOST_POOLS = 5.0, 8
# In a header that is passed on these could end it, and begin another.
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class HttpResponse:
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


class HttpTransport:
    """See `Transport`. One connection pool for all sessions; must be made and used inside one event loop.

    While a machine sleeps, waiting connections die without a word, and a request on one of them would fail. After a
    sleep there is a new pool; what still goes on in an old one goes on there.
    """

    def __init__(self) -> None:
        self._pools = [_pool()]
        self._slept = asleep()

    async def _awake(self) -> aiohttp.ClientSession:
        slept = asleep()
        if abs(slept - self._slept) > _NAP_SECONDS:
            self._slept = slept
            self._pools.append(_pool())
            if len(self._pools) > _MOST_POOLS:
                await self._pools.pop(0).close()
        return self._pools[-1]

    async def send(self, request: UpstreamRequest) -> HttpResponse:
        parts = urlsplit(request.url)
        host = f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)
        body: bytes | AsyncIterator[memoryview] | None = request.body or None
        if body is not None and len(request.body) >= _LARGE_BODY:
            body = _pieces(request.body)
        headers = CIMultiDict(request.headers)
        if body is not None:
            headers["Content-Length"] = str(len(request.body))
        try:
            session = await self._awake()
            response = await session.request(
                request.method,
                URL(request.url, encoded=True),
                headers=headers,
                data=body,
                allow_redirects=False,
                proxy=proxy_for(request.url, request.network),
                ssl=_context(request.network.ca_file) if parts.scheme == "https" else True,
            )
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _mapped(error, host) from error
        answer = HttpResponse(response, host)
        if not 200 <= answer.status < 600 or any(_CONTROL.search(value) for _, value in answer.headers):
            response.close()
            raise UpstreamError("wire", f"{host} answered something that cannot be passed on")
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


def proxy_for(url: str, network: Network) -> str | None:
    """The proxy a request takes, by the usual environment rules; None to go straight."""
    parts = urlsplit(url)
    proxy = network.https_proxy if parts.scheme == "https" else network.http_proxy
    if not proxy or parts.hostname in ("127.0.0.1", "localhost", "::1"):
        return None
    if network.no_proxy and proxy_bypass_environment(parts.netloc, {"no": network.no_proxy}):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


@functools.lru_cache(maxsize=8)
def _context(ca_file: str | None) -> ssl.SSLContext:
    """System certificates plus the user's own bundle. Some Python builds come without any system certificates."""
    context = ssl.create_default_context()
    paths = ssl.get_default_verify_paths()
    if not paths.cafile and not (paths.capath and any(Path(paths.capath).iterdir())):
        context.load_verify_locations(certifi.where())
    if ca_file:
        context.load_verify_locations(ca_file)
    return context


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
