"""One turn from its bytes to its row: decode, decide, carry out, book. Whatever fails inside rlmc, the verify model
answers; the row is queued before anything is awaited at the end, so a client that hangs up still leaves one."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from dataclasses import dataclass, field, replace
from typing import Any

from rlmc.cascade.bucket import CHECKED
from rlmc.cascade.engine import run
from rlmc.cascade.learning import kind_of
from rlmc.cascade.plan import Answer, Plan
from rlmc.cascade.policies import draft_only, economy
from rlmc.cascade.policies.policy import Policy
from rlmc.cascade.session import Arrival, facts_as_sent
from rlmc.cascade.signals import Signals, past_after, read_signals
from rlmc.domain.chat import ChatRequest, Completion, Text, Usage
from rlmc.domain.outcome import Outcome, Reason
from rlmc.domain.record import AuditRecord, Ending
from rlmc.domain.turn import DraftAbilities, Finding, Model, Turn
from rlmc.errors import UnknownShape, WireError
from rlmc.ledger.report import is_served
from rlmc.pricing.baseline import Alone, Shadows
from rlmc.server import keepalive
from rlmc.server.audits import Audited, Audits
from rlmc.server.books import Books, Entry, FinishedTurn
from rlmc.server.calls import Call, wall_us
from rlmc.server.decisions import Decision, facts_of, undecided
from rlmc.server.driver import Turnover, drive
from rlmc.server.egress import BrokenOff, carry_out, relay
from rlmc.server.epochs import Watch
from rlmc.server.ingress import Inbound, Send, conversation_key, hints_of
from rlmc.server.observed import ObservedReading
from rlmc.server.outgoing import Outgoing
from rlmc.server.requests import draft_credential, forwarded, verify_request
from rlmc.server.sessions import Means, Session
from rlmc.upstream.transport import Transport
from rlmc.views import budgets
from rlmc.views.budgets import Budget
from rlmc.wire.codec import Codec

log = logging.getLogger("rlmc.turns")

# Providers say so of an account without money: no client tries again, and each shows the message.
_PAYMENT_REQUIRED = 402
# Of a turn that was not sent: neither model alone would have used anything either, so it saves nothing.
_NOTHING = Shadows(Alone(Usage(), False), Alone(Usage(), False))
# What a passed budget leaves as it is: nothing is cheaper.
_CHEAP = (economy.POLICY, draft_only.POLICY)


@dataclass(slots=True)
class Run:
    """A turn under way. What is not known yet is None or a cautious guess, so that it can be booked at any moment.
    `policy` decides it: the session's, or a cheaper one because `degraded_by`, a budget, is passed."""

    session: Session
    means: Means
    inbound: Inbound
    codec: Codec
    turnover: Turnover
    id: str
    started_at: int
    policy: Policy
    degraded_by: Budget | None = None
    began: float = field(default_factory=time.monotonic)
    request: ChatRequest | None = None
    watch: Watch | None = None
    decision: Decision | None = None
    signals: Signals | None = None
    conversation: str = ""
    plan: Plan | None = None
    reason: Reason = Reason.UNREADABLE
    ending: Ending = "client-gone"


async def serve_turn(
    session: Session, inbound: Inbound, codec: Codec, send: Send, transports: dict[str, Transport], audits: Audits
) -> None:
    means = session.means
    settings = means.parts.settings
    started_at = wall_us()
    # Begins with the time, so that rows lie in the ledger in the order they are asked for.
    turn_id = f"{started_at:014x}{secrets.token_hex(4)}"
    out = Outgoing(send, codec, f"req_rlmc_{turn_id}", keep=settings.log_content)
    turnover = Turnover(turn_id, means, inbound, codec, transports, out, streams=False)
    this = Run(session, means, inbound, codec, turnover, turn_id, started_at, means.parts.policy)
    readable = inbound.header("content-encoding") is None
    try:
        this.request = codec.decode_request(inbound.body, session.key) if readable else None
    except UnknownShape:
        this.request = None
    except WireError as error:
        await out.fail(400, f"the request's body is no JSON: {error.message}")
        return
    session.turns += 1
    try:
        await _serve(this, out, audits)
        this.ending = _ending(this)
    except BrokenOff:
        this.ending = "upstream-error"
    except Exception:
        log.exception("turn %s could not be answered", this.id)
        this.ending = "error"
        if not out.begun:
            await out.fail(500, "rlmc failed on this request; rlmc logs says how")
    finally:
        try:
            _book(this, audits)
        except Exception:
            log.exception("turn %s could not be booked", this.id)
        await turnover.close()


async def _serve(this: Run, out: Outgoing, audits: Audits) -> None:
    this.conversation = conversation_key(this.inbound, this.request)
    keepalive.end(this.session, this.conversation)
    over = this.session.spending.passed(this.means.parts.settings, this.started_at)
    if over is not None and over.action == "stop":
        await _stop(this, over, out)
        return
    if this.request is None:
        this.session.regrets.miss(this.conversation)
        await _relay_as_is(this)
        return
    this.reason = Reason.UNDECIDED
    this.turnover.streams = this.request.stream
    if over is not None and over.action == "degrade":
        _degrade(this, over)
    try:
        decision = _arrive(this, this.request, audits.books)
        epochs, parts = audits.epochs, this.means.parts
        # A passed budget makes turns cheaper, and not less careful: what the session's own policy has learnt holds.
        policy = this.policy if this.degraded_by is None else parts.policy
        epoch, decision.caution = epochs.look(decision.turn, decision.arrival.signals, parts, policy)
        if epoch is not None and over is None and audits.has_room and _may_judge(this, decision.turn):
            this.watch = decision.watch = epochs.watch(epoch, parts.settings)
        arrival, foresight = decision.arrival, decision.foresight
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
        this.plan, this.reason = plan, plan.reason
        this.plan = await carry_out(plan, this.turnover, lambda output: replace(foresight.told, output=output))
        this.reason = this.plan.reason
    except (BrokenOff, asyncio.CancelledError):
        raise
    except Exception:
        log.exception("turn %s failed inside rlmc; the verify model answers", this.id)
        this.plan, this.reason = None, Reason.INTERNAL
        if out.begun:
            raise BrokenOff from None
        await _relay_as_is(this)


def _may_judge(this: Run, turn: Turn) -> bool:
    """Whether there is a credential for calls of rlmc's own to the verify model."""
    return not isinstance(draft_credential(this.means, this.inbound, turn.verify), Reason)


async def _stop(this: Run, over: Budget, out: Outgoing) -> None:
    this.reason = Reason.BUDGET
    this.session.stopped_turns += 1
    this.session.regrets.miss(this.conversation)
    await out.fail(_PAYMENT_REQUIRED, budgets.stopped(over, this.session.overrides))


def _degrade(this: Run, over: Budget) -> None:
    """To the policy that leaves most to the draft model, where there is one and the session's own is not as cheap."""
    if this.policy not in _CHEAP and this.means.parts.draft_model() is not None:
        this.policy, this.degraded_by = economy.POLICY, over
        this.session.degraded_turns += 1


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


def _arrive(this: Run, request: ChatRequest, books: Books) -> Decision:
    """What the turn is and what may be expected of it, before anything is asked."""
    session, settings = this.session, this.means.parts.settings
    memory = session.memory
    turn = _turn(this, request)
    past = memory.past(this.conversation)
    this.signals = signals = read_signals(turn, past)
    memory.remember(this.conversation, past_after(past, turn, signals))
    session.regrets.arrive(books.ledger, this.conversation, this.id, request, signals, this.started_at)
    models = (turn.verify,) if turn.draft is None else (turn.verify, turn.draft)
    arrival = Arrival(
        conversation=this.conversation,
        at=this.started_at,
        signals=signals,
        outline=memory.outline(request.layout, models, this.started_at),
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
        tools=parts.settings.tools,
        brief_tokens=parts.settings.brief_tokens,
    )


def _ending(this: Run) -> Ending:
    if this.reason is Reason.BUDGET:
        return "error"
    status = this.turnover.out.status
    served = next((c for c in this.turnover.calls if c.served), None)
    if status is None or status >= 400 or (served is not None and served.error is not None):
        return "upstream-error"
    return "complete"


def _book(this: Run, audits: Audits) -> None:
    books = audits.books
    session, out = this.session, this.turnover.out
    now = time.monotonic()
    plan = this.plan
    outcome = plan.outcome if plan is not None else Outcome.DIRECT
    findings: tuple[Finding, ...] = plan.findings if plan is not None else ()
    if this.reason is Reason.SAFEGUARDS:
        session.auto_mode_turns += 1
    calls = tuple(this.turnover.calls)
    alone, record = undecided(calls), None
    decision = this.decision
    parts = this.means.parts
    draft = None if decision is None else decision.turn.draft
    if this.reason is Reason.BUDGET:
        alone, draft = _NOTHING, parts.draft_model()
    if decision is not None:
        try:
            alone, record = _foreseen(this, decision, outcome, calls)
        except Exception:
            # What was really paid must be in the books, whatever becomes of the rest.
            log.exception("turn %s is booked without its baseline", this.id)
    content = parts.settings.log_content
    drawn, coin = _draw(this, outcome)
    finished = FinishedTurn(
        id=this.id,
        session_id=session.id,
        client=session.client,
        conversation=this.conversation,
        protocol=this.codec.name,
        policy=this.policy.name,
        verify=decision.turn.verify if decision else _served_model(this),
        draft=draft,
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
        calls=calls,
        alone=alone,
        decision=record,
        request_body=this.inbound.body if content else None,
        answer_body=out.kept if content else None,
        traceparent=this.inbound.header("traceparent"),
        simulated=session.spending.simulated,
        epoch=None if this.watch is None or not _answered(this, coin) else this.watch.epoch.record,
        coin=coin,
        audit=drawn,
    )
    entry = books.finish(finished)
    if decision is not None and this.watch is not None and finished.epoch is not None:
        _learn(this, decision, this.watch, entry, audits)
    if decision is not None and parts.settings.keep_alive:
        _keep_warm(this, decision, entry, books)


def _draw(this: Run, outcome: Outcome) -> tuple[AuditRecord | None, float | None]:
    """The audit of a turn that a draft answered, where its coin falls on one, and what chance there was of it. What the
    client did with the answer, or whether it waited for its end, has no part in it."""
    watch, decision = this.watch, this.decision
    if watch is None or decision is None or not is_served(outcome, this.reason):
        return None, None
    if not any(call.role == "draft" and call.served for call in this.turnover.calls):
        return None, None
    bucket = CHECKED if outcome is Outcome.ACCEPTED else decision.bucket
    drawn = AuditRecord(wall_us(), watch.probability, bucket) if watch.falls else None
    return drawn, watch.probability


def _answered(this: Run, coin: float | None) -> bool:
    """Whether the turn counts: one that failed, whoever failed, says nothing of drafts and is no share of all turns."""
    return coin is not None or this.ending == "complete"


def _learn(this: Run, decision: Decision, watch: Watch, entry: Entry, audits: Audits) -> None:
    """The turn is told to what watches over its epoch, and its audit begun."""
    finished, care = entry.turn, watch.epoch.care
    care.turn(None if decision.arrival.signals.auxiliary else decision.foresight.prospect.direct)
    if finished.coin is not None:
        care.served(drawn=None if finished.audit is None else finished.audit.probability)
    if finished.coin is not None or finished.outcome is Outcome.DIRECT:
        this.session.regrets.answered(this.id, care, by_draft=finished.coin is not None)
    audits.epochs.keep(watch.epoch)
    if finished.audit is not None:
        draft = this.plan.completion if isinstance(this.plan, Answer) else _as_said(this)
        audits.begin(
            Audited(
                session=this.session,
                turn=decision.turn,
                turnover=this.turnover,
                watch=watch,
                draft=draft,
                drawn=finished.audit,
                marker=decision.foresight.marker,
                outline=decision.arrival.outline,
                entry=entry,
                cut=finished.ending == "client-gone" and not isinstance(this.plan, Answer),
            )
        )


def _as_said(this: Run) -> Completion:
    """A draft that was streamed while it was written, as far as the client got it."""
    call = next(call for call in this.turnover.calls if call.role == "draft" and call.served)
    text = "".join(this.turnover.said)
    return Completion(str(call.model), (Text(text),) if text else (), call.stop_reason, call.usage)


def _keep_warm(this: Run, decision: Decision, entry: Entry, books: Books) -> None:
    """Look after the cache the verify model has just read, until this conversation goes on. Never with a login."""
    last = next((c for c in reversed(entry.turn.calls) if c.role in ("direct", "verify") and not c.brief), None)
    turn = decision.turn
    if last is None or not last.complete or last.error is not None or turn.hints.login or this.request is None:
        return
    outline = decision.arrival.outline
    if outline.lifetime is None or decision.arrival.signals.auxiliary:
        return
    keepalive.begin(
        keepalive.Waiting(
            session=this.session,
            means=this.means,
            inbound=this.inbound,
            codec=this.codec,
            transport=this.turnover.transport(turn.verify.provider),
            books=books,
            verify=turn.verify,
            outline=outline,
            body=this.request.raw,
            began=last.began,
            pause="tool-results" if last.stop_reason == "tool_use" else "user",
            entry=entry,
        )
    )


def _foreseen(
    this: Run, decision: Decision, outcome: Outcome, calls: tuple[Call, ...]
) -> tuple[Shadows, dict[str, Any]]:
    """The turn's end told to the session's memory: what either model alone would have used, and the decision's row."""
    facts = facts_of(decision.arrival, outcome, calls, _kind(decision, outcome), _answer_chars(this))
    if any(call.marked for call in calls):
        facts = facts_as_sent(facts, decision.foresight.marker)
    alone = this.session.memory.finish(decision.arrival, facts, this.reason)
    decision.finished = this.session.next_event()
    return alone, decision.record(facts)


def _kind(decision: Decision, outcome: Outcome) -> str | None:
    """What the answer does, where it is known: of a draft that was looked at."""
    seen = decision.reading.drafted
    if outcome in (Outcome.SKIPPED, Outcome.ACCEPTED) and seen is not None:
        return kind_of(seen.effect)
    return None


def _answer_chars(this: Run) -> int:
    if isinstance(this.plan, Answer):
        return len(this.plan.completion.text)
    return sum(c.output_chars for c in this.turnover.calls if c.served)


def _served_model(this: Run) -> Model:
    served = next((c for c in this.turnover.calls if c.served), None)
    return served.model if served else this.means.parts.verify_model("")
