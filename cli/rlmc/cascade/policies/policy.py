"""What a policy is: it routes a turn before anything is asked, and once more when a draft is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from rlmc.cascade.economics import Prospect
from rlmc.cascade.seen import Drafted
from rlmc.cascade.signals import Signals
from rlmc.domain.effect import Effect
from rlmc.domain.frozen import dataclass
from rlmc.domain.outcome import Reason

RouteKind = Literal["skip", "verify", "brief", "direct"]
FirstTurns = Literal["task", "session", "none"]

READS = frozenset({Effect.PLAN, Effect.READ, Effect.SHELL_SAFE})
"""Effects a draft may have in any policy."""
WITH_EDITS = READS | {Effect.EDIT}


@dataclass(frozen=True, slots=True)
class Route:
    kind: RouteKind
    reason: Reason


@dataclass(frozen=True, slots=True)
class Policy:
    """`route` sees the turn; `after_draft` sees the draft too, and may only be more careful than `route` was.

    `releases` are the effects a drafted call may have without the verify model having seen it, `brief` those that may
    be released once it has accepted them on a compact context. `first_turns` says which turns open a stretch and so go
    direct; `error_gate` whether turns after a failed tool do. `version`
    changes with what the policy decides.

    `obeys` says whether what audits teach may send a turn direct; a policy of fixed rules is only watched. `strictness`
    is the share of `max-regression` that is aimed at.

    Hard gates (cascade/hard_gates.py) and the gate on drafts hold in every policy and are not a policy's business.
    """

    name: str
    meaning: str
    route: Callable[[Policy, Signals, Prospect], Route]
    after_draft: Callable[[Policy, Signals, Drafted, Prospect, Route], Route]
    releases: frozenset[Effect] = READS
    brief: frozenset[Effect] = frozenset()
    first_turns: FirstTurns = "task"
    error_gate: bool = True
    obeys: bool = True
    strictness: float = 1.0
    version: int = 1


def keep_route(_policy: Policy, _signals: Signals, _draft: Drafted, _prospect: Prospect, route: Route) -> Route:
    """For policies that do not look at the draft."""
    return route
