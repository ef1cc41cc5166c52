"""What the ledger tells of quality: the audits and canaries of an epoch, and what may be said of it for a report.

Rule: an audit without an end counts as a loss of 1. One that is young is waiting for its end; an older one is lost, for
its daemon ended before it did.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from rlmc.cascade.obedience import obeys, strictness
from rlmc.domain.frozen import dataclass
from rlmc.ledger.queries import LedgerReader
from rlmc.ledger.report import SavingsReport
from rlmc.quality.standing import Audited, Epoch, Standing, standing

GIVEN_UP = 2 * 3600 * 1_000_000
"""After so many microseconds nothing is under way any more that could end an audit."""


@dataclass(frozen=True, slots=True)
class Aim:
    """What quality is held against: the settings `max-regression` and `confidence`, as shares."""

    max_regression: float
    confidence: float

    def target(self, policy: str) -> float:
        """A policy that is stricter aims at a part of it."""
        return self.max_regression * strictness(policy)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the epoch that most of a report's audited turns belong to; they belong to `epochs`. The epoch
    began at `began_at` (unix microseconds), and `here` of its served turns are the report's."""

    epoch: str
    standing: Standing
    stopped: bool
    epochs: int
    began_at: int
    here: int


def of_report(reader: LedgerReader, report: SavingsReport, aim: Aim, now: int) -> Known | None:
    """`now` in unix microseconds. None where no turn of the report could be audited."""
    used = [id for id, turns in report.coins.most_common() if turns]
    row = next(iter(epoch_rows(reader, used[0])), None) if used else None
    if row is None:
        return None
    turns, served = next(reader.rows("SELECT count(*), count(coin) FROM turns WHERE epoch = ?", (row.id,)))
    found = standing_of(row, turns, served, audit_rows(reader, row.id), canary_rows(reader, row.id), aim, now)
    stopped = _stopped(row.care) and obeys(row.policy)
    return Known(row.id, found, stopped, len(used), row.began_at, report.coins[row.id])


def standing_of(
    row: EpochRow,
    turns: int,
    served: int,
    audits: Sequence[AuditRow],
    canaries: Sequence[tuple[int, bool]],
    aim: Aim,
    now: int,
) -> Standing:
    """`turns` and `served` are those that are still there."""
    epoch = Epoch(
        turns=turns + row.gone_turns,
        served=served + row.gone_served,
        audits=tuple(Audited(one.probability, one.loss, _has_verdict(one, now)) for one in audits),
        planted=len(canaries),
        caught=sum(caught for _, caught in canaries),
    )
    return standing(epoch, target=aim.target(row.policy), confidence=aim.confidence, least=row.least)


# --- rows -----------------------------------------------------------------------------------------------------------


class EpochRow(NamedTuple):
    """`least` is the smallest probability a served turn may have been audited with. `care` is what the controller knew
    last, as JSON. So many of its turns are no longer there, and still count."""

    id: str
    began_at: int
    draft: str
    verify: str
    judge: str
    policy: str
    policy_version: int
    least: float
    simulated: bool
    care: str | None
    gone_turns: int
    gone_served: int


class AuditRow(NamedTuple):
    at: int
    probability: float
    bucket: str
    ended_at: int | None
    loss: float | None
    how: str | None


_EPOCHS = """
    SELECT id, began_at, draft, verify, judge, policy, policy_version, least, simulated, care, gone_turns, gone_served
    FROM epochs WHERE ? IS NULL OR id = ?
"""
_AUDITS = "SELECT at, probability, bucket, ended_at, loss, how FROM audits WHERE epoch = ? ORDER BY at"
_CANARIES = "SELECT at, caught FROM canaries WHERE epoch = ? ORDER BY at"


def epoch_rows(reader: LedgerReader, id: str | None = None) -> list[EpochRow]:
    """The one with this id, or all."""
    return [EpochRow._make(row) for row in reader.rows(_EPOCHS, (id, id))]


def audit_rows(reader: LedgerReader, epoch: str) -> list[AuditRow]:
    return [AuditRow._make(row) for row in reader.rows(_AUDITS, (epoch,))]


def canary_rows(reader: LedgerReader, epoch: str) -> list[tuple[int, bool]]:
    return [(at, bool(caught)) for at, caught in reader.rows(_CANARIES, (epoch,))]


def _has_verdict(audit: AuditRow, now: int) -> bool:
    return audit.at >= now - GIVEN_UP if audit.loss is None else audit.how != "failed"


def _stopped(care: str | None) -> bool:
    """What cannot be read stops nothing: its controller begins anew."""
    try:
        found = None if care is None else json.loads(care)
    except ValueError:
        return False
    return isinstance(found, dict) and found.get("stopped") is True
