"""What a policy is: it routes a turn before anything is asked, and once more when a draft is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from rlmc.cascade.signals import Signals
from rlmc.domain.chat import Completion
from rlmc.domain.turn import Reason

RouteKind = Literal["skip", "verify", "direct"]


@dataclass(frozen=True, slots=True)
class Route:
    kind: RouteKind
    reason: Reason


@dataclass(frozen=True, slots=True)
class Policy:
    """`route` sees the turn; `after_draft` sees the draft too, and may only be more careful than `route` was.

    Hard gates (cascade/hard_gates.py) and the gate on drafts hold in every policy and are not a policy's business.
    """

    name: str
    meaning: str
    route: Callable[[Signals], Route]
    after_draft: Callable[[Signals, Completion, Route], Route]


def keep_route(_signals: Signals, _draft: Completion, route: Route) -> Route:
    """For policies that do not look at the draft."""
    return route
