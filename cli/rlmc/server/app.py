"""The daemon's ASGI application: a few paths, plain, without a framework on the way of a turn.

`/s/<token>/…` is an agent's; `/-/…` is the command line's, `/dashboard/…` a browser's, `/metrics` a collector's.
Anything else does not exist.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine
from contextlib import suppress

from rlmc.server.admission import is_crooked, refusal
from rlmc.server.audits import Audits
from rlmc.server.control import Control
from rlmc.server.dashboard.doors import PREFIX as DASHBOARD
from rlmc.server.dashboard.pages import Dashboard
from rlmc.server.egress import BrokenOff
from rlmc.server.headers import first, media_type
from rlmc.server.ingress import (
    HANG_UP,
    ClientGone,
    Inbound,
    Receive,
    Scope,
    Send,
    TooLarge,
    announced_size,
    normal_path,
    read_body,
    scope_headers,
    token_header,
)
from rlmc.server.metrics_page import PATHS as METRICS
from rlmc.server.metrics_page import MetricsPage
from rlmc.server.outgoing import Outgoing
from rlmc.server.passthrough import pass_through, spoken
from rlmc.server.room import Bodies, NoRoom
from rlmc.server.sessions import Session, Sessions
from rlmc.server.targets import Targets
from rlmc.server.turns import serve_turn
from rlmc.upstream.credentials import client_credential
from rlmc.upstream.transport import Transport
from rlmc.wire import PROTOCOLS
from rlmc.wire.codec import Codec

log = logging.getLogger("rlmc.app")

# path -> how the turns it takes are spelled
TURN_PATHS: dict[str, Codec] = {codec.path: codec for codec in PROTOCOLS.values()}

_TRY_AGAIN_SECONDS = b"5"
_YOUNG_SECONDS, _COMING_BACK_SECONDS, _LOOK_SECONDS, _MOST_LOOKING = 30.0, 15.0, 0.05, 1000
_NO_SESSION = (
    "rlmc: no session has this address; start the agent with: rlmc run -- <agent>, or set its address anew: rlmc env"
)


class App:
    """`port` is what the Host header must name. `active` counts requests of agents under way."""

    def __init__(
        self,
        *,
        port: int,
        sessions: Sessions,
        transports: dict[str, Transport],
        audits: Audits,
        control: Control,
        dashboard: Dashboard,
        metrics: MetricsPage,
        bodies: Bodies,
        targets: Targets,
    ) -> None:
        self._port = port
        self._sessions = sessions
        self._transports = transports
        self._audits = audits
        self._books = audits.books
        self._control = control
        self._dashboard = dashboard
        self._metrics = metrics
        self._bodies = bodies
        self._targets = targets
        self._began = time.monotonic()
        self._looking = 0
        self.active = 0
        self.last_used = time.monotonic()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = scope_headers(scope)
        path: str = scope["path"]
        below = "/" + path[3:].partition("/")[2] if path.startswith("/s/") else path
        out = Outgoing(send, spoken(normal_path(below), headers), "req_rlmc")
        page = path.startswith(DASHBOARD)
        refused = refusal(scope, headers, self._port, own_page=page)
        if refused is not None:
            status, why = refused
            await (self._dashboard.refuse(scope, send, status, why) if page else out.fail(status, f"rlmc: {why}"))
            return
        if path.startswith("/-/"):
            await self._control.serve(scope["method"], path, headers, receive, send)
            return
        if page:
            await self._dashboard.serve(scope, headers, receive, send)
            return
        if path in METRICS:
            await self._metrics.serve(scope["method"], headers, send)
            return
        session, rest = await self._session_coming_back(scope, headers)
        if session is None:
            await out.fail(404, _NO_SESSION)
            return
        if is_crooked(rest):
            await out.fail(400, "rlmc: the path holds steps or characters that no path of an API has")
            return
        self.active += 1
        session.active += 1
        self.last_used = session.last_used = time.monotonic()
        session.requests += 1
        try:
            await self._serve(session, rest, scope, headers, receive, send)
        except ClientGone:
            pass
        except BrokenOff:
            await _hang_up(scope, receive)
        finally:
            self.active -= 1
            session.active -= 1
            self.last_used = session.last_used = time.monotonic()

    async def _session_coming_back(self, scope: Scope, headers: list[tuple[str, str]]) -> tuple[Session | None, str]:
        """A daemon that takes the place of one that died is told of its sessions in its first seconds, one after
        another. An agent may be quicker, and none tries again after an answer that its address is unknown."""
        token, rest = _addressed(scope, headers)
        session = self._sessions.by_token(token)
        until = min(self._began + _YOUNG_SECONDS, time.monotonic() + _COMING_BACK_SECONDS)
        while token and session is None and time.monotonic() < until and self._looking < _MOST_LOOKING:
            self._looking += 1
            try:
                await asyncio.sleep(_LOOK_SECONDS)
            finally:
                self._looking -= 1
            session = self._sessions.by_token(token)
        return session, rest

    async def _serve(
        self,
        session: Session,
        rest: str,
        scope: Scope,
        headers: list[tuple[str, str]],
        receive: Receive,
        send: Send,
    ) -> None:
        path = normal_path(rest)
        codec = spoken(path, headers, session.parts.protocol)
        out = Outgoing(send, codec, "req_rlmc")
        turns = TURN_PATHS.get(path)
        if turns is not None and first(headers, "upgrade") is not None:
            # Says at once that only HTTP is spoken here; any other status has Codex try its WebSocket for seconds.
            await out.fail(426, "rlmc: no WebSocket here; the same address takes HTTP POST")
            return
        limit = session.parts.settings.body_limit
        try:
            async with self._bodies.room_for(announced_size(headers, limit)) as room:
                body = await read_body(receive, limit)
                room.shrink(len(body))
                inbound = Inbound(
                    scope["method"],
                    path,
                    scope["query_string"].decode("latin-1"),
                    headers,
                    body,
                    client_credential(headers),
                    codec.name,
                    session.key,
                )
                await self._answer(session, inbound, codec, turns, out, receive, send)
        except TooLarge:
            await out.fail(413, f"rlmc: the request's body is over body-limit ({limit} bytes)")
        except NoRoom:
            await _busy(out, codec)

    async def _answer(
        self,
        session: Session,
        inbound: Inbound,
        codec: Codec,
        turns: Codec | None,
        out: Outgoing,
        receive: Receive,
        send: Send,
    ) -> None:
        if turns is not None and inbound.method == "POST":
            if media_type(inbound.headers) != "application/json":
                await out.fail(415, "rlmc: content-type must be application/json")
                return
            await self._control.refresh_config()
            work = serve_turn(session, inbound, turns, send, self._transports, self._audits, self._targets)
        else:
            work = pass_through(session, inbound, codec, out, self._transports)
        await _until_gone(work, receive)


def _addressed(scope: Scope, headers: list[tuple[str, str]]) -> tuple[str, str]:
    """The token a request names, empty where it names none, and the rest of its path, with escapes as the client wrote
    them: it goes on into another request, and must not be unescaped into the words of that one."""
    path = scope["raw_path"].decode("latin-1")
    if not path.startswith("/s/"):
        return token_header(headers) or "", path
    token, slash, rest = path[3:].partition("/")
    return token, slash + rest


async def _hang_up(scope: Scope, receive: Receive) -> None:
    """The client's line ends as the provider's did: without an answer, or in the middle of one."""
    scope["extensions"][HANG_UP]()
    await _disconnected(receive)


async def _busy(out: Outgoing, codec: Codec) -> None:
    """As the provider of this protocol would say it, so that the client tries again."""
    status = 529 if codec.name == "anthropic" else 503
    body = codec.encode_error(status, "rlmc: too much is being sent through it at once")
    await out.begin_error(status, [(b"retry-after", _TRY_AGAIN_SECONDS)], len(body))
    await out.end(body)


async def _until_gone(work: Coroutine[None, None, None], receive: Receive) -> None:
    """Run to the end, or until the client hangs up: then what is under way is cancelled, at the provider too."""
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_disconnected(receive))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    finally:
        gone.cancel()
        if not task.done():
            task.cancel()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
