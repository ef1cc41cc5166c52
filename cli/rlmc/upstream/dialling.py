"""How a line to a provider is made: its address, TCP, TLS, in so many seconds altogether.

Rule: whatever fails here has never reached the provider, and its kind says so.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress

from aiohappyeyeballs import AddrInfoType, start_connection

from rlmc.errors import UpstreamError
from rlmc.upstream.certificates import trust
from rlmc.upstream.http_head import Target
from rlmc.upstream.http_line import Line

CONNECT_SECONDS = 15.0
_KNOWN_SECONDS, _MOST_KNOWN = 60.0, 64
# How long one address may be silent before the next is tried beside it (RFC 8305).
_NEXT_ADDRESS_SECONDS = 0.25
_FLAGS = socket.AI_ADDRCONFIG


class Dialler:
    """Remembers for a minute where names lead to, and no longer than that does lead to somebody."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], tuple[float, Sequence[AddrInfoType]]] = {}
        # What is being looked up: many who ask at once wait for one answer.
        self._asked: dict[tuple[str, int], asyncio.Task[Sequence[AddrInfoType]]] = {}

    async def connect(self, make: Callable[[], Line], target: Target, ca_file: str | None) -> Line:
        """Raises UpstreamError."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                return await self._connect(make, target, ca_file)
        except (OSError, RuntimeError, ValueError) as error:
            self._known.pop((target.host, target.port), None)
            raise _mapped(error, target.shown) from error

    async def _connect(self, make: Callable[[], Line], target: Target, ca_file: str | None) -> Line:
        loop = asyncio.get_running_loop()
        context = trust(ca_file) if target.tls else None
        name = target.host if target.tls else None
        if _numeric(target.host):
            _, line = await loop.create_connection(make, target.host, target.port, ssl=context, server_hostname=name)
            return line
        found = await self._addresses(target.host, target.port, loop)
        connected = await start_connection(found, happy_eyeballs_delay=_NEXT_ADDRESS_SECONDS, loop=loop)
        _, line = await loop.create_connection(make, sock=connected, ssl=context, server_hostname=name)
        return line

    async def _addresses(self, host: str, port: int, loop: asyncio.AbstractEventLoop) -> Sequence[AddrInfoType]:
        place = (host, port)
        until, found = self._known.get(place, (0.0, ()))
        if found and loop.time() < until:
            return found
        asked = self._asked.get(place)
        if asked is None:
            asked = self._asked[place] = loop.create_task(self._look_up(host, port, loop))
            asked.add_done_callback(lambda ended: self._answered(place, ended))
        return await asyncio.shield(asked)

    async def _look_up(self, host: str, port: int, loop: asyncio.AbstractEventLoop) -> Sequence[AddrInfoType]:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=_FLAGS)
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[host, port] = (loop.time() + _KNOWN_SECONDS, found)
        return found

    def _answered(self, place: tuple[str, int], ended: asyncio.Task[Sequence[AddrInfoType]]) -> None:
        self._asked.pop(place, None)
        if not ended.cancelled():
            ended.exception()  # whoever still waits for it is told


def _numeric(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        with suppress(OSError):
            socket.inet_pton(family, host)
            return True
    return False


def _mapped(error: Exception, shown: str) -> UpstreamError:
    match error:
        case ssl.SSLError() | ssl.CertificateError():
            kind, what = "tls", f"{shown} offers a certificate that is not trusted here"
        case socket.gaierror():
            kind, what = "dns", f"no address found for {shown}"
        case TimeoutError():
            kind, what = "connect-timeout", f"{shown} could not be reached in time"
        case OSError():
            kind, what = "refused", f"no connection to {shown}"
        case _:
            kind, what = "other", f"the request to {shown} failed"
    return UpstreamError(kind, f"{what} ({type(error).__name__})")
