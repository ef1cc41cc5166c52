"""What audits have taught, as far as it decides a turn: the price of a regression and how likely each kind of draft is
to be one.

Rule: plain values, fixed before anything is asked of a model, so that a turn is decided again from its record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from rlmc.cascade.bucket import SIDE
from rlmc.domain.frozen import dataclass
from rlmc.domain.money import Picodollars
from rlmc.domain.outcome import Reason


@dataclass(frozen=True, slots=True)
class Caution:
    """`price` is that of one regression in usual costs of a direct turn, `usual_cost` such a cost where it is known.
    `risks` are expected losses by bucket, from 0 to 1, `usual_risk` that of all others. Drafts of `shut` buckets are
    not served. `closed` says why no draft is served at all."""

    price: float = 0.0
    usual_cost: Picodollars | None = None
    risks: Mapping[str, float] = field(default_factory=dict)
    usual_risk: float = 0.0
    shut: frozenset[str] = frozenset()
    closed: Reason | None = None

    def risk(self, bucket: str) -> float:
        return self.risks.get(bucket, self.usual_risk)

    def threshold(self, bucket: str, direct: Picodollars | None) -> Picodollars | None:
        """What serving a draft of this bucket has to save at least. `direct` is what the turn itself would cost: a side
        call that goes wrong costs no more than itself, a step of the work may cost others."""
        cost = direct if bucket == SIDE else self.usual_cost
        return None if cost is None else round(cost * self.price * self.risk(bucket))

    def lets(self, bucket: str, gain: Picodollars | None, direct: Picodollars | None) -> bool:
        """Whether a draft may be served that is expected to save `gain`; what is unknown lets it."""
        if self.closed is not None or bucket in self.shut:
            return False
        threshold = self.threshold(bucket, direct)
        return gain is None or threshold is None or gain >= threshold

    def record(self) -> dict[str, Any]:
        return {
            "price": self.price,
            "usual_cost": self.usual_cost,
            "risks": dict(self.risks),
            "usual_risk": self.usual_risk,
            "shut": sorted(self.shut),
            "closed": None if self.closed is None else self.closed.value,
        }

    @classmethod
    def from_record(cls, kept: Mapping[str, Any]) -> Caution:
        closed = kept["closed"]
        return cls(
            price=float(kept["price"]),
            usual_cost=kept["usual_cost"],
            risks={str(bucket): float(risk) for bucket, risk in kept["risks"].items()},
            usual_risk=float(kept["usual_risk"]),
            shut=frozenset(kept["shut"]),
            closed=None if closed is None else Reason(closed),
        )


FREE = Caution()
"""Where nothing was learnt: all that the policy lets."""
