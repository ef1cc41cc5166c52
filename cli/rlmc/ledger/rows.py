"""Records as rows: the only place that knows which field stands in which column.

Rule: writing the same record twice leaves it once, so that a batch can be tried again.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from dataclasses import asdict
from typing import Any

from rlmc.domain.chat import Usage
from rlmc.domain.record import CallRecord, SessionRecord, TurnRecord

_TURN = (
    "id, session_id, conversation, started_at, protocol, request_class, requested_model, served_model, policy,"
    " outcome, reason, ending, status, ttfb_ms, latency_ms, baseline, baseline_estimated, signals, findings,"
    " baseline_bias, baseline_noise, draft_only, decision"
)
_CALL = (
    "turn_id, seq, role, provider, model, started_at, ttfb_ms, latency_ms, status, error, stop_reason, served,"
    " input, cache_read, cache_write_5m, cache_write_1h, output, thinking, web_searches, others, unpriced,"
    " usage_estimated, cost, price_source, brief, details"
)


def _insert(table: str, columns: str) -> str:
    marks = ", ".join("?" * (columns.count(",") + 1))
    # Not OR IGNORE: that would also swallow rows with a missing value.
    return f"INSERT OR REPLACE INTO {table} ({columns}) VALUES ({marks})"  # noqa: S608 - both are constants of this file


_INSERT_TURN = _insert("turns", _TURN)
_INSERT_CALL = _insert("calls", _CALL)
_INSERT_CONTENT = _insert("contents", "turn_id, request, answer")
# A session may be announced again after its daemon died: it began when it first began, and it goes on.
_UPSERT_SESSION = """
    INSERT INTO sessions
        (id, started_at, client, name, directory, git_branch, policy, draft_model, verify_model, version, simulated)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET
        started_at = min(started_at, excluded.started_at), ended_at = NULL, client = excluded.client,
        name = excluded.name, directory = excluded.directory, git_branch = excluded.git_branch,
        policy = excluded.policy, draft_model = excluded.draft_model, verify_model = excluded.verify_model,
        version = excluded.version, simulated = max(simulated, excluded.simulated)
"""
_END_SESSION = """
    UPDATE sessions SET ended_at = ?, requests = max(coalesce(requests, 0), ?), turns = max(coalesce(turns, 0), ?),
        auto_mode_turns = max(coalesce(auto_mode_turns, 0), ?)
    WHERE id = ?
"""


def write_session(db: sqlite3.Connection, s: SessionRecord) -> None:
    db.execute(
        _UPSERT_SESSION,
        _clean(
            s.id, s.started_at, s.client, s.name, s.directory, s.git_branch, s.policy, s.draft_model, s.verify_model,
            s.version, s.simulated,
        ),
    )  # fmt: skip


def end_session(db: sqlite3.Connection, id: str, at: int, requests: int, turns: int, auto_mode_turns: int) -> None:
    db.execute(_END_SESSION, (at, requests, turns, auto_mode_turns, id))


def write_turn(db: sqlite3.Connection, t: TurnRecord) -> None:
    db.execute(
        _INSERT_TURN,
        _clean(
            t.id, t.session_id, t.conversation, t.started_at, t.protocol, t.request_class, t.requested_model,
            t.served_model, t.policy, t.outcome.value, t.reason.value, t.ending, t.status, t.ttfb_ms, t.latency_ms,
            t.baseline, t.baseline_estimated, _json(t.signals), _json(t.findings), t.baseline_bias, t.baseline_noise,
            t.draft_only, None if t.decision is None else _json(t.decision),
        ),
    )  # fmt: skip
    db.executemany(_INSERT_CALL, [_call(t.id, seq, call) for seq, call in enumerate(t.calls)])
    if t.request_body is not None or t.answer_body is not None:
        db.execute(_INSERT_CONTENT, (t.id, _packed(t.request_body), _packed(t.answer_body)))


def _call(turn_id: str, seq: int, c: CallRecord) -> tuple[Any, ...]:
    return _clean(
        turn_id, seq, c.role, c.provider, c.model, c.started_at, c.ttfb_ms, c.latency_ms, c.status, c.error,
        c.stop_reason, c.served, *_usage(c.usage), c.usage_estimated, c.cost, c.price_source, c.brief,
        _json(c.details) if c.details else None,
    )  # fmt: skip


def _usage(u: Usage | None) -> tuple[Any, ...]:
    if u is None:
        return (None,) * 9
    others = _json([[model, asdict(usage)] for model, usage in u.others]) if u.others else None
    unpriced = _json(u.unpriced) if u.unpriced else None
    return (
        u.input, u.cache_read, u.cache_write_5m, u.cache_write_1h, u.output, u.thinking, u.web_searches, others,
        unpriced,
    )  # fmt: skip


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _packed(body: bytes | None) -> bytes | None:
    return None if body is None else zlib.compress(body)


def _clean(*values: Any) -> tuple[Any, ...]:
    # A file name may hold bytes that are no text; SQLite refuses them.
    return tuple(v.encode("utf-8", "replace").decode() if isinstance(v, str) else v for v in values)
