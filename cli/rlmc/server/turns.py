"""One turn from its bytes to its row: decode, decide, carry out, book. Whatever fails inside rlmc, the verify model
answers; the row is queued before anything is awaited at the end, so a client that hangs up still leaves one."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from dataclasses import dataclass, field

from rlmc.cascade.engine import run
from rlmc.cascade.plan import Answer, Plan
from rlmc.cascade.session import SessionState, after_turn, usage_for_client
from rlmc.cascade.signals import Signals, read_signals
from rlmc.domain.chat import ChatRequest, Usage
from rlmc.domain.record import Ending
from rlmc.domain.turn import DraftAbilities, Finding, Model, Outcome, Reason, Turn
from rlmc.errors import UnknownShape, WireError
from rlmc.server.books import Books, FinishedTurn
from rlmc.server.calls import Call, wall_us
from rlmc.server.driver import Turnover, drive
from rlmc.server.egress import BrokenOff, carry_out, relay
from rlmc.server.ingress import Inbound, Send, conversation_key, hints_of
from rlmc.server.outgoing import Outgoing
from rlmc.server.requests import draft_credential, forwarded, verify_request
from rlmc.server.sessions import Means, Session
from rlmc.upstream.transport import Transport
from rlmc.wire.codec import Codec

log = logging.getLogger("rlmc.turns")


@dataclass(slots=True)
class Run:
    """A turn under way. What is not known yet is None or a cautious guess, so that it can be booked at any moment."""

    session: Session
    means: Means
    inbound: Inbound
    codec: Codec
    turnover: Turnover
    id: str
    started_at: int
    began: float = field(default_factory=time.monotonic)
    request: ChatRequest | None = None
    turn: Turn | None = None
    signals: Signals | None = None
    conversation: str = ""
    plan: Plan | None = None
    reason: Reason = Reason.UNREADABLE
    ending: Ending = "client-gone"


async def serve_turn(
    session: Session, inbound: Inbound, codec: Codec, send: Send, transports: dict[str, Transport], books: Books
) -> None:
    means = session.means
    settings = means.parts.settings
    started_at = wall_us()
    # Begins with the time, so that rows lie in the ledger in the order they are asked for.
    turn_id = f"{started_at:014x}{secrets.token_hex(4)}"
    out = Outgoing(send, codec, f"req_rlmc_{turn_id}", keep=settings.log_content)
    turnover = Turnover(turn_id, means, inbound, codec, transports, out, streams=False)
    this = Run(session, means, inbound, codec, turnover, turn_id, started_at)
    readable = inbound.header("content-encoding") is None
    try:
        this.request = codec.decode_request(inbound.body) if readable else None
    except UnknownShape:
        this.request = None
    except WireError as error:
        await out.fail(400, f"the request's body is no JSON: {error.message}")
        return
    session.turns += 1
    try:
        await _serve(this, out)
        this.ending = _ending(this)
    except BrokenOff:
        this.ending = "upstream-error"
    except Exception:
        log.exception("turn %s could not be answered", this.id)
        this.ending = "error"
        if not out.begun:
            await out.fail(500, "rlmc failed on this request; rlmc logs says how")
    finally:
        _book(this, books)
        await turnover.close()


async def _serve(this: Run, out: Outgoing) -> None:
    session = this.session
    this.conversation = conversation_key(this.inbound, this.request)
    if this.request is None:
        await _relay_as_is(this)
        return
    this.reason = Reason.UNDECIDED
    this.turnover.streams = this.request.stream
    state = session.state_of(this.conversation)
    try:
        this.turn = turn = _turn(this, this.request)
        this.signals = signals = read_signals(turn, state)
        plan = await drive(run(turn, signals, this.means.parts.policy), this.turnover)
        this.plan, this.reason = plan, plan.reason
        this.plan = await carry_out(plan, this.turnover, lambda output: usage_for_client(state, turn, output))
        this.reason = this.plan.reason
    except (BrokenOff, asyncio.CancelledError):
        raise
    except Exception:
        log.exception("turn %s failed inside rlmc; the verify model answers", this.id)
        this.plan, this.reason = None, Reason.INTERNAL
        if out.begun:
            raise BrokenOff from None
        await _relay_as_is(this)


async def _relay_as_is(this: Run) -> None:
    """The client's request to the verify model with nothing decided: its shape is strange, or rlmc stumbled."""
    parts = this.means.parts
    model = parts.verify_model(this.request.model if this.request else "")
    call = Call("direct", model)
    this.turnover.calls.append(call)
    try:
        request = verify_request(this.means, this.inbound, this.codec, model, this.inbound.body)
    except WireError as error:
        if parts.verify_provider.name != parts.home.name:
            call.fail("request")
            await this.turnover.out.fail(
                400, f"verify-model is {model}, and this request has no model to replace: {error}"
            )
            return
        request = forwarded(this.means, this.inbound, this.inbound.body)
    await relay(call, request, this.turnover.transport(model.provider), this.turnover.out, this.codec)


def _turn(this: Run, request: ChatRequest) -> Turn:
    parts, inbound = this.means.parts, this.inbound
    hints = hints_of(inbound)
    this.session.login_seen = this.session.login_seen or hints.login
    verify = parts.verify_model(request.model)
    draft = parts.draft_model()
    block: Reason | None = None
    abilities = DraftAbilities()
    if draft is not None:
        provider = parts.providers[draft.provider]
        credential = draft_credential(this.means, inbound, draft)
        block = credential if isinstance(credential, Reason) else None
        abilities = DraftAbilities(
            context=provider.context_of(draft.name),
            media=provider.shape_of(draft.name).media and provider.reads_media(draft.name),
        )
    return Turn(
        request=request,
        hints=hints,
        verify=verify,
        verify_context=parts.providers[verify.provider].context_of(verify.name),
        draft=draft,
        draft_block=block,
        draft_abilities=abilities,
        own_calls=not hints.login or parts.settings.allow_login_calls,
        nonce=secrets.token_hex(8),
        draft_timeout=parts.settings.draft_timeout,
        auto_mode_local=parts.settings.claude_auto_mode == "local",
    )


def _ending(this: Run) -> Ending:
    status = this.turnover.out.status
    served = next((c for c in this.turnover.calls if c.served), None)
    if status is None or status >= 400 or (served is not None and served.error is not None):
        return "upstream-error"
    return "complete"


def _book(this: Run, books: Books) -> None:
    session, out = this.session, this.turnover.out
    now = time.monotonic()
    plan = this.plan
    outcome = plan.outcome if plan is not None else Outcome.DIRECT
    findings: tuple[Finding, ...] = plan.findings if plan is not None else ()
    if this.reason is Reason.SAFEGUARDS:
        session.auto_mode_turns += 1
    if this.turn is not None:
        _learn(this, this.turn)
    parts = this.means.parts
    content = parts.settings.log_content
    books.finish(
        FinishedTurn(
            id=this.id,
            session_id=session.id,
            conversation=this.conversation,
            protocol=this.codec.name,
            policy=parts.policy.name,
            verify=this.turn.verify if this.turn else _served_model(this),
            started_at=this.started_at,
            latency_s=now - this.began,
            ttfb_s=None if out.first_byte is None else out.first_byte - this.began,
            status=out.status,
            ending=this.ending,
            reason=this.reason,
            outcome=outcome,
            findings=findings,
            request=this.request,
            signals=this.signals,
            calls=tuple(this.turnover.calls),
            answer_chars=len(plan.completion.text) if isinstance(plan, Answer) else _seen_chars(this),
            request_body=this.inbound.body if content else None,
            answer_body=out.kept if content else None,
        )
    )


def _learn(this: Run, turn: Turn) -> None:
    session = this.session
    seen: Usage | None = None
    extra = 0
    for call in this.turnover.calls:
        if call.role != "draft" and call.usage is not None:
            seen, extra = call.usage, call.appended_chars
    state: SessionState = session.state_of(this.conversation)
    session.remember(this.conversation, after_turn(state, turn, seen, extra))


def _served_model(this: Run) -> Model:
    served = next((c for c in this.turnover.calls if c.served), None)
    return served.model if served else this.means.parts.verify_model("")


def _seen_chars(this: Run) -> int:
    return sum(c.output_chars for c in this.turnover.calls if c.served)
