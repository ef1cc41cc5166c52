"""Every epoch there is with all that is known of it, for who wants to see more than a line.

Rule: real epochs; simulated ones only where there is nothing real, or where they are asked for.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from rlmc.cascade.bucket import BUCKETS
from rlmc.cascade.obedience import obeys
from rlmc.domain.frozen import dataclass
from rlmc.ledger.care import Calibration, kept_calibrations
from rlmc.ledger.quality import Aim, AuditRow, EpochRow, audit_rows, canary_rows, epoch_rows, standing_of
from rlmc.ledger.queries import LedgerReader
from rlmc.quality.care import Care
from rlmc.quality.course import AuditCourse, Course, first_certified
from rlmc.quality.standing import Standing


@dataclass(frozen=True, slots=True)
class BucketQuality:
    """Audits of one kind of drafts. `open` have not ended, or never will; `loss` counts those as 1."""

    bucket: str
    audits: int
    open: int
    worse: int
    loss: float


@dataclass(frozen=True, slots=True)
class Loss:
    """A turn whose audit found it worse; `loss` is 1 where that was material."""

    turn: str
    at: int
    bucket: str
    loss: float


@dataclass(frozen=True, slots=True)
class EpochQuality:
    """`certified_at` is when the bound first met the target, or earlier where turns were `removed` from the ledger.
    `losses` are the last ones among turns that are still there, newest first. `care` is what its controller knew last;
    None where nothing is kept, or nothing that can be read."""

    row: EpochRow
    last_at: int | None
    removed: int
    standing: Standing
    certified_at: int | None
    buckets: tuple[BucketQuality, ...]
    losses: tuple[Loss, ...]
    care: Care | None
    calibrations: tuple[Calibration, ...]

    @property
    def stopped(self) -> bool:
        """Whether no draft is served until the user has looked."""
        return self.care is not None and self.care.stopped and obeys(self.row.policy)


@dataclass(frozen=True, slots=True)
class Unaudited:
    """Turns that a draft answered of which none could be audited."""

    turns: int = 0
    sessions: int = 0
    first_at: int | None = None
    last_at: int | None = None


@dataclass(frozen=True, slots=True)
class Quality:
    """The epochs of one kind, real or simulated, the one that was used last first; those of the other kind are only
    counted, in `left_out`."""

    epochs: tuple[EpochQuality, ...]
    unaudited: Unaudited
    simulated: bool
    left_out: int


_SERVED = "SELECT started_at FROM turns WHERE epoch = ? AND coin IS NOT NULL ORDER BY started_at"
_ANY_SERVED = "SELECT 1 FROM turns WHERE epoch = ? AND coin IS NOT NULL LIMIT 1"
_TURNS = "SELECT started_at FROM turns WHERE epoch = ? ORDER BY started_at"
_LOSSES = """
    SELECT turn_id, at, bucket, loss FROM audits
    WHERE epoch = ? AND loss > 0 AND how = 'judged' AND turn_id IN (SELECT id FROM turns) ORDER BY at DESC LIMIT 8
"""
# The last that is known of a turn that is no longer there.
_LAST_GONE = """
    SELECT max(at) FROM (
        SELECT turn_id, at FROM audits WHERE epoch = ? UNION ALL SELECT turn_id, at FROM canaries WHERE epoch = ?
    ) WHERE turn_id NOT IN (SELECT id FROM turns)
"""
_UNAUDITED = """
    SELECT count(*), count(DISTINCT session_id), min(started_at), max(started_at) FROM turns
    WHERE epoch IS NULL AND (outcome = 'skipped' OR (outcome = 'accepted' AND reason = 'brief'))
        AND (session_id IN (SELECT id FROM sessions WHERE simulated <> 0)) = ?
"""
_REAL = "SELECT 1 FROM turns WHERE session_id NOT IN (SELECT id FROM sessions WHERE simulated <> 0) LIMIT 1"


def quality(reader: LedgerReader, aim: Aim, now: int, *, simulated: bool = False) -> Quality:
    """`now` in unix microseconds; `simulated` asks for simulated epochs."""
    with reader.snapshot():
        rows = epoch_rows(reader)
        real = any(not row.simulated for row in rows) or any(True for _ in reader.rows(_REAL, ()))
        kind = simulated or not real
        chosen = [row for row in rows if bool(row.simulated) == kind and _drafted(reader, row)]
        calibrated = kept_calibrations(reader)
        found = [_epoch(reader, row, aim, now, calibrated) for row in chosen]
        unaudited = next((Unaudited(*row) for row in reader.rows(_UNAUDITED, (int(kind),))), Unaudited())
    found.sort(key=lambda one: (one.last_at or one.row.began_at, one.row.began_at, one.row.id), reverse=True)
    return Quality(tuple(found), unaudited, kind, len(rows) - len(chosen))


def _drafted(reader: LedgerReader, row: EpochRow) -> bool:
    """Whether a draft was ever an answer: of others there is nothing to say."""
    return row.gone_served > 0 or any(True for _ in reader.rows(_ANY_SERVED, (row.id,)))


def _epoch(
    reader: LedgerReader,
    row: EpochRow,
    aim: Aim,
    now: int,
    calibrated: dict[tuple[str, str], list[Calibration]],
) -> EpochQuality:
    audits, canaries = audit_rows(reader, row.id), canary_rows(reader, row.id)
    turns, served = ([at for (at,) in reader.rows(sql, (row.id,))] for sql in (_TURNS, _SERVED))
    last_at = turns[-1] if turns else None
    found = standing_of(row, len(turns), len(served), audits, canaries, aim, now)
    if row.gone_turns:
        turns, served = _with_gone(reader, row, turns, served)
    drawn = [AuditCourse(one.at, one.probability, one.ended_at, one.loss) for one in audits]
    course = Course(turns, served, drawn, canaries)
    known = calibrated.get((row.draft, row.verify), ())
    return EpochQuality(
        row=row,
        last_at=last_at,
        removed=row.gone_turns,
        standing=found,
        certified_at=first_certified(course, target=found.target, confidence=aim.confidence, least=row.least),
        buckets=_buckets(audits),
        losses=tuple(Loss(*one) for one in reader.rows(_LOSSES, (row.id,))),
        care=_care(row.care),
        calibrations=tuple(sorted(known, key=lambda one: _place(one.bucket))),
    )


def _with_gone(reader: LedgerReader, row: EpochRow, turns: list[int], served: list[int]) -> tuple[list[int], list[int]]:
    """The turns that were removed are counted from a moment on at which all of them had been, as far as can be told:
    so nothing is certified before it was."""
    known = next((at for (at,) in reader.rows(_LAST_GONE, (row.id, row.id)) if at is not None), row.began_at)
    at = max(known, turns[0]) if turns else known
    return sorted([*turns, *[at] * row.gone_turns]), sorted([*served, *[at] * row.gone_served])


def _buckets(audits: Sequence[AuditRow]) -> tuple[BucketQuality, ...]:
    groups: dict[str, list[AuditRow]] = {}
    for one in audits:
        groups.setdefault(one.bucket, []).append(one)
    return tuple(
        BucketQuality(
            bucket=bucket,
            audits=len(groups[bucket]),
            open=sum(one.loss is None for one in groups[bucket]),
            worse=sum(bool(one.loss) and one.how != "failed" for one in groups[bucket]),
            loss=sum(1.0 if one.loss is None else one.loss for one in groups[bucket]),
        )
        for bucket in sorted(groups, key=_place)
    )


def _place(bucket: str) -> tuple[int, str]:
    return (BUCKETS.index(bucket) if bucket in BUCKETS else len(BUCKETS)), bucket


def _care(kept: str | None) -> Care | None:
    try:
        return None if kept is None else Care.from_record(json.loads(kept))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
