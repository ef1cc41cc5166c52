"""What the ledger keeps of a decision, taken apart for showing.

Rule: it was written by some version of rlmc, not always this one, so nothing is taken for granted: what is missing, or
of another shape, is None.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from rlmc.cascade.caution import Caution
from rlmc.domain.frozen import dataclass
from rlmc.domain.outcome import Outcome
from rlmc.ledger.details import TurnDetail

EXPECTED_COSTS = ("direct", "skipped", "verified")


@dataclass(frozen=True, slots=True)
class CacheState:
    """Of a prompt's tokens those that were warm, and for how many seconds more, where that is known."""

    warm: int
    prompt: int
    left_s: float | None


@dataclass(frozen=True, slots=True)
class Marker:
    """A cache marker for a call of the verify model. `added`: a call that bears it was made."""

    block: int
    lifetime: str
    added: bool


@dataclass(frozen=True, slots=True)
class Degraded:
    """The turn ran with a cheaper policy than `policy`, because the budget `setting` was passed."""

    setting: str
    policy: str


@dataclass(frozen=True, slots=True)
class DraftSeen:
    """`effect` is the worst among its calls', `tool` the tool of the riskiest one."""

    effect: str | None
    calls: int
    chars: int
    output: int
    tool: str
    findings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KeptWatch:
    """What the turn was held against where it could be audited. `coin` was drawn evenly from 0 to 1, for an audit if
    below `probability`; `least` is the smallest one of its epoch."""

    epoch: str
    target: float
    confidence: float
    least: float
    probability: float
    coin: float


@dataclass(frozen=True, slots=True)
class KeptController:
    """What audits and calibrations had taught when the turn was decided. `watch` is None where it could not be audited.
    `gain` is what serving the draft was expected to save. `obeys` says whether the policy lets this decide."""

    watch: KeptWatch | None
    obeys: bool
    bucket: str | None
    gain: int | None
    caution: Caution


@dataclass(frozen=True, slots=True)
class KeptDecision:
    """`foresight` is what was expected, as it stands in the ledger: amounts in picodollars, chances from 0 to 1.
    `priced` says whether there were prices to expect with. `verdict` is the verify model's on the whole prompt,
    `brief_accepts` its answer on a compact context."""

    foresight: Mapping[str, Any]
    priced: bool
    verify: CacheState | None
    draft: CacheState | None
    marker: Marker | None
    seen: DraftSeen | None
    verdict: Literal["accept", "act", "none"] | None
    brief_chars: int | None
    brief_accepts: bool | None
    degraded: Degraded | None = None
    controller: KeptController | None = None

    def amount(self, name: str) -> int | None:
        value = self.foresight.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def number(self, name: str) -> float | None:
        return _number(self.foresight, name)


def kept_decision(detail: TurnDetail) -> KeptDecision | None:
    """None where no decision was kept."""
    decision = detail.decision
    if not decision:
        return None
    foresight, seen = _mapping(decision, "foresight"), _mapping(decision, "seen")
    verdict = seen.get("verdict")
    if verdict is None and detail.turn.outcome == Outcome.ENHANCED:
        verdict = "act"  # its step went through to the client as it came
    accepts = seen.get("brief_accepts")
    return KeptDecision(
        foresight=foresight,
        priced=bool(decision.get("decided_with_prices", True)),
        verify=_cache(foresight, "verify"),
        draft=_cache(foresight, "draft"),
        marker=_marker(decision.get("marker"), any(call.marked for call in detail.calls)),
        seen=_seen(_mapping(seen, "draft")),
        verdict=verdict if verdict in ("accept", "act", "none") else None,
        brief_chars=_whole(seen, "brief_chars"),
        brief_accepts=accepts if isinstance(accepts, bool) else None,
        degraded=_degraded(decision.get("degraded")),
        controller=_controller(_mapping(decision, "controller")),
    )


def _cache(foresight: Mapping[str, Any], side: str) -> CacheState | None:
    warm, prompt = _whole(foresight, f"{side}_warm"), _whole(foresight, f"{side}_prompt")
    if warm is None or prompt is None:
        return None
    return CacheState(warm, prompt, _number(foresight, f"{side}_left_s"))


def _marker(kept: object, added: bool) -> Marker | None:
    match kept:
        case [int(block), str(lifetime)]:
            return Marker(block, lifetime, added)
    return None


def _degraded(kept: object) -> Degraded | None:
    match kept:
        case [str(setting), str(policy)]:
            return Degraded(setting, policy)
    return None


def _controller(kept: Mapping[str, Any]) -> KeptController | None:
    try:
        watch = None
        if "epoch" in kept:
            watch = KeptWatch(
                epoch=str(kept["epoch"]),
                target=float(kept["target"]),
                confidence=float(kept["confidence"]),
                least=float(kept["least"]),
                probability=float(kept["probability"]),
                coin=float(kept["coin"]),
            )
        return KeptController(
            watch=watch,
            obeys=bool(kept["obeys"]),
            bucket=kept.get("bucket"),
            gain=_whole(kept, "gain"),
            caution=Caution.from_record(kept["caution"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _seen(draft: Mapping[str, Any]) -> DraftSeen | None:
    if not draft:
        return None
    effect, tool, findings = draft.get("effect"), draft.get("tool"), draft.get("findings")
    return DraftSeen(
        effect=effect if isinstance(effect, str) else None,
        calls=_whole(draft, "calls") or 0,
        chars=_whole(draft, "chars") or 0,
        output=_whole(draft, "output") or 0,
        tool=tool if isinstance(tool, str) else "",
        findings=tuple(str(one) for one in findings) if isinstance(findings, list) else (),
    )


def _mapping(kept: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = kept.get(name)
    return value if isinstance(value, dict) else {}


def _number(kept: Mapping[str, Any], name: str) -> float | None:
    value = kept.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _whole(kept: Mapping[str, Any], name: str) -> int | None:
    value = _number(kept, name)
    return None if value is None else round(value)
