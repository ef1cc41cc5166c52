"""Records as rows: the only place that knows which field stands in which column.

Rule: writing the same record twice leaves it once, so that a batch can be tried again. A turn is made into rows once,
when it is recorded: the journal keeps those, and the writer hands on those of many turns at a time. A journal may be of
the version before: rows of other columns are another kind of record there.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

import msgspec

from rlmc.domain.chat import Usage
from rlmc.domain.outcome import Outcome, Reason
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
# A member's own value is found by a search, which costs as much as half a dozen columns.
_WORDS: dict[str, str] = {word: word.value for words in (Outcome, Reason) for word in words}
_TO_JSON = msgspec.json.Encoder().encode
Row = tuple[Any, ...]


class TurnRows(msgspec.Struct, array_like=True, frozen=True, kw_only=True, gc=False):
    """A turn as it is written. Bodies are packed only then."""

    turn: Row
    calls: tuple[Row, ...]
    epoch: Row | None = None
    audit: Row | None = None
    request: bytes | None = None
    answer: bytes | None = None

    @property
    def id(self) -> str:
        id: str = self.turn[0]
        return id

    @property
    def content(self) -> int:
        return len(self.request or b"") + len(self.answer or b"")

    def without_content(self) -> TurnRows:
        return TurnRows(turn=self.turn, calls=self.calls, epoch=self.epoch, audit=self.audit)


def turn_rows(t: TurnRecord) -> TurnRows:
    id, epoch = t.id, t.epoch
    turn = (
        id, t.session_id, t.conversation, t.started_at, t.protocol, t.request_class, t.requested_model, t.served_model,
        t.policy, _WORDS[t.outcome], _WORDS[t.reason], t.ending, t.status, t.ttfb_ms, t.latency_ms, t.baseline,
        t.baseline_estimated, _json(t.signals), _json(t.findings) if t.findings else "[]", t.baseline_bias,
        t.baseline_noise, t.draft_only, None if t.decision is None else _json(t.decision),
        None if epoch is None else epoch.id, t.coin,
    )  # fmt: skip
    calls = tuple([_call(id, seq, call) for seq, call in enumerate(t.calls)])
    if epoch is None:
        return TurnRows(turn=turn, calls=calls, request=t.request_body, answer=t.answer_body)
    audit = None if t.audit is None else (id, epoch.id, t.audit.at, t.audit.probability, t.audit.bucket)
    return TurnRows(
        turn=turn, calls=calls, epoch=_epoch(epoch), audit=audit, request=t.request_body, answer=t.answer_body
    )


def write_turns(db: sqlite3.Connection, turns: Sequence[TurnRows]) -> None:
    _write(db, _INSERT_TURN, [t.turn for t in turns])
    _write(db, _INSERT_EPOCH, {t.epoch for t in turns if t.epoch is not None})
    # In the same transaction as its turn. A turn is written again when a call is added to it: the audit stays.
    _write(db, _INSERT_AUDIT, [t.audit for t in turns if t.audit is not None])
    _write(db, _INSERT_CALL, [call for t in turns for call in t.calls])
    for t in turns:
        if t.request is not None or t.answer is not None:
            db.execute(_INSERT_CONTENT, (t.id, _packed(t.request), _packed(t.answer)))


def write_session(db: sqlite3.Connection, s: SessionRecord) -> None:
    row = (
        s.id, s.started_at, s.client, s.name, s.directory, s.git_branch, s.policy, s.draft_model, s.verify_model,
        s.version, s.simulated,
    )  # fmt: skip
    _write(db, _UPSERT_SESSION, [row])


def end_session(db: sqlite3.Connection, id: str, at: int, requests: int, turns: int, auto_mode_turns: int) -> None:
    db.execute(_END_SESSION, (at, requests, turns, auto_mode_turns, id))


def keep_care(db: sqlite3.Connection, epoch: EpochRecord, care: str) -> None:
    """What the controller of an epoch knows, as JSON."""
    _write(db, _INSERT_EPOCH, [_epoch(epoch)])
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


def _epoch(e: EpochRecord) -> Row:
    return e.id, e.began_at, e.draft, e.verify, e.judge, e.policy, e.policy_version, e.least, e.simulated


def _call(turn_id: str, seq: int, c: CallRecord) -> Row:
    return (
        turn_id, seq, c.role, c.provider, c.model, c.started_at, c.ttfb_ms, c.latency_ms, c.status, c.error,
        c.stop_reason, c.served, *_usage(c.usage), c.usage_estimated, c.cost, c.price_source, c.brief,
        _json(c.details) if c.details else None,
    )  # fmt: skip


def _usage(u: Usage | None) -> Row:
    if u is None:
        return (None,) * 9
    others = _json([[model, asdict(usage)] for model, usage in u.others]) if u.others else None
    unpriced = _json(u.unpriced) if u.unpriced else None
    return (
        u.input, u.cache_read, u.cache_write_5m, u.cache_write_1h, u.output, u.thinking, u.web_searches, others,
        unpriced,
    )  # fmt: skip


def _json(value: object) -> str:
    try:
        return _TO_JSON(value).decode()
    except (UnicodeEncodeError, OverflowError):
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _packed(body: bytes | None) -> bytes | None:
    return None if body is None else zlib.compress(body)


def _write(db: sqlite3.Connection, statement: str, rows: Iterable[Row]) -> None:
    if not rows:
        return
    try:
        db.executemany(statement, rows)
    except UnicodeEncodeError:
        # A file name may hold bytes that are no text; SQLite refuses them.
        db.executemany(statement, [tuple(map(_as_text, row)) for row in rows])


def _as_text(value: Any) -> Any:
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
