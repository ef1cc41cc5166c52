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
from rlmc.domain.record import AuditEnding, CallRecord, EpochRecord, SessionRecord, TurnRecord

_TURN = (
    "id, session_id, conversation, started_at, protocol, request_class, requested_model, served_model, policy,"
    " outcome, reason, ending, status, ttfb_ms, latency_ms, baseline, baseline_estimated, signals, findings,"
    " baseline_bias, baseline_noise, draft_only, decision, epoch, coin"
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
_INSERT_EPOCH = """
    INSERT INTO epochs (id, began_at, draft, verify, judge, policy, policy_version, least, simulated)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING
"""
_INSERT_AUDIT = """
    INSERT INTO audits (turn_id, epoch, at, probability, bucket) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (turn_id) DO NOTHING
"""
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
            t.draft_only, None if t.decision is None else _json(t.decision), None if t.epoch is None else t.epoch.id,
            t.coin,
        ),
    )  # fmt: skip
    if t.epoch is not None:
        _begin_epoch(db, t.epoch)
    if t.epoch is not None and t.audit is not None:
        # In the same transaction as its turn. A turn is written again when a call is added to it: the audit stays.
        db.execute(_INSERT_AUDIT, _clean(t.id, t.epoch.id, t.audit.at, t.audit.probability, t.audit.bucket))
    db.executemany(_INSERT_CALL, [_call(t.id, seq, call) for seq, call in enumerate(t.calls)])
    if t.request_body is not None or t.answer_body is not None:
        db.execute(_INSERT_CONTENT, (t.id, _packed(t.request_body), _packed(t.answer_body)))


def _begin_epoch(db: sqlite3.Connection, e: EpochRecord) -> None:
    row = (e.id, e.began_at, e.draft, e.verify, e.judge, e.policy, e.policy_version, e.least, e.simulated)
    db.execute(_INSERT_EPOCH, _clean(*row))


def keep_care(db: sqlite3.Connection, epoch: EpochRecord, care: str) -> None:
    """What the controller of an epoch knows, as JSON."""
    _begin_epoch(db, epoch)
    db.execute("UPDATE epochs SET care = ? WHERE id = ?", (care, epoch.id))


def end_audit(db: sqlite3.Connection, turn_id: str, at: int, loss: float, how: AuditEnding) -> None:
    """An audit ends once: what it was settled with stays."""
    db.execute(
        "UPDATE audits SET ended_at = ?, loss = ?, how = ? WHERE turn_id = ? AND loss IS NULL", (at, loss, how, turn_id)
    )


def write_canary(db: sqlite3.Connection, turn_id: str, epoch: str, at: int, caught: bool) -> None:
    db.execute("INSERT OR REPLACE INTO canaries (turn_id, epoch, at, caught) VALUES (?, ?, ?, ?)",
               (turn_id, epoch, at, caught))  # fmt: skip


def write_regret(db: sqlite3.Connection, turn_id: str, kind: str, at: int) -> None:
    """A sign that a turn was for the worse; told twice it counts once."""
    db.execute(
        "INSERT INTO regrets (turn_id, kind, at) VALUES (?, ?, ?) ON CONFLICT (turn_id, kind) DO NOTHING",
        (turn_id, kind, at),
    )


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
