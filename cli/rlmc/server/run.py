"""A turn under way: what it runs with, and what is known of it so far."""

from __future__ import annotations

import time
from dataclasses import field

from rlmc.cascade.plan import Plan
from rlmc.cascade.policies.policy import Policy
from rlmc.cascade.signals import Signals
from rlmc.domain.chat import ChatRequest
from rlmc.domain.frozen import dataclass
from rlmc.domain.outcome import Reason
from rlmc.domain.record import Ending
from rlmc.domain.turn import Model
from rlmc.server.books import Entry
from rlmc.server.decisions import Decision
from rlmc.server.driver import Turnover
from rlmc.server.epochs import Watch
from rlmc.server.ingress import Inbound
from rlmc.server.sessions import Means, Session
from rlmc.server.way import Way, way_to
from rlmc.views.budgets import Budget
from rlmc.wire.codec import Codec


@dataclass(slots=True)
class Run:
    """A turn under way. What is not known yet is None or a cautious guess, so that it can be booked at any moment.
    `policy` decides it: the session's, or a cheaper one because `degraded_by`, a budget, is passed. `undecided` is the
    reason of a turn without a plan, `entry` what is in the books of it."""

    session: Session
    means: Means
    inbound: Inbound
    codec: Codec
    turnover: Turnover
    id: str
    started_at: int
    policy: Policy
    degraded_by: Budget | None = None
    began: float = field(default_factory=time.monotonic)
    request: ChatRequest | None = None
    watch: Watch | None = None
    decision: Decision | None = None
    signals: Signals | None = None
    conversation: str = ""
    undecided: Reason = Reason.UNREADABLE
    ending: Ending = "client-gone"
    entry: Entry | None = None

    @property
    def plan(self) -> Plan | None:
        return self.turnover.plan

    @property
    def reason(self) -> Reason:
        return self.undecided if self.turnover.plan is None else self.turnover.plan.reason

    def way(self, model: Model) -> Way:
        return way_to(self.means.parts, self.codec, model)
