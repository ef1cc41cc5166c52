"""One turn with all the ledger knows about it, for who asks why it went as it did.

Rule: no content, also where the user has had it kept. What an older version wrote, or did not write, still reads.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from rlmc.domain.frozen import dataclass
from rlmc.ledger.quality import GIVEN_UP
from rlmc.ledger.queries import CallRow, LedgerReader, TurnRow
from rlmc.ledger.regrets import regrets_of


@dataclass(frozen=True, slots=True)
class CallDetail:
    """`marked`: the call was given a cache marker more than the client had set."""

    call: CallRow
    status: int | None
    error: str | None
    stop_reason: str | None
    ttfb_ms: float | None
    price_source: str | None
    marked: bool


@dataclass(frozen=True, slots=True)
class AuditDetail:
    """The audit of a turn. `loss` and `how` are None while it has not ended; `lost` if it never will. `planted` says
    whether a fault was shown to the judge beside it, and `caught` whether it was found."""

    at: int
    bucket: str
    loss: float | None
    how: str | None
    lost: bool
    planted: bool
    caught: bool


@dataclass(frozen=True, slots=True)
class TurnDetail:
    """`decision` is empty where nothing was decided, or by a version that did not keep it. `coin` is the probability of
    an audit where a draft was the answer and could be audited, `audit` there where the coin fell on one. `regrets` are
    signs, after the fact, that the answer was for the worse."""

    turn: TurnRow
    protocol: str
    requested_model: str
    policy: str
    status: int | None
    ttfb_ms: float | None
    signals: Mapping[str, Any]
    findings: tuple[str, ...]
    decision: Mapping[str, Any]
    calls: tuple[CallDetail, ...]
    coin: float | None = None
    audit: AuditDetail | None = None
    regrets: tuple[str, ...] = ()


_TURN = """
    SELECT protocol, requested_model, policy, status, ttfb_ms, signals, findings, decision FROM turns WHERE id = ?
"""
_AUDIT = """
    SELECT a.at, a.bucket, a.loss, a.how, c.caught IS NOT NULL, coalesce(c.caught, 0)
    FROM audits a LEFT JOIN canaries c ON c.turn_id = a.turn_id WHERE a.turn_id = ?
"""
_CALLS = """
    SELECT status, error, stop_reason, ttfb_ms, price_source, details FROM calls WHERE turn_id = ? ORDER BY seq
"""


def detail(reader: LedgerReader, turn: TurnRow) -> TurnDetail:
    [(protocol, requested, policy, status, ttfb, signals, findings, decision)] = reader.rows(_TURN, (turn.id,))
    # A call may have come in between two looks; one that was not there at the first has no figures.
    rows = zip(turn.calls, reader.rows(_CALLS, (turn.id,)), strict=False)
    return TurnDetail(
        turn=turn,
        protocol=protocol,
        requested_model=requested,
        policy=policy,
        status=status,
        ttfb_ms=ttfb,
        signals=_mapping(signals),
        findings=tuple(str(finding) for finding in json.loads(findings)),
        decision=_mapping(decision),
        calls=tuple(_call(call, row) for call, row in rows),
        coin=turn.coin,
        audit=next((_audit(row) for row in reader.rows(_AUDIT, (turn.id,))), None),
        regrets=regrets_of(reader, turn.id),
    )


def _audit(row: tuple[Any, ...]) -> AuditDetail:
    at, bucket, loss, how, planted, caught = row
    lost = loss is None and at < time.time_ns() // 1000 - GIVEN_UP
    return AuditDetail(at, bucket, loss, how, lost, bool(planted), bool(caught))


def _call(call: CallRow, row: tuple[Any, ...]) -> CallDetail:
    status, error, stop_reason, ttfb, source, more = row
    return CallDetail(call, status, error, stop_reason, ttfb, source, bool(_mapping(more).get("marked")))


def _mapping(text: str | None) -> Mapping[str, Any]:
    found = None if text is None else json.loads(text)
    return found if isinstance(found, dict) else {}
