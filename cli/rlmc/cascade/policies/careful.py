"""careful: as balanced, but no drafted edits, every closing text verified, and half the regressions."""

from __future__ import annotations

from rlmc.cascade.economics import Prospect
from rlmc.cascade.obedience import strictness
from rlmc.cascade.policies import balanced
from rlmc.cascade.policies.policy import READS, Policy, Route
from rlmc.cascade.seen import Drafted
from rlmc.cascade.signals import Signals
from rlmc.domain.outcome import Reason


def after_draft(_policy: Policy, signals: Signals, draft: Drafted, prospect: Prospect, route: Route) -> Route:
    if signals.auxiliary or draft.calls:
        return route
    reason = Reason.LONG_DRAFT if draft.chars >= balanced.LONG_DRAFT_CHARS else Reason.TERMINAL
    return balanced.check(reason, draft, prospect)


POLICY = Policy(
    name="careful",
    meaning="as balanced, without drafted edits, and with every closing text verified",
    route=balanced.route,
    after_draft=after_draft,
    releases=READS,
    strictness=strictness("careful"),
)
