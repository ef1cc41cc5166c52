"""draft-only: the draft model answers every turn it may. The gate still holds: what it refuses goes direct."""

from __future__ import annotations

from rlmc.cascade.economics import Prospect
from rlmc.cascade.obedience import obeys
from rlmc.cascade.policies.policy import WITH_EDITS, Policy, Route, keep_route
from rlmc.cascade.signals import Signals
from rlmc.domain.outcome import Reason


def route(_policy: Policy, _signals: Signals, _prospect: Prospect) -> Route:
    return Route("skip", Reason.POLICY)


POLICY = Policy(
    name="draft-only",
    meaning="the draft model answers every turn; what the gate refuses goes direct",
    route=route,
    after_draft=keep_route,
    releases=WITH_EDITS,
    first_turns="none",
    obeys=obeys("draft-only"),
)
