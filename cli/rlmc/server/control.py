"""The command line's side of the daemon: `/-/…`, behind the control token of the state file.

Keys arrive here and stay in memory. A change of configuration is built whole before it replaces anything; turns under
way keep the parts they began with.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import field, replace
from pathlib import Path
from typing import Any

import rlmc
from rlmc.config.load import Config, load, overlay
from rlmc.config.paths import config_file, displaced_ledger, displaced_state, ledger_file
from rlmc.domain.frozen import dataclass
from rlmc.domain.record import SessionRecord
from rlmc.domain.redaction import redact
from rlmc.errors import RlmcError
from rlmc.ledger.files import remark
from rlmc.server import keepalive
from rlmc.server.audits import Audits
from rlmc.server.books import Books
from rlmc.server.budgets import Budgets
from rlmc.server.calls import wall_us
from rlmc.server.control_body import BadRequest, bound_in, is_http, object_in, text_in, texts_in
from rlmc.server.exchange import ClientGone, Exchange, TooLarge
from rlmc.server.headers import first, media_type
from rlmc.server.notes import budget_notes, gateway_notes
from rlmc.server.parts import GATEWAYS, Parts, build_parts
from rlmc.server.proof import NONCE_HEADER, is_nonce, proof
from rlmc.server.proof import PATH as PROOF
from rlmc.server.room import Bodies
from rlmc.server.sessions import Means, Session, Sessions
from rlmc.server.targets import Targets
from rlmc.server.vitals import vitals
from rlmc.upstream.providers import names, own_files
from rlmc.upstream.transport import Network
from rlmc.views.budgets import budgets_data, no_help
from rlmc.views.figures import count
from rlmc.wire import PROTOCOLS

log = logging.getLogger("rlmc.control")

_BODY_LIMIT = 1 << 20
_END_SECONDS, _END_LOOKS = 2.0, 100
_END_AUDITS_SECONDS = 2.0
_ATTACH_SECONDS = 5.0
_FORGET_SECONDS, _LOOK_FOR_OLD_SECONDS = 6 * 3600.0, 60.0
_LOOK_AT_FILE_SECONDS = 0.5
_LOOK_AT_TERMINALS_SECONDS = 5.0


@dataclass(slots=True)
class Control:
    """`stop` is set when the daemon is asked to end. `config` is the file in force, without any session's overrides."""

    token: str
    instance: str
    port: int
    sessions: Sessions
    books: Books
    budgets: Budgets
    audits: Audits
    config: Config
    dashboard_link: Callable[[], str]
    telemetry: Callable[[], dict[str, Any] | None]
    bodies: Bodies
    targets: Targets
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    started: float = field(default_factory=time.monotonic)
    started_at: int = field(default_factory=wall_us)
    config_error: str | None = None
    last_error: str | None = None
    _looked: float = 0.0
    _looked_for_old: float = 0.0
    _seen: tuple[object, ...] = ()

    async def serve(self, exchange: Exchange) -> None:
        method, path, headers = exchange.method, exchange.path, exchange.headers
        nonce = first(headers, NONCE_HEADER)
        if path == PROOF and method == "GET" and nonce is not None and is_nonce(nonce):
            # For who does not trust this port yet, and so must not name the token.
            await _reply(exchange, 200, {"proof": proof(self.token, self.port, nonce)})
            return
        presented = (first(headers, "authorization") or "").removeprefix("Bearer ")
        if not hmac.compare_digest(presented.encode(), self.token.encode()):
            await _reply(exchange, 401, {"error": "control token missing or wrong"})
            return
        if method == "POST" and media_type(headers) != "application/json":
            await _reply(exchange, 415, {"error": "content-type must be application/json"})
            return
        try:
            steps = path.removeprefix("/-/").split("/")
            match method, steps:
                case "GET", ["sessions", session_id, "attach"]:
                    await self._attach(session_id, exchange)
                    return
                case "GET", ["health"]:
                    answer = self.health()
                case "GET", ["status"]:
                    answer = self.status()
                case "POST", ["dashboard"]:
                    answer = {"url": self.dashboard_link()}
                case "POST", ["sessions"]:
                    answer = await self.register(object_in(await exchange.body(_BODY_LIMIT)))
                case "POST", ["sessions", session_id, "end"]:
                    answer = await self.end(session_id)
                case "POST", ["reload"]:
                    self.reload()
                    await self.audits.epochs.load()
                    answer = {"ok": self.config_error is None, "error": self.config_error}
                case "POST", ["quality", "resume"]:
                    wanted = object_in(await exchange.body(_BODY_LIMIT))
                    answer = {"ok": self.audits.epochs.resume(text_in(wanted, "epoch"))}
                case "POST", ["stop"]:
                    self.stop.set()
                    answer = {"ok": True}
                case _:
                    await _reply(exchange, 404, {"error": "no such control path"})
                    return
        except ClientGone:
            return
        except (BadRequest, TooLarge, RlmcError) as error:
            await _reply(exchange, 400, {"error": str(error) or "too large"})
            return
        await _reply(exchange, 200, answer)

    # --- facts ----------------------------------------------------------------------------------------------------

    def health(self) -> dict[str, Any]:
        return {
            "version": rlmc.__version__,
            "pid": os.getpid(),
            "instance": self.instance,
            "sessions_alive": self.sessions.alive(),
            "terminals": sum(s.alive and s.bound is not None for s in self.sessions.all()),
        }

    def status(self) -> dict[str, Any]:
        settings = self.config.settings
        draft, who_sees, broken = None, list[str](), None
        try:
            parts = build_parts(settings)
            draft, who_sees = parts.draft_model(), parts.who_sees()
        except RlmcError as error:  # a provider's file can break at any time
            broken = error.message
        return {
            **self.health(),
            "port": self.port,
            "started_at": self.started_at,
            "uptime_s": round(time.monotonic() - self.started, 3),
            "policy": settings.policy,
            "draft_model": None if draft is None else str(draft),
            "verify_model": str(settings.verify_model or "as-requested"),
            "quality": {"max_regression": settings.max_regression, "confidence": settings.confidence},
            "budgets": budgets_data(self.budgets.today(settings)),
            "budget_notice": no_help(settings, draft),
            "sessions": [
                {
                    "id": s.id,
                    "client": s.client,
                    "name": s.name,
                    "directory": s.directory,
                    "alive": s.alive,
                    "requests": s.requests,
                    "turns": s.turns,
                    "policy": s.parts.policy.name,
                    "draft_model": None if s.parts.draft_model() is None else str(s.parts.draft_model()),
                    "who_sees": s.parts.who_sees(),
                    "budgets": budgets_data(s.spending.budgets(s.parts.settings, wall_us())),
                    "degraded_turns": s.degraded_turns,
                    "stopped_turns": s.stopped_turns,
                }
                for s in self.sessions.all()
            ],
            "audited_sessions": sorted(self.audits.sessions()),
            "last_error": _shown(self.books.error or self.last_error),
            "config_error": _shown(self.config_error or broken),
            "ledger_error": _shown(self.books.ledger.error),
            "ledger_path": str(ledger_file()),
            "ledger_notices": list(self.books.ledger.notices),
            "machine_notices": [*filter(None, (displaced_ledger(), displaced_state(), remark(ledger_file())))],
            "removed_turns": dict(self.books.ledger.removed),
            "telemetry": self.telemetry(),
            "who_sees": who_sees,
            "paused_drafts": list(self.targets.paused()),
            "process": {
                **vitals(),
                "body_bytes": self.bodies.held,
                "bodies_waiting": self.bodies.waiting,
                "ledger_waiting": self.books.ledger.waiting,
            },
        }

    # --- sessions -------------------------------------------------------------------------------------------------

    async def register(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        session_id, token = text_in(wanted, "id"), text_in(wanted, "token")
        if len(token) < 16:
            raise BadRequest("token is too short")
        overrides = texts_in(wanted, "overrides")
        network = texts_in(wanted, "network")
        existing, protocol = texts_in(wanted, "upstreams"), wanted.get("protocol") or "anthropic"
        if protocol not in PROTOCOLS or not existing.keys() <= GATEWAYS.keys():
            raise BadRequest("protocol or upstreams are not known")
        for vendor, url in existing.items():
            if not is_http(url):
                raise BadRequest(f"the base URL the agent has for {vendor} is no http URL")
        parts = self._parts(overrides, existing, protocol)
        draft, verify = parts.draft_model(), parts.settings.verify_model
        simulated = parts.simulated
        spending = await self.budgets.open(session_id, simulated=simulated)
        known = self.sessions.by_id(session_id)
        if known is not None and not hmac.compare_digest(known.token.encode(), token.encode()):
            raise BadRequest("a session of this id has another token")
        means = Means(
            parts,
            keys={name: key.strip() for name, key in texts_in(wanted, "keys").items()},
            network=Network(**{k: v for k, v in network.items() if k in Network.__dataclass_fields__}),
        )
        client = text_in(wanted, "client")
        session = known or Session(session_id, token, client, means, overrides, existing, spending)
        # A session that comes back goes on: what it has done stays, what it runs with is new.
        session.client, session.means = client, means
        session.overrides, session.existing = overrides, existing
        session.name, session.directory = wanted.get("name"), wanted.get("directory")
        session.bound = bound_in(wanted.get("bound_pid"))
        self._forget_old()
        self.sessions.add(session)
        self.books.ledger.start_session(
            SessionRecord(
                id=session.id,
                started_at=wall_us(),
                client=session.client,
                name=session.name,
                directory=session.directory,
                git_branch=wanted.get("git_branch"),
                policy=parts.policy.name,
                draft_model=None if draft is None else str(draft),
                verify_model=None if verify is None else str(verify),
                version=rlmc.__version__,
                simulated=simulated,
            )
        )
        return {"notes": self._notes(session)}

    def _notes(self, session: Session) -> list[str]:
        notes = [f"the configuration in force is an older one: {self.config_error}"] if self.config_error else []
        notes += [f"a provider is left out: {fault}" for fault in session.parts.left_out]
        notes += gateway_notes(session)
        return notes

    async def end(self, session_id: str) -> dict[str, Any]:
        """The session's address stops working. Waits for requests under way, for a moment, and until the ledger has
        everything."""
        session = self.sessions.by_id(session_id)
        if session is None:
            raise BadRequest("no such session")
        self.sessions.remove(session_id)
        session.ended = True
        keepalive.end_all(session)
        for _ in range(_END_LOOKS):
            if session.active == 0:
                break
            await asyncio.sleep(_END_SECONDS / _END_LOOKS)
        audits = await self.audits.wait(_END_AUDITS_SECONDS, session_id)
        self.books.ledger.end_session(session_id, wall_us(), session.requests, session.turns, session.auto_mode_turns)
        flushed = await self.books.flush()
        notes = self._notes(session) if self.config_error else []
        notes += budget_notes(session)
        if audits:
            notes.append(
                f"{count(audits, 'audit is', 'audits are')} still under way; rlmc stats --last will hold what they cost"
            )
        if session.login_seen and not session.parts.settings.allow_login_calls:
            notes.append(
                "a subscription login was passed through untouched; rlmc makes no calls of its own with it "
                "(no Claude drafts, no verification). An API key, or a draft model of another vendor, changes that"
            )
        if not flushed:
            why = f" ({_shown(self.books.ledger.error)})" if self.books.ledger.error else ""
            notes.append(f"the ledger has not taken everything yet{why}; rlmc stats --last will show it once it has")
        elsewhere = displaced_ledger()
        notes += [elsewhere] if elsewhere else []
        return {
            "requests": session.requests,
            "turns": session.turns,
            "auto_mode_turns": session.auto_mode_turns,
            "notes": notes,
        }

    async def end_left(self) -> None:
        """For as long as the daemon runs: sessions of terminals that are gone are ended."""
        while True:
            await asyncio.sleep(_LOOK_AT_TERMINALS_SECONDS)
            for session in self.sessions.all():
                if session.bound is not None and not session.alive:
                    with suppress(BadRequest):  # somebody else has ended it
                        await self.end(session.id)

    async def _attach(self, session_id: str, exchange: Exchange) -> None:
        """An open line by which a waiting `rlmc run` says that it lives, and by whose end it learns that we do not."""
        session = self.sessions.by_id(session_id)
        if session is None:
            await _reply(exchange, 404, {"error": "no such session"})
            return
        session.attached += 1
        gone = asyncio.ensure_future(exchange.gone())
        stopping = asyncio.ensure_future(self.stop.wait())
        try:
            exchange.begin(200, [(b"content-type", b"text/plain")])
            while not gone.done() and not stopping.done():
                await exchange.write(b"\n")
                await asyncio.wait({gone, stopping}, timeout=_ATTACH_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if not gone.done():
                await exchange.end()
        finally:
            gone.cancel()
            stopping.cancel()
            session.attached -= 1

    def _forget_old(self) -> None:
        now = time.monotonic()
        if now - self._looked_for_old < _LOOK_FOR_OLD_SECONDS:
            return
        self._looked_for_old = now
        for session in self.sessions.all():
            if not session.alive and now - session.last_used > _FORGET_SECONDS:
                self.sessions.remove(session.id)
                keepalive.end_all(session)

    # --- configuration --------------------------------------------------------------------------------------------

    def reload(self) -> None:
        """Build everything anew from the file. Where that fails all stays as it is and `config_error` says why."""
        try:
            config = load(env={}, providers=names())
            before, self.config = self.config, config
            try:
                build_parts(config.settings)
                built = self._built_anew()
            except RlmcError:
                self.config = before
                raise
        except RlmcError as error:
            self.config_error = error.message
            log.warning("configuration not taken: %s", error.message)
            return
        for session, parts in built:
            if parts.simulated != session.parts.simulated:
                # Its account is of one kind of money, and would be of neither.
                self.last_error = (
                    f"session {session.id} keeps its settings: simulated and real models are never mixed in one"
                )
                log.warning("%s", self.last_error)
                continue
            session.means = replace(session.means, parts=parts)
        self.config_error = None

    async def refresh_config(self) -> None:
        """Notice files edited by hand; looks at their dates at most twice a second."""
        now = time.monotonic()
        if now - self._looked < _LOOK_AT_FILE_SECONDS:
            return
        self._looked = now
        stamp = _stamps()
        if stamp != self._seen:
            self._seen = stamp
            self.reload()

    def note_config_seen(self) -> None:
        self._seen = _stamps()

    def _built_anew(self) -> list[tuple[Session, Parts]]:
        """Every session's parts. There may be thousands, and those that run with the same share them."""
        known: dict[tuple[object, ...], Parts] = {}
        found = []
        for session in self.sessions.all():
            wanted = (session.overrides, session.existing, session.parts.protocol)
            same = (*(tuple(sorted(one.items())) for one in wanted[:2]), wanted[2])
            if same not in known:
                known[same] = self._parts(*wanted)
            found.append((session, known[same]))
        return found

    def _parts(self, overrides: Mapping[str, str], existing: Mapping[str, str], protocol: str) -> Parts:
        config = overlay(self.config, overrides, "rlmc run", names()) if overrides else self.config
        return build_parts(config.settings, existing, protocol)


def _stamps() -> tuple[object, ...]:
    """When the settings, and the user's provider files, were last changed."""
    return tuple((path, _stamp(path)) for path in (config_file(), *own_files().values()))


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_ino


def _shown(error: str | None) -> str | None:
    return None if error is None else redact(error)


async def _reply(exchange: Exchange, status: int, answer: Mapping[str, Any]) -> None:
    body = json.dumps(answer).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    exchange.begin(status, headers)
    await exchange.end(body)
