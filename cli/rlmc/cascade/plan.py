"""The vocabulary between the cascade and whoever drives it.

The cascade never calls a model. It yields a `CallModel`, is sent a `CallResult`, and returns a `Plan`. Failures are
values; a driver never throws into the generator.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Literal

from rlmc.domain.chat import ChatRequest, Completion, Delta
from rlmc.domain.frozen import dataclass
from rlmc.domain.layout import Mark
from rlmc.domain.outcome import Outcome, Reason
from rlmc.domain.turn import Finding, Model

# --- what to send -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Original:
    """The client's own bytes, at most with `model` replaced and one cache marker added."""

    request: ChatRequest
    marker: Mark | None = None


@dataclass(frozen=True, slots=True)
class DraftRequest:
    """The conversation as the draft model may see it: no foreign thinking, no fields its provider does not know."""

    request: ChatRequest


@dataclass(frozen=True, slots=True)
class WithAppendix:
    """The client's own bytes with one more user text at the very end of the conversation. A `marker` is one more cache
    marker; without it the call is the same, but may find less of the prompt in the cache."""

    request: ChatRequest
    text: str
    marker: Mark | None = None


@dataclass(frozen=True, slots=True)
class BriefRequest:
    """A question of rlmc's own: one instruction and one text, and nothing of the conversation but what is in it.
    `request` is the client's, on whose behalf it is asked."""

    request: ChatRequest
    system: str
    text: str


CallRequest = Original | DraftRequest | WithAppendix | BriefRequest

# --- asking -------------------------------------------------------------------------------------------------------

Reading = Literal["undecided", "stop", "diverged"]
StreamReader = Callable[[Delta], Reading]


@dataclass(frozen=True, slots=True)
class CallModel:
    """Ask `target`. `deadline` is in seconds from now until the whole answer, None for no limit. The last two roles are
    those of calls that follow a turn.

    With a `reader` the driver feeds it every event; as soon as it answers "diverged" the driver stops reading and
    hands back `Opened` with the call still running. Without one the driver reads to the end.
    """

    role: Literal["draft", "verify", "audit", "judge"]
    target: Model
    request: CallRequest
    deadline: float | None
    reader: StreamReader | None = None


@dataclass(frozen=True, slots=True)
class CallFailed:
    """The call gave no answer: unreachable, an error status, too slow, or bytes that are no answer; or it was not made,
    as its model is `paused`."""

    kind: Literal["unreachable", "status", "timeout", "wire", "stream", "refused", "paused"]
    detail: str


@dataclass(frozen=True, slots=True)
class Opened:
    """The call is running and has begun an answer of its own; it can be streamed from here on."""


CallResult = Completion | CallFailed | Opened

# --- answering ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answer:
    """Send this finished completion. It is a draft (skipped, accepted) or the verify model's (enhanced)."""

    outcome: Outcome
    reason: Reason
    completion: Completion
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Relay:
    """Make this call and stream it through: the verify model alone (direct)."""

    outcome: Outcome
    reason: Reason
    target: Model
    request: CallRequest
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Continue:
    """Stream on the call that came back `Opened` (enhanced), from its first event, thinking taken out.

    `drop_prefix` is text to take off the front of the answer: the accept word a verifier wrote before going on.
    """

    outcome: Outcome
    reason: Reason
    drop_prefix: str = ""
    findings: tuple[Finding, ...] = ()


Plan = Answer | Relay | Continue
Cascade = Generator[CallModel, CallResult, Plan]
