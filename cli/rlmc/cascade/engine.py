"""The cascade, top to bottom: one generator. It asks for calls and returns what the client should receive.

Fail open: whatever happens to a draft or a verdict, the last word is a direct relay of the client's own request.
"""

from __future__ import annotations

from typing import assert_never

from rlmc.cascade.bucket import bucket_of
from rlmc.cascade.caution import FREE, Caution
from rlmc.cascade.economics import Prospect
from rlmc.cascade.hard_gates import hard_gate, verifiable
from rlmc.cascade.plan import (
    Answer,
    BriefRequest,
    CallFailed,
    CallModel,
    Cascade,
    Continue,
    DraftRequest,
    Opened,
    Original,
    Relay,
    WithAppendix,
)
from rlmc.cascade.policies.policy import Policy, Route
from rlmc.cascade.reading import CONTENT, Reading
from rlmc.cascade.seen import Drafted
from rlmc.cascade.signals import Signals
from rlmc.cascade.verify import VerdictReader, accept_word
from rlmc.domain.chat import Completion
from rlmc.domain.frozen import dataclass
from rlmc.domain.layout import Lifetime
from rlmc.domain.outcome import Outcome, Reason
from rlmc.domain.turn import Finding, Turn

# Times the usual length: few answers are longer.
_LONG = 5


@dataclass(frozen=True, slots=True)
class _Case:
    turn: Turn
    signals: Signals
    prospect: Prospect
    policy: Policy
    marker: tuple[int, Lifetime] | None
    reading: Reading
    caution: Caution


def run(
    turn: Turn,
    signals: Signals,
    prospect: Prospect,
    policy: Policy,
    marker: tuple[int, Lifetime] | None = None,
    reading: Reading = CONTENT,
    caution: Caution = FREE,
) -> Cascade:
    """Decide one turn. Deterministic: the same arguments and results give the same calls and plan.

    `marker` is the cache marker a call of the verify model on the whole prompt is given, `caution` what audits teach.
    """
    case = _Case(turn, signals, prospect, policy, marker, reading, caution if policy.obeys else FREE)
    blocked = hard_gate(turn, signals)
    if blocked is not None or turn.draft is None:
        return _direct(case, blocked or Reason.NO_DRAFT_MODEL)
    route = policy.route(policy, signals, prospect)
    if route.kind == "direct":
        return _direct(case, route.reason)
    if case.caution.closed is not None:
        return _direct(case, case.caution.closed)
    if route.kind == "skip" and not _may_serve(case):
        return _direct(case, Reason.REGRESSION)
    result = yield CallModel("draft", turn.draft, DraftRequest(turn.request), turn.draft_timeout)
    match result:
        case CallFailed():
            return _direct(case, Reason.DRAFT_FAILED, (Finding("draft-call", f"{result.kind}: {result.detail}"),))
        case Opened():
            return _direct(case, Reason.DRAFT_FAILED)
        case Completion():
            draft, seen = reading.draft(turn, result)
        case _:
            assert_never(result)
    if seen.findings:
        return _direct(case, Reason.GATE, seen.findings)
    route = _after_draft(case, seen, route)
    match route.kind:
        case "skip":
            return Answer(Outcome.SKIPPED, route.reason, draft)
        case "direct":
            findings = (_effect(seen),) if route.reason is Reason.GATE else ()
            return _direct(case, route.reason, findings)
        case "verify":
            return (yield from _verify(case, draft))
        case "brief":
            return (yield from _brief(case, draft))
        case _:
            assert_never(route.kind)


def _may_serve(case: _Case) -> bool:
    """Whether a draft of any kind could be worth its risk: none is paid for that could not. How long it will be is not
    known yet, so a long one is reckoned with."""
    signals, prospect = case.signals, case.prospect
    if case.caution is FREE and not signals.auxiliary:
        return True  # nothing was learnt of the work's own steps
    effects = (None, *case.policy.releases)
    kinds = {bucket_of(auxiliary=signals.auxiliary, effect=effect) for effect in effects}
    gain = prospect.gain_of(round(_LONG * prospect.output))
    return any(case.caution.lets(kind, gain, prospect.direct) for kind in kinds)


def _after_draft(case: _Case, seen: Drafted, route: Route) -> Route:
    """What a drafted call could do decides before the policy does, and what audits have taught after it: of drafts that
    no other model is to see."""
    policy = case.policy
    if seen.effect is not None and seen.effect not in policy.releases:
        if seen.effect not in policy.brief:
            return Route("direct", Reason.GATE)
        brief, direct = case.prospect.brief_verification(seen.output), case.prospect.answering(seen.output)
        worth = brief is None or direct is None or brief < direct
        return Route("brief" if worth else "direct", Reason.GATE)
    route = policy.after_draft(policy, case.signals, seen, case.prospect, route)
    if route.kind != "skip" or (case.caution is FREE and not case.signals.auxiliary):
        return route
    bucket = bucket_of(auxiliary=case.signals.auxiliary, effect=seen.effect)
    gain = case.prospect.gain_of(seen.output)
    return route if case.caution.lets(bucket, gain, case.prospect.direct) else Route("direct", Reason.REGRESSION)


def _effect(seen: Drafted) -> Finding:
    return Finding("effect", f"{seen.tool or 'a call'}: {seen.effect}")


def _verify(case: _Case, draft: Completion) -> Cascade:
    turn = case.turn
    text = case.reading.appendix(turn, draft)
    if not verifiable(turn, case.signals, len(text)):
        return _direct(case, Reason.LOGIN if not turn.own_calls else Reason.NOT_VERIFIABLE)
    reader = VerdictReader(accept_word(turn.nonce))
    result = yield CallModel(
        "verify",
        turn.verify,
        WithAppendix(turn.request, text, case.marker),
        deadline=None,
        reader=reader.feed if case.signals.stream else None,
    )
    match result:
        case CallFailed():
            return _direct(case, Reason.NO_VERDICT, (Finding("verify-call", f"{result.kind}: {result.detail}"),))
        case Opened():
            return Continue(Outcome.ENHANCED, Reason.VERDICT, accept_word(turn.nonce) if reader.said_word else "")
        case Completion():
            verdict, answer = case.reading.verdict(turn, result)
        case _:
            assert_never(result)
    match verdict:
        case "accept":
            return Answer(Outcome.ACCEPTED, Reason.VERDICT, draft)
        case "act":
            return Answer(Outcome.ENHANCED, Reason.VERDICT, answer)
        case "none":
            detail = f"stop reason {result.stop_reason!r}"
            return _direct(case, Reason.NO_VERDICT, (Finding("verdict", detail),))
        case _:
            assert_never(verdict)


def _brief(case: _Case, draft: Completion) -> Cascade:
    """Ask the verify model on a compact context. Only a clear acceptance counts; the rest goes direct."""
    turn = case.turn
    brief = case.reading.brief(turn, draft) if turn.own_calls else None
    if brief is None:
        return _direct(case, Reason.LOGIN if not turn.own_calls else Reason.BRIEF_REFUSED)
    ask = BriefRequest(turn.request, brief.system, brief.text)
    result = yield CallModel("verify", turn.verify, ask, turn.draft_timeout)
    match result:
        case CallFailed():
            finding = Finding("brief-call", f"{result.kind}: {result.detail}")
            return _direct(case, Reason.BRIEF_REFUSED, (finding,))
        case Opened():
            return _direct(case, Reason.BRIEF_REFUSED)
        case Completion():
            if case.reading.brief_accepts(turn, result):
                return Answer(Outcome.ACCEPTED, Reason.BRIEF, draft)
            return _direct(case, Reason.BRIEF_REFUSED)
        case _:
            assert_never(result)


def _direct(case: _Case, reason: Reason, findings: tuple[Finding, ...] = ()) -> Relay:
    turn = case.turn
    return Relay(Outcome.DIRECT, reason, turn.verify, Original(turn.request, case.marker), findings)
