"""What the ledger keeps of a session, a turn and a call: counts, costs, outcomes, reasons. Never prompts or answers.

Rule: what somebody else said, a provider's error or a draft's own words in a finding, is redacted by the record itself,
so that no way of keeping one keeps a secret.

Times are unix microseconds (wall clock), durations milliseconds (monotonic clock), money picodollars.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Literal

from rlmc.domain.chat import Usage
from rlmc.domain.frozen import dataclass
from rlmc.domain.money import Picodollars
from rlmc.domain.outcome import Outcome, Reason
from rlmc.domain.redaction import redact_foreign

CallRole = Literal["draft", "verify", "direct", "keepalive", "audit", "judge"]
# What ends nearly every call: looking through it for secrets would cost each turn more than keeping it.
_OUR_WORDS = frozenset({"end_turn", "tool_use", "max_tokens", "stop_sequence", "refusal"})
DECISION_FORMAT = 1
"""Of `TurnRecord.decision`; another number is of another version."""
MARKER_REFUSED = "marker-refused"
"""The error of a call whose added cache marker the provider would not take; it was made once more without."""
Ending = Literal["complete", "client-gone", "upstream-error", "error"]


AuditEnding = Literal["same", "judged", "failed"]
"""How an audit ended: both answers come to the same, a judge compared them, or there was no verdict to be had."""


@dataclass(frozen=True, slots=True)
class EpochRecord:
    """What quality is told of: all turns of one draft, verify and judge model, policy and audit rate. `least` is the
    smallest probability with which a draft that was served may have been audited. The id follows from all others but
    `began_at`."""

    id: str
    began_at: int
    draft: str
    verify: str
    judge: str
    policy: str
    policy_version: int
    least: float
    simulated: bool


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """An audit that was drawn. `probability` was fixed before; until the audit has ended it counts as a loss of 1."""

    at: int
    probability: float
    bucket: str


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """One `rlmc run`, or one use of the daemon without it. `simulated`: a model of the embedded kind takes part."""

    id: str
    started_at: int
    client: str
    name: str | None = None
    directory: str | None = None
    git_branch: str | None = None
    policy: str = "balanced"
    draft_model: str | None = None
    verify_model: str | None = None
    version: str = ""
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One model call. `usage` is None when the provider sent none and nothing could be estimated;
    `usage_estimated` when the stream broke off and the rest was reckoned; `cost` is None when unknown. `brief` marks a
    verification on a compact context. `details` is what a replay of the decision needs to know of the call."""

    role: CallRole
    provider: str
    model: str
    started_at: int
    ttfb_ms: float | None
    latency_ms: float
    status: int | None
    error: str | None
    usage: Usage | None
    usage_estimated: bool
    cost: Picodollars | None
    price_source: str | None
    stop_reason: str | None
    served: bool  # what the client received came from this call
    brief: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.error is not None and self.error not in _OUR_WORDS:
            object.__setattr__(self, "error", redact_foreign(self.error))
        if self.stop_reason is not None and self.stop_reason not in _OUR_WORDS:
            object.__setattr__(self, "stop_reason", redact_foreign(self.stop_reason))


@dataclass(frozen=True, slots=True)
class TurnRecord:
    """One turn. `baseline` is what the verify model alone would have cost on this turn with the cache state a
    verify-only session would have had; `baseline_estimated` when any part of it is not a measured figure. How far an
    estimate may be off: `baseline_bias` (picodollars, 95 %) adds up over turns, of `baseline_noise` (a variance) the
    root is taken of the sum. `draft_only` is what the draft model alone would have cost.
    `status` is the HTTP status the client received. `signals` are the facts the router saw, `decision` everything else
    it takes to decide the turn again; both JSON-able. `epoch` is there where drafts are audited, `coin` (a probability)
    where a draft answered, `audit` where the coin fell on one."""

    id: str
    session_id: str
    conversation: str
    started_at: int
    protocol: str
    request_class: str
    requested_model: str
    served_model: str
    policy: str
    outcome: Outcome
    reason: Reason
    ending: Ending
    status: int | None
    ttfb_ms: float | None
    latency_ms: float
    baseline: Picodollars | None
    baseline_estimated: bool
    baseline_bias: float = 0.0
    baseline_noise: float = 0.0
    draft_only: Picodollars | None = None
    decision: Mapping[str, Any] | None = None
    signals: dict[str, str | int | float | bool | None] = field(default_factory=dict)
    findings: tuple[str, ...] = ()
    calls: tuple[CallRecord, ...] = ()
    epoch: EpochRecord | None = None
    coin: float | None = None
    audit: AuditRecord | None = None
    # Only with `log-content` on: the request's body and the answer as the client got it.
    request_body: bytes | None = None
    answer_body: bytes | None = None

    def __post_init__(self) -> None:
        if self.findings:
            object.__setattr__(self, "findings", tuple(map(redact_foreign, self.findings)))
