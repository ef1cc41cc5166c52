"""One turn from its bytes to its row: decode, decide, carry out, book. Whatever fails inside rlmc, the verify model
answers. A turn is booked before the last bytes of its answer leave; one that never gets there is booked at its end,
before anything is awaited, so a client that hangs up still leaves a row."""

from __future__ import annotations

import asyncio
import logging
import secrets
from dataclasses import replace

from rlmc.cascade.engine import run
from rlmc.cascade.policies import draft_only, economy
from rlmc.cascade.session import Arrival
from rlmc.cascade.signals import past_after, read_signals
from rlmc.domain.chat import ChatRequest, Usage
from rlmc.domain.layout import Layout, Mark
from rlmc.domain.outcome import Reason
from rlmc.domain.record import Ending
from rlmc.domain.turn import DraftAbilities, Model, Turn
from rlmc.errors import UnknownShape, UpstreamError, WireError
from rlmc.pricing.cache import MOST_MARKERS
from rlmc.server import keepalive
from rlmc.server.audits import Audits
from rlmc.server.booking import book
from rlmc.server.books import Books
from rlmc.server.calls import Call, wall_us
from rlmc.server.decisions import Decision
from rlmc.server.driver import Turnover, drive
from rlmc.server.egress import BrokenOff, carry_out, relay
from rlmc.server.exchange import Exchange
from rlmc.server.ingress import Inbound, conversation_key, hints_of
from rlmc.server.observed import ObservedReading
from rlmc.server.outgoing import Outgoing
from rlmc.server.requests import forwarded, own_credential, translated, verify_request
from rlmc.server.retold import relay_retold
from rlmc.server.run import Run
from rlmc.server.sessions import Session
from rlmc.server.targets import Targets
from rlmc.upstream.transport import Transport
from rlmc.views import budgets
from rlmc.views.budgets import Budget
from rlmc.wire.codec import Codec
from rlmc.wire.responses.request import KEPT

log = logging.getLogger("rlmc.turns")

# Providers say so of an account without money: no client tries again, and each shows the message.
_PAYMENT_REQUIRED = 402
# What a passed budget leaves as it is: nothing is cheaper.
_CHEAP = (economy.POLICY, draft_only.POLICY)


async def serve_turn(
    session: Session,
    inbound: Inbound,
    codec: Codec,
    exchange: Exchange,
    transports: dict[str, Transport],
    audits: Audits,
    targets: Targets,
) -> None:
    means = session.means
    settings = means.parts.settings
    started_at = wall_us()
    # Begins with the time, so that rows lie in the ledger in the order they are asked for.
    turn_id = f"{started_at:014x}{secrets.token_hex(4)}"
    out = Outgoing(exchange, codec, f"req_rlmc_{turn_id}", keep=settings.log_content)
    turnover = Turnover(turn_id, means, inbound, codec, transports, out, streams=False, reasoning=session.reasoning)
    this = Run(session, means, inbound, codec, turnover, turn_id, started_at, means.parts.policy)
    readable = inbound.header("content-encoding") is None
    try:
        before = session.recent.of(session.id)
        this.request = codec.decode_request(inbound.body, inbound.key, before) if readable else None
    except UnknownShape:
        this.request = None
    except WireError as error:
        await out.fail(400, f"the request's body is no JSON: {error.message}")
        return
    session.turns += 1
    out.settle = lambda: _settle(this, audits)
    try:
        await _serve(this, out, audits, targets)
        this.ending = _ending(this)
    except BrokenOff:
        this.ending = "upstream-error"
        raise
    except asyncio.CancelledError:
        if not out.delivered:
            this.ending = "client-gone"
        raise
    except Exception:
        log.exception("turn %s could not be answered", this.id)
        this.ending = "error"
        if not out.begun:
            out.settle = None
            _book(this, audits)
            await out.fail(500, "rlmc failed on this request; rlmc logs says how")
    finally:
        # It holds the turn, which holds it: a turn that got to no end would stay in memory with all of its request.
        out.settle = None
        _book(this, audits)
        await turnover.close()


def _settle(this: Run, audits: Audits) -> None:
    """The answer is known to its end, and the client has not got that end yet."""
    this.ending = _ending(this)
    _book(this, audits)


def _book(this: Run, audits: Audits) -> None:
    """Once; what the end has turned out to be may be corrected."""
    try:
        if this.entry is None:
            this.entry = book(this, audits)
        elif this.entry.turn.ending != this.ending:
            audits.books.amend(this.entry, this.ending)
    except Exception:
        log.exception("turn %s could not be booked", this.id)


async def _serve(this: Run, out: Outgoing, audits: Audits, targets: Targets) -> None:
    this.conversation = conversation_key(this.inbound, this.request, this.session.conversation_keys)
    keepalive.end(this.session, this.conversation)
    over = this.session.spending.passed(this.means.parts.settings, this.started_at)
    if over is not None and over.action == "stop":
        await _stop(this, over, out)
        return
    if this.request is None:
        this.session.regrets.miss(this.conversation)
        await _relay_as_is(this)
        return
    if not this.session.ended:
        this.session.recent.keep(this.session.id, this.conversation, this.request)
    this.undecided = Reason.UNDECIDED
    this.turnover.streams, this.turnover.tools = this.request.stream, this.request.tools
    if over is not None and over.action == "degrade":
        _degrade(this, over)
    try:
        decision = _arrive(this, this.request, audits.books, targets)
        epochs, parts = audits.epochs, this.means.parts
        # A passed budget makes turns cheaper, and not less careful: what the session's own policy has learnt holds.
        policy = this.policy if this.degraded_by is None else parts.policy
        epoch, decision.caution = epochs.look(decision.turn, decision.arrival.signals, parts, policy)
        if epoch is not None and over is None and audits.has_room and _may_judge(this, decision.turn):
            this.watch = decision.watch = epochs.watch(epoch, parts.settings)
        arrival, foresight = decision.arrival, decision.foresight
        this.turnover.expected = foresight.told
        plan = await drive(
            run(
                decision.turn,
                arrival.signals,
                foresight.prospect,
                arrival.policy,
                foresight.marker,
                decision.reading,
                decision.caution,
            ),
            this.turnover,
        )
        this.turnover.plan = plan
        await carry_out(plan, this.turnover, lambda output: replace(foresight.told, output=output))
    except (BrokenOff, asyncio.CancelledError):
        raise
    except Exception:
        log.exception("turn %s failed inside rlmc; the verify model answers", this.id)
        this.turnover.plan, this.undecided = None, Reason.INTERNAL
        if out.begun:
            raise BrokenOff from None
        await _relay_as_is(this)


def _may_judge(this: Run, turn: Turn) -> bool:
    """Whether there is a credential for calls of rlmc's own to the verify model."""
    return not isinstance(own_credential(this.means, this.inbound, this.way(turn.verify)), Reason)


async def _stop(this: Run, over: Budget, out: Outgoing) -> None:
    this.undecided = Reason.BUDGET
    this.session.stopped_turns += 1
    this.session.regrets.miss(this.conversation)
    await out.fail(_PAYMENT_REQUIRED, budgets.stopped(over, this.session.overrides))


def _degrade(this: Run, over: Budget) -> None:
    """To the policy that leaves most to the draft model, where there is one and the session's own is not as cheap."""
    if this.policy not in _CHEAP and this.means.parts.draft_model(this.codec.name) is not None:
        this.policy, this.degraded_by = economy.POLICY, over
        this.session.degraded_turns += 1


async def _relay_as_is(this: Run) -> None:
    """The client's request to the verify model with nothing decided: its shape is strange, or rlmc stumbled."""
    parts = this.means.parts
    model = parts.verify_model(this.request.model if this.request else "", this.codec.name)
    way = this.way(model)
    call = Call("direct", model, codec=way.codec)
    this.turnover.calls.append(call)
    if not way.same:
        await _retell_as_is(this, call)
        return
    try:
        request = verify_request(this.means, this.inbound, this.codec, model, this.inbound.body)
    except WireError as error:
        if parts.verify_provider(this.codec.name).name != parts.home(this.codec.name).name:
            call.fail("request")
            await this.turnover.out.fail(
                400, f"verify-model is {model}, and this request has no model to replace: {error}"
            )
            return
        request = forwarded(this.means, this.inbound, this.inbound.body)
    await relay(call, request, this.turnover.transport(model.provider), this.turnover.out, this.codec)


async def _retell_as_is(this: Run, call: Call) -> None:
    """The same where the verify model speaks another protocol."""
    out = this.turnover.out
    if this.request is None:
        call.fail("request")
        await out.fail(400, f"this request has a shape that cannot be translated for verify-model {call.model}")
        return
    try:
        request = translated(this.means, this.inbound, this.codec, call.model, this.request, this.turnover.reasoning)
    except (WireError, UpstreamError) as error:
        call.fail("request" if isinstance(error, WireError) else error.kind)
        await out.fail(400 if isinstance(error, WireError) else 401, f"rlmc: {error.message}")
        return
    await relay_retold(call, request, this.turnover, lambda output: Usage(output=output))


def _arrive(this: Run, request: ChatRequest, books: Books, targets: Targets) -> Decision:
    """What the turn is and what may be expected of it, before anything is asked."""
    session, settings = this.session, this.means.parts.settings
    memory = session.memory
    turn = _turn(this, request, targets)
    past = memory.past(this.conversation)
    this.signals = signals = read_signals(turn, past)
    memory.remember(this.conversation, past_after(past, turn, signals))
    session.regrets.arrive(books.ledger, this.conversation, this.id, request, signals, this.started_at)
    models = (turn.verify,) if turn.draft is None else (turn.verify, turn.draft)
    arrival = Arrival(
        conversation=this.conversation,
        at=this.started_at,
        signals=signals,
        outline=memory.outline(_as_sent(this, request, turn.verify), models, this.started_at),
        verify=turn.verify,
        draft=turn.draft,
        policy=this.policy,
        brief_tokens=settings.brief_tokens,
    )
    arrived = session.next_event()
    this.decision = decision = Decision(
        turn=turn,
        arrival=arrival,
        foresight=memory.arrive(arrival, books.prices),
        reading=ObservedReading(),
        epoch=session.epoch,
        arrived=arrived,
        config=this.means.parts.fingerprint,
        priced=books.prices is not None,
        degraded=None if this.degraded_by is None else (this.degraded_by.setting, this.means.parts.policy.name),
    )
    return decision


def _as_sent(this: Run, request: ChatRequest, verify: Model) -> Layout:
    """The prompt as the verify model's cache sees it: a translated request bears none of the client's markers. It is
    marked at its end where caching is asked for by markers, and takes no other one."""
    layout, way = request.layout, this.way(verify)
    if way.same:
        return layout
    marked = way.shape.cache_control and bool(layout.digests)
    marks: tuple[Mark, ...] = ((len(layout.digests) - 1, "5m"),) if marked else ()
    return replace(layout, marks=marks, markers=MOST_MARKERS)


def _turn(this: Run, request: ChatRequest, targets: Targets) -> Turn:
    parts, inbound = this.means.parts, this.inbound
    hints = hints_of(inbound)
    this.session.login_seen = this.session.login_seen or hints.login
    verify = parts.verify_model(request.model, this.codec.name)
    to_verify = this.way(verify)
    draft = parts.draft_model(this.codec.name)
    block: Reason | None = None
    abilities = DraftAbilities()
    if draft is not None:
        way = this.way(draft)
        credential = own_credential(this.means, inbound, way)
        if isinstance(credential, Reason):
            block = credential
        else:
            this.turnover.target = target = targets.of(way, draft, credential)
            block = Reason.DRAFT_PAUSED if target.paused else None
        if KEPT in request.fields and to_verify.same:
            # The client may go on from the answer by its id, and only what the provider wrote has one there.
            block = Reason.SERVER_TOOLS
        abilities = DraftAbilities(
            context=way.context,
            media=way.reads_media,
        )
    return Turn(
        request=request,
        hints=hints,
        verify=verify,
        verify_context=to_verify.context,
        draft=draft,
        draft_block=block,
        draft_abilities=abilities,
        # With another vendor's verify model the login takes no part.
        own_calls=not hints.login
        or parts.settings.allow_login_calls
        or verify.provider != parts.home(this.codec.name).name,
        nonce=secrets.token_hex(8),
        draft_timeout=parts.settings.draft_timeout,
        auto_mode_local=parts.settings.claude_auto_mode == "local",
        tools=parts.settings.tools,
        brief_tokens=parts.settings.brief_tokens,
        refuses_foreign_calls=to_verify.refuses_foreign_calls,
    )


def _ending(this: Run) -> Ending:
    if this.reason is Reason.BUDGET:
        return "error"
    status = this.turnover.out.status
    served = next((c for c in this.turnover.calls if c.served), None)
    if status is None or status >= 400 or (served is not None and served.error is not None):
        return "upstream-error"
    return "complete"
