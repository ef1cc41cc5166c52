"""A session's decisions as the ledger keeps them: what a replay is given back."""

from __future__ import annotations

import json
from itertools import groupby
from typing import Any

from rlmc.domain.chat import Usage
from rlmc.domain.frozen import dataclass
from rlmc.domain.turn import Model
from rlmc.ledger.queries import LedgerReader


@dataclass(frozen=True, slots=True)
class KeptCall:
    """One call's row. `usage` is None when nothing is known of it."""

    role: str
    model: Model
    started_at: int
    error: str | None
    served: bool
    brief: bool
    usage: Usage | None
    usage_estimated: bool
    cost: int | None
    details: dict[str, Any]


@dataclass(frozen=True, slots=True)
class KeptTurn:
    """One turn's row; `decision` is None where nothing was decided, or by a version that did not keep it."""

    id: str
    conversation: str
    started_at: int
    policy: str
    outcome: str
    reason: str
    baseline: int | None
    baseline_estimated: bool
    baseline_bias: float
    baseline_noise: float
    draft_only: int | None
    signals: dict[str, Any]
    decision: dict[str, Any] | None
    calls: tuple[KeptCall, ...]


_SQL = """
    SELECT t.id, t.conversation, t.started_at, t.policy, t.outcome, t.reason, t.baseline, t.baseline_estimated,
        t.baseline_bias, t.baseline_noise, t.draft_only, t.signals, t.decision,
        c.role, c.provider, c.model, c.started_at, c.error, c.served, c.brief, c.usage_estimated, c.cost, c.details,
        c.input, c.cache_read, c.cache_write_5m, c.cache_write_1h, c.output, c.thinking, c.web_searches, c.others,
        c.unpriced
    FROM turns t LEFT JOIN calls c ON c.turn_id = t.id
    WHERE t.session_id = ? ORDER BY t.started_at, t.id, c.seq
"""
_TURN_COLUMNS = 13
_COUNTS = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "thinking", "web_searches")


def kept_turns(reader: LedgerReader, session: str) -> list[KeptTurn]:
    """The session's turns in the order they came in."""
    found = []
    for _, group in groupby(reader.rows(_SQL, (session,)), key=lambda row: row[0]):
        same = list(group)
        id, conversation, at, policy, outcome, reason, base, estimated, bias, noise, only, signals, decision = same[0][
            :_TURN_COLUMNS
        ]
        calls = tuple(_call(row[_TURN_COLUMNS:]) for row in same if row[_TURN_COLUMNS] is not None)
        found.append(
            KeptTurn(
                id, conversation, at, policy, outcome, reason, base, bool(estimated), bias, noise, only,
                json.loads(signals), None if decision is None else json.loads(decision), calls,
            )
        )  # fmt: skip
    return found


def _call(row: tuple[Any, ...]) -> KeptCall:
    role, provider, model, started_at, error, served, brief, estimated, cost, details, *tokens = row
    return KeptCall(
        role, Model(provider, model), started_at, error, bool(served), bool(brief), _usage(tokens), bool(estimated),
        cost, json.loads(details) if details else {},
    )  # fmt: skip


def _usage(tokens: list[Any]) -> Usage | None:
    *counts, others, unpriced = tokens
    if counts[0] is None:
        return None
    known = dict(zip(_COUNTS, counts, strict=True))
    return _from_plain(known | {"unpriced": json.loads(unpriced or "[]"), "others": json.loads(others or "[]")})


def _from_plain(plain: dict[str, Any]) -> Usage:
    others = tuple((name, _from_plain(usage)) for name, usage in plain.get("others", ()))
    known: dict[str, Any] = plain | {"others": others, "unpriced": tuple(plain.get("unpriced", ()))}
    return Usage(**known)
