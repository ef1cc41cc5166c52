"""A turn that has ended, told to all who keep an account of it: the books, the session's memory, what watches over
quality, and what keeps its cache warm. Nothing here waits for anything: it stands between an answer and its last
bytes, and a client that hangs up still leaves a row."""

from __future__ import annotations

import logging
import time
from typing import Any

from rlmc.cascade.bucket import CHECKED
from rlmc.cascade.learning import kind_of
from rlmc.cascade.plan import Answer
from rlmc.cascade.session import facts_as_sent
from rlmc.domain.chat import Usage
from rlmc.domain.outcome import Outcome, Reason
from rlmc.domain.record import AuditRecord
from rlmc.domain.turn import Finding, Model
from rlmc.ledger.report import is_served
from rlmc.pricing.baseline import Alone, Shadows
from rlmc.server import keepalive
from rlmc.server.audits import Audited, Audits
from rlmc.server.books import Books, Entry, FinishedTurn
from rlmc.server.calls import Call, wall_us
from rlmc.server.decisions import Decision, facts_of, undecided
from rlmc.server.epochs import Watch
from rlmc.server.run import Run

log = logging.getLogger("rlmc.turns")

# Of a turn that was not sent: neither model alone would have used anything either, so it saves nothing.
_NOTHING = Shadows(Alone(Usage(), False), Alone(Usage(), False))


def book(this: Run, audits: Audits) -> Entry:
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
        alone, draft = _NOTHING, parts.draft_model(this.codec.name)
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
    try:
        if decision is not None and this.watch is not None and finished.epoch is not None:
            _learn(this, decision, this.watch, entry, audits)
        if decision is not None and parts.settings.keep_alive:
            _keep_warm(this, decision, entry, books)
    except Exception:
        # The turn is in the books, and must not get into them once more.
        log.exception("what follows turn %s was not begun", this.id)
    return entry


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
    if finished.audit is not None and isinstance(this.plan, Answer):
        audits.begin(
            Audited(
                session=this.session,
                turn=decision.turn,
                turnover=this.turnover,
                watch=watch,
                draft=this.plan.completion,
                drawn=finished.audit,
                marker=decision.foresight.marker,
                outline=decision.arrival.outline,
                entry=entry,
            )
        )


def _keep_warm(this: Run, decision: Decision, entry: Entry, books: Books) -> None:
    """Look after the cache the verify model has just read, until this conversation goes on. Never with a login."""
    last = next((c for c in reversed(entry.turn.calls) if c.role in ("direct", "verify") and not c.brief), None)
    turn = decision.turn
    if last is None or not last.complete or last.error is not None or turn.hints.login or this.request is None:
        return
    outline = decision.arrival.outline
    if outline.lifetime is None or decision.arrival.signals.auxiliary or not this.way(turn.verify).same:
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
    return sum([c.output_chars for c in this.turnover.calls if c.served])


def _served_model(this: Run) -> Model:
    served = next((c for c in this.turnover.calls if c.served), None)
    return served.model if served else this.means.parts.verify_model("", this.codec.name)
