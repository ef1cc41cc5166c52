"""economy: whole stretches on the draft model, the verify model where a session begins, a task looks hard, or a drafted
call is unsafe.

Direct: a session's first turn, the first turn of a task that looks hard (an approval is as hard as what it approves),
new images, a second failure in a row. An unsafe drafted call is released only after the verify model has accepted it on
a compact context; anything but a clear acceptance goes direct on the whole prompt.
"""

from __future__ import annotations

from rlmc.cascade.economics import Prospect
from rlmc.cascade.policies.policy import WITH_EDITS, Policy, Route, keep_route
from rlmc.cascade.signals import Signals
from rlmc.domain.effect import Effect
from rlmc.domain.outcome import Reason


def route(policy: Policy, signals: Signals, prospect: Prospect) -> Route:
    if signals.auxiliary:
        return Route("skip", Reason.AUXILIARY)
    if signals.first_in_session and policy.first_turns != "none":
        return Route("direct", Reason.FIRST_TURN)
    if signals.first_turn and policy.first_turns == "task":
        return Route("direct", Reason.FIRST_TURN)
    if signals.first_turn and signals.hard and policy.first_turns != "none":
        return Route("direct", Reason.HARD_TASK)
    if signals.media_now:
        return Route("direct", Reason.MEDIA)
    if signals.repeated_errors and policy.error_gate:
        return Route("direct", Reason.AFTER_ERROR)
    if not signals.has_tools:
        return Route("direct", Reason.UNSURE)
    if prospect.known and not prospect.pays:
        return Route("direct", Reason.UNPROFITABLE)
    return Route("skip", Reason.STRETCH)


POLICY = Policy(
    name="economy",
    meaning="stretches on the draft model; unsafe calls only after a brief verification; session starts direct",
    route=route,
    after_draft=keep_route,
    releases=WITH_EDITS,
    brief=frozenset({Effect.UNSAFE}),
    first_turns="session",
)
