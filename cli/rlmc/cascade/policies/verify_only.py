"""verify-only: the verify model answers every turn. For comparison, and to watch costs without changing anything."""

from __future__ import annotations

from rlmc.cascade.economics import Prospect
from rlmc.cascade.policies.policy import Policy, Route, keep_route
from rlmc.cascade.signals import Signals
from rlmc.domain.outcome import Reason


def route(_policy: Policy, _signals: Signals, _prospect: Prospect) -> Route:
    return Route("direct", Reason.POLICY)


POLICY = Policy(name="verify-only", meaning="the verify model answers every turn", route=route, after_draft=keep_route)
