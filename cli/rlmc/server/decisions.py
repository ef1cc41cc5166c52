"""What the ledger keeps of a decision: enough to make it again without the conversation, and nothing of its content."""

from __future__ import annotations

import time
from typing import Any

from rlmc.cascade.bucket import bucket_of
from rlmc.cascade.caution import FREE, Caution
from rlmc.cascade.session import Arrival, Foresight
from rlmc.domain.chat import Usage
from rlmc.domain.frozen import dataclass
from rlmc.domain.outcome import Outcome
from rlmc.domain.outline import Outline
from rlmc.domain.record import DECISION_FORMAT
from rlmc.domain.turn import Turn
from rlmc.pricing.baseline import Alone, Shadows, TurnFacts
from rlmc.server.books import billed_usage
from rlmc.server.calls import Call
from rlmc.server.epochs import Watch
from rlmc.server.observed import ObservedReading


@dataclass(slots=True)
class Decision:
    """A turn's, as it goes along. `arrived` and `finished` are its places in the session's order of events. `degraded`:
    the budget that was passed, and the policy that would have decided. `watch` is there where drafts are audited;
    `caution` is what they have to reckon with, audited or not."""

    turn: Turn
    arrival: Arrival
    foresight: Foresight
    reading: ObservedReading
    epoch: str
    arrived: int
    config: str
    priced: bool
    degraded: tuple[str, str] | None = None
    finished: int = 0
    watch: Watch | None = None
    caution: Caution = FREE

    @property
    def bucket(self) -> str:
        """Of the draft, as far as it was looked at."""
        seen = self.reading.drafted
        return bucket_of(auxiliary=self.arrival.signals.auxiliary, effect=None if seen is None else seen.effect)

    def record(self, facts: TurnFacts) -> dict[str, Any]:
        turn = self.turn
        return {
            "format": DECISION_FORMAT,
            "epoch": self.epoch,
            "events": [self.arrived, self.finished],
            "mono_s": round(time.monotonic(), 6),
            "policy_version": self.arrival.policy.version,
            "config": self.config,
            "decided_with_prices": self.priced,
            "degraded": self.degraded,
            "setup": {
                "verify": [turn.verify.provider, turn.verify.name],
                "draft": None if turn.draft is None else [turn.draft.provider, turn.draft.name],
                "verify_context": turn.verify_context,
                "draft_context": turn.draft_abilities.context,
                "draft_media": turn.draft_abilities.media,
                "draft_block": None if turn.draft_block is None else turn.draft_block.value,
                "own_calls": turn.own_calls,
                "draft_timeout": turn.draft_timeout,
                "auto_mode_local": turn.auto_mode_local,
                "brief_tokens": turn.brief_tokens,
            },
            "outline": write_outline(self.arrival.outline),
            "marker": self.foresight.marker,
            "foresight": self.foresight.record(),
            "seen": self.reading.record(),
            "kind": facts.kind,
            "answer_chars": facts.answer_chars,
            "draws": {"nonce": turn.nonce},
            "controller": None if self.caution is FREE else self._controller(),
        }

    def _controller(self) -> dict[str, Any]:
        policy, seen, prospect = self.arrival.policy, self.reading.drafted, self.foresight.prospect
        gain = prospect.gain if seen is None else prospect.gain_of(seen.output)
        found = {"obeys": policy.obeys, "bucket": self.bucket, "gain": gain, "caution": self.caution.record()}
        return found if self.watch is None else self.watch.record() | found


def write_outline(outline: Outline) -> dict[str, Any]:
    places = [[p.key.hex(), p.block, p.position, p.size, p.mark] for p in outline.places]
    return {"places": places, "markers": outline.markers}


def facts_of(
    arrival: Arrival, outcome: Outcome, calls: tuple[Call, ...], kind: str | None, answer_chars: int
) -> TurnFacts:
    """The finished turn as the books need it. Brief verifications leave the conversation's caches alone."""
    verify: list[Usage | None] = []
    asked_draft, draft, appended, measured, brief = False, None, 0, True, 0
    for call in calls:
        usage, estimated = billed_usage(call)
        if call.brief:
            brief += 0 if usage is None else usage.prompt
        elif call.role in ("verify", "direct"):
            verify.append(usage)
            appended = max(appended, call.appended_chars)
            measured = measured and not estimated
        elif call.role == "draft" and call.sent:
            asked_draft, draft = True, usage
    return TurnFacts(
        at=arrival.at,
        outcome=outcome,
        verify=arrival.verify,
        draft_model=arrival.draft,
        outline=arrival.outline,
        verify_calls=tuple(verify),
        asked_draft=asked_draft,
        draft=draft,
        appended_chars=appended,
        kind=kind,
        answer_chars=answer_chars,
        measured=measured,
        brief_prompt=brief,
    )


def undecided(calls: tuple[Call, ...]) -> Shadows:
    """Of a turn that was passed on as it came: what was measured is the baseline."""
    verify = [c for c in calls if c.role != "draft"]
    usage, estimated = billed_usage(verify[-1]) if verify else (Usage(), False)
    return Shadows(Alone(usage, estimated or usage is None), Alone(None, True))
