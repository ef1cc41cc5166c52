"""One turn with all the ledger knows about it, for who asks why it went as it did.

Rule: no content, also where the user has had it kept. What an older version wrote, or did not write, still reads.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rlmc.ledger.queries import CallRow, LedgerReader, TurnRow


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
class TurnDetail:
    """`decision` is empty where nothing was decided, or by a version that did not keep it."""

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


_TURN = """
    SELECT protocol, requested_model, policy, status, ttfb_ms, signals, findings, decision FROM turns WHERE id = ?
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
    )


def _call(call: CallRow, row: tuple[Any, ...]) -> CallDetail:
    status, error, stop_reason, ttfb, source, more = row
    return CallDetail(call, status, error, stop_reason, ttfb, source, bool(_mapping(more).get("marked")))


def _mapping(text: str | None) -> Mapping[str, Any]:
    found = None if text is None else json.loads(text)
    return found if isinstance(found, dict) else {}
