"""Sessions, turns and calls for the ledger's tests, with everything that does not matter filled in."""

from __future__ import annotations

from itertools import count

from tests.support.prices import OPUS, START

from rlmc.domain.chat import Usage
from rlmc.domain.outcome import Outcome, Reason
from rlmc.domain.record import CallRecord, CallRole, Ending, SessionRecord, TurnRecord
from rlmc.domain.turn import Model

_numbers = count()
CENT = 10**10
USAGE = Usage(input=10, cache_read=80, cache_write_5m=10, output=5)


def session(
    id: str = "s1", *, started_at: int = START, simulated: bool = False, name: str | None = None
) -> SessionRecord:
    return SessionRecord(
        id=id,
        started_at=started_at,
        client="claude",
        name=name,
        directory="/home/ada/project",
        git_branch="main",
        draft_model="anthropic/claude-haiku-5-5",
        verify_model=None,
        version="0.1.0",
        simulated=simulated,
    )


def call(
    role: CallRole = "direct",
    *,
    model: Model = OPUS,
    cost: int | None = CENT,
    usage: Usage | None = USAGE,
    served: bool = True,
    latency_ms: float = 2000.0,
    estimated: bool = False,
) -> CallRecord:
    return CallRecord(
        role=role,
        provider=model.provider,
        model=model.name,
        started_at=START,
        ttfb_ms=300.0,
        latency_ms=latency_ms,
        status=200,
        error=None,
        usage=usage,
        usage_estimated=estimated,
        cost=cost,
        price_source="test list",
        stop_reason="end_turn",
        served=served,
    )


def turn(
    *calls: CallRecord,
    id: str | None = None,
    session: str = "s1",
    at: int = START,
    outcome: Outcome = Outcome.DIRECT,
    reason: Reason = Reason.UNSURE,
    baseline: int | None = CENT,
    estimated: bool = False,
    latency_ms: float = 2100.0,
    ending: Ending = "complete",
    served_model: str = "anthropic/claude-opus-5-5",
    request_body: bytes | None = None,
    answer_body: bytes | None = None,
) -> TurnRecord:
    return TurnRecord(
        id=id or f"t{next(_numbers):06d}",
        session_id=session,
        conversation="c1",
        started_at=at,
        protocol="anthropic",
        request_class="main",
        requested_model="claude-opus-5-5",
        served_model=served_model,
        policy="balanced",
        outcome=outcome,
        reason=reason,
        ending=ending,
        status=200,
        ttfb_ms=310.0,
        latency_ms=latency_ms,
        baseline=baseline,
        baseline_estimated=estimated,
        signals={"prompt_chars": 1234, "after": "read", "first": False},
        findings=(),
        calls=calls or (call(),),
        request_body=request_body,
        answer_body=answer_body,
    )
