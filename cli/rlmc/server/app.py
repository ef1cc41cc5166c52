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

from rlmc.server.audits import Audits
from rlmc.server.control import Control
from rlmc.server.dashboard.doors import PREFIX as DASHBOARD
from rlmc.server.dashboard.pages import Dashboard
from rlmc.server.headers import first
from rlmc.server.ingress import (
    ClientGone,
    Inbound,
    Receive,
    Scope,
    Send,
    TooLarge,
    announced_size,
    normal_path,
    read_body,
    refusal,
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
        why_not = refusal(headers, self._port, own_page=page)
        if why_not is not None:
            await (self._dashboard.refuse(scope, send, why_not) if page else out.fail(403, f"rlmc: {why_not}"))
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
        session, rest = self._session_of(path, headers)
        if session is None:
            await out.fail(
                404,
                _NO_SESSION,
            )
            return
        self.active += 1
        session.active += 1
        self.last_used = session.last_used = time.monotonic()
        session.requests += 1
        try:
            await self._serve(session, rest, scope, headers, receive, send)
        except ClientGone:
            pass
        finally:
            self.active -= 1
            session.active -= 1
            self.last_used = session.last_used = time.monotonic()

    def _session_of(self, path: str, headers: list[tuple[str, str]]) -> tuple[Session | None, str]:
        if not path.startswith("/s/"):
            token = token_header(headers)
            return (None, "") if token is None else (self._sessions.by_token(token), path)
        token, slash, rest = path[3:].partition("/")
        return self._sessions.by_token(token), slash + rest

    async def _serve(
        self,
        session: Session,
        rest: str,
        scope: Scope,
        headers: list[tuple[str, str]],
        receive: Receive,
        send: Send,
    ) -> None:
        # The raw path keeps escapes as the client wrote them.
        raw = (scope.get("raw_path") or b"").decode("latin-1")
        if raw.startswith("/s/"):
            rest = "/" + raw[3:].partition("/")[2]
        path = normal_path(rest or "/")
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
            media_type = (inbound.header("content-type") or "").split(";")[0].strip().lower()
            if media_type != "application/json":
                await out.fail(415, "rlmc: content-type must be application/json")
                return
            await self._control.refresh_config()
            work = serve_turn(session, inbound, turns, send, self._transports, self._audits, self._targets)
        else:
            work = pass_through(session, inbound, codec, out, self._transports)
        await _until_gone(work, receive)


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
