"""The cascade, top to bottom: one generator. It asks for calls and returns what the client should receive.

Fail open: whatever happens to a draft or a verdict, the last word is a direct relay of the client's own request.
"""

from __future__ import annotations

from typing import assert_never

from rlmc.cascade import gate
from rlmc.cascade.draft import clean_draft
from rlmc.cascade.hard_gates import hard_gate, verifiable
from rlmc.cascade.plan import (
    Answer,
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
from rlmc.cascade.policies.policy import Policy
from rlmc.cascade.signals import Signals
from rlmc.cascade.verify import VerdictReader, accept_word, judge, verify_text
from rlmc.domain.chat import Completion
from rlmc.domain.turn import Finding, Outcome, Reason, Turn


def run(turn: Turn, signals: Signals, policy: Policy) -> Cascade:
    """Decide one turn. Deterministic: the same turn, signals, policy and results give the same calls and plan."""
    blocked = hard_gate(turn, signals)
    if blocked is not None or turn.draft is None:
        return _direct(turn, blocked or Reason.NO_DRAFT_MODEL)
    route = policy.route(signals)
    if route.kind == "direct":
        return _direct(turn, route.reason)
    if route.kind == "skip" and _streams_live(turn):
        return Relay(
            Outcome.SKIPPED,
            route.reason,
            turn.draft,
            DraftRequest(turn.request),
            fallback=_direct(turn, Reason.DRAFT_FAILED),
        )
    result = yield CallModel("draft", turn.draft, DraftRequest(turn.request), turn.draft_timeout)
    match result:
        case CallFailed():
            return _direct(turn, Reason.DRAFT_FAILED, (Finding("draft-call", f"{result.kind}: {result.detail}"),))
        case Opened():
            return _direct(turn, Reason.DRAFT_FAILED)
        case Completion():
            draft = clean_draft(result, turn)
        case _:
            assert_never(result)
    findings = gate.inspect(turn.request, draft)
    if findings:
        return _direct(turn, Reason.GATE, findings)
    route = policy.after_draft(signals, draft, route)
    match route.kind:
        case "skip":
            return Answer(Outcome.SKIPPED, route.reason, draft)
        case "direct":
            return _direct(turn, route.reason)
        case "verify":
            return (yield from _verify(turn, signals, draft))
        case _:
            assert_never(route.kind)


def _verify(turn: Turn, signals: Signals, draft: Completion) -> Cascade:
    text = verify_text(draft, turn.nonce)
    if not verifiable(turn, signals, len(text)):
        return _direct(turn, Reason.LOGIN if not turn.own_calls else Reason.NOT_VERIFIABLE)
    reader = VerdictReader(accept_word(turn.nonce))
    result = yield CallModel(
        "verify",
        turn.verify,
        WithAppendix(turn.request, text),
        deadline=None,
        reader=reader.feed if turn.request.stream else None,
    )
    match result:
        case CallFailed():
            return _direct(turn, Reason.NO_VERDICT, (Finding("verify-call", f"{result.kind}: {result.detail}"),))
        case Opened():
            return Continue(Outcome.ENHANCED, Reason.VERDICT, accept_word(turn.nonce) if reader.said_word else "")
        case Completion():
            verdict, answer = judge(result, turn.nonce)
        case _:
            assert_never(result)
    match verdict:
        case "accept":
            return Answer(Outcome.ACCEPTED, Reason.VERDICT, draft)
        case "act":
            return Answer(Outcome.ENHANCED, Reason.VERDICT, answer)
        case "none":
            detail = f"stop reason {result.stop_reason!r}"
            return _direct(turn, Reason.NO_VERDICT, (Finding("verdict", detail),))
        case _:
            assert_never(verdict)


def _direct(turn: Turn, reason: Reason, findings: tuple[Finding, ...] = ()) -> Relay:
    return Relay(Outcome.DIRECT, reason, turn.verify, Original(turn.request), findings)


def _streams_live(turn: Turn) -> bool:
    """A draft may be streamed while it is written only where nothing has to be checked first, and where how it ends
    needs no more than a reason."""
    request = turn.request
    return (
        request.stream
        and not request.tools
        and request.output_schema is None
        and "stop_sequences" not in request.fields
    )
