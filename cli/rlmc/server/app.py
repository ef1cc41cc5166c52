"""The daemon's application: a few paths, plain, without a framework on the way of a turn.

`/s/<token>/…` is an agent's; `/-/…` is the command line's, `/dashboard/…` a browser's, `/metrics` a collector's.
Anything else does not exist.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine

from rlmc.server.admission import is_crooked, refusal
from rlmc.server.audits import Audits
from rlmc.server.control import Control
from rlmc.server.dashboard.doors import PREFIX as DASHBOARD
from rlmc.server.dashboard.pages import Dashboard
from rlmc.server.egress import BrokenOff
from rlmc.server.exchange import ClientGone, Exchange, TooLarge
from rlmc.server.headers import first, media_type
from rlmc.server.ingress import Inbound, announced_size, normal_path, token_header
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

    async def __call__(self, exchange: Exchange) -> None:
        path = exchange.path
        page = path.startswith(DASHBOARD)
        refused = refusal(exchange, self._port, own_page=page)
        if refused is not None:
            status, why = refused
            if page:
                await self._dashboard.refuse(exchange, status, why)
            else:
                await _own(exchange).fail(status, f"rlmc: {why}")
            return
        if path.startswith("/-/"):
            await self._control.serve(exchange)
            return
        if page:
            await self._dashboard.serve(exchange)
            return
        if path in METRICS:
            await self._metrics.serve(exchange)
            return
        session, rest = await self._session_coming_back(exchange)
        if session is None:
            await _own(exchange).fail(404, _NO_SESSION)
            return
        if is_crooked(rest):
            await _own(exchange).fail(400, "rlmc: the path holds steps or characters that no path of an API has")
            return
        self.active += 1
        session.active += 1
        self.last_used = session.last_used = time.monotonic()
        session.requests += 1
        try:
            await self._serve(session, rest, exchange)
        except ClientGone:
            pass
        except BrokenOff:
            # The client's line ends as the provider's did: without an answer, or in the middle of one.
            exchange.hang_up()
        finally:
            self.active -= 1
            session.active -= 1
            self.last_used = session.last_used = time.monotonic()

    async def _session_coming_back(self, exchange: Exchange) -> tuple[Session | None, str]:
        """A daemon that takes the place of one that died is told of its sessions in its first seconds, one after
        another. An agent may be quicker, and none tries again after an answer that its address is unknown."""
        token, rest = _addressed(exchange)
        session = self._sessions.by_token(token)
        if session is not None:
            return session, rest
        until = min(self._began + _YOUNG_SECONDS, time.monotonic() + _COMING_BACK_SECONDS)
        while token and session is None and time.monotonic() < until and self._looking < _MOST_LOOKING:
            self._looking += 1
            try:
                await asyncio.sleep(_LOOK_SECONDS)
            finally:
                self._looking -= 1
            session = self._sessions.by_token(token)
        return session, rest

    async def _serve(self, session: Session, rest: str, exchange: Exchange) -> None:
        path, headers = normal_path(rest), exchange.headers
        codec = spoken(path, headers, session.parts.protocol)
        out = Outgoing(exchange, codec, "req_rlmc")
        turns = TURN_PATHS.get(path)
        if turns is not None and first(headers, "upgrade") is not None:
            # Says at once that only HTTP is spoken here; any other status has Codex try its WebSocket for seconds.
            await out.fail(426, "rlmc: no WebSocket here; the same address takes HTTP POST")
            return
        limit = session.parts.settings.body_limit
        try:
            async with self._bodies.room_for(announced_size(headers, limit)) as room:
                body = await exchange.body(limit)
                room.shrink(len(body))
                inbound = Inbound(
                    exchange.method,
                    path,
                    exchange.query,
                    headers,
                    body,
                    client_credential(headers),
                    codec.name,
                    session.key,
                )
                await self._answer(session, inbound, codec, turns, out, exchange)
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
        exchange: Exchange,
    ) -> None:
        if turns is not None and inbound.method == "POST":
            if media_type(inbound.headers) != "application/json":
                await out.fail(415, "rlmc: content-type must be application/json")
                return
            await self._control.refresh_config()
            work = serve_turn(session, inbound, turns, exchange, self._transports, self._audits, self._targets)
        else:
            work = pass_through(session, inbound, codec, out, self._transports)
        await _until_gone(work, exchange)


def _own(exchange: Exchange) -> Outgoing:
    """For what is answered before it is known whose it is: in the words of the protocol it seems to speak."""
    path = exchange.path
    below = "/" + path[3:].partition("/")[2] if path.startswith("/s/") else path
    return Outgoing(exchange, spoken(normal_path(below), exchange.headers), "req_rlmc")


def _addressed(exchange: Exchange) -> tuple[str, str]:
    """The token a request names, empty where it names none, and the rest of its path, with escapes as the client wrote
    them: it goes on into another request, and must not be unescaped into the words of that one."""
    path = exchange.raw_path
    if not path.startswith("/s/"):
        return token_header(exchange.headers) or "", path
    token, slash, rest = path[3:].partition("/")
    return token, slash + rest


async def _busy(out: Outgoing, codec: Codec) -> None:
    """As the provider of this protocol would say it, so that the client tries again."""
    status = 529 if codec.name == "anthropic" else 503
    body = codec.encode_error(status, "rlmc: too much is being sent through it at once")
    await out.begin_error(status, [(b"retry-after", _TRY_AGAIN_SECONDS)], len(body))
    await out.end(body)


async def _until_gone(work: Coroutine[None, None, None], exchange: Exchange) -> None:
    """Run to the end, or until the client hangs up: then what is under way is cancelled, at the provider too."""
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("not in a task")
    exchange.when_gone(task.cancel)
    try:
        await work
    except asyncio.CancelledError:
        if not exchange.is_gone or task.uncancel() > 0:
            raise  # it is the daemon that ends
    finally:
        exchange.when_gone(None)
