"""What a calibration came to: for each kind of draft how many were compared, how many were worse, and what follows.

Rule: money is the ledger's. A kind that transcripts hold nothing of is not spoken of: it is as it was before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from rlmc.calibrate.compare import SERVED, Label
from rlmc.cascade.bucket import BUCKETS, CHECKED, SIDE
from rlmc.domain.effect import Effect
from rlmc.domain.frozen import dataclass
from rlmc.ledger.care import Calibration
from rlmc.ledger.report import Amount
from rlmc.quality.opening import Labels, Opening, limit_of, needed, openings
from rlmc.views.stats_data import Data

TESTED: tuple[str, ...] = tuple(bucket for bucket in BUCKETS if bucket not in (SIDE, CHECKED, Effect.UNSAFE.value))
"""In the order of the test. Transcripts hold no side calls, and no policy serves unsafe calls that nobody has seen."""


@dataclass(frozen=True, slots=True)
class CalibrationReport:
    """`not_served` counts drafts that would never have been served, by why; `unanswered` states by what kept them from
    a label, `unusable` those that could not be built again. `paid` is what both sessions have cost so far."""

    draft: str
    verify: str
    simulated: bool
    at: int
    target: float
    confidence: float
    openings: tuple[Opening, ...]
    not_served: Mapping[str, int]
    unanswered: Mapping[str, int]
    unusable: int
    paid: Amount
    sessions: tuple[str, ...]

    @property
    def limit(self) -> float:
        return limit_of(self.target)

    @property
    def needed(self) -> int:
        return needed(self.limit, self.confidence)

    @property
    def opened(self) -> list[str]:
        return [one.labels.bucket for one in self.openings if one.opened]


def decide(labels: Sequence[Label], target: float, confidence: float) -> tuple[Opening, ...]:
    """`target` is the share of turns that may be worse."""
    return openings([_labels_of(bucket, labels) for bucket in TESTED], limit_of(target), confidence)


def not_served(labels: Sequence[Label]) -> dict[str, int]:
    found = Counter(label.how for label in labels if label.how not in SERVED)
    return dict(sorted(found.items()))


def rows(found: Sequence[Opening], at: int) -> list[Calibration]:
    """For the ledger."""
    return [Calibration(one.labels.bucket, at, one.labels.count, one.labels.loss, one.opened) for one in found]


def _labels_of(bucket: str, labels: Sequence[Label]) -> Labels:
    losses = [label.loss for label in labels if label.bucket == bucket and label.loss is not None]
    return Labels(bucket, len(losses), sum(loss > 0 for loss in losses), sum(losses))


# --- as data ----------------------------------------------------------------------------------------------------------


def calibration_data(report: CalibrationReport) -> Data:
    return {
        "draft_model": report.draft,
        "verify_model": report.verify,
        "simulated": report.simulated,
        "at": report.at,
        "target": report.target,
        "limit": report.limit,
        "confidence": report.confidence,
        "labels_needed": report.needed,
        "buckets": [
            {
                "bucket": one.labels.bucket,
                "labels": one.labels.count,
                "worse": one.labels.worse,
                "loss": one.labels.loss,
                "bound": one.bound,
                "verdict": one.verdict,
                "opened": one.opened,
            }
            for one in report.openings
        ],
        "not_served": dict(report.not_served),
        "unanswered": dict(report.unanswered),
        "unusable": report.unusable,
        "paid_picodollars": report.paid.known,
        "unpriced_calls": report.paid.missing,
        "sessions": list(report.sessions),
    }
