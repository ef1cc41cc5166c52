"""The ledger as records for other tools: JSON lines (schema `rlmc.export/1`) with a turn a line, or CSV with a row for
each session, turn or call.

Rule: streamed in the order of time. Money is an integer of picodollars and decimal dollars, null where unknown; times
are ISO 8601 in UTC.
"""

from __future__ import annotations

import csv as csv_module
import io
import json
import zlib
from collections.abc import Generator, Mapping
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from rlmc.domain.frozen import dataclass
from rlmc.domain.money import dollars
from rlmc.ledger.queries import LedgerReader

SCHEMA = "rlmc.export/1"


@dataclass(frozen=True, slots=True)
class Chosen:
    """Turns that started at or after `since` and before `until` (unix microseconds), of one `session` or of all."""

    since: int | None = None
    until: int | None = None
    session: str | None = None

    @property
    def where(self) -> tuple[str, tuple[object, ...]]:
        times = (0 if self.since is None else self.since, 2**63 - 1 if self.until is None else self.until)
        condition = "t.started_at >= ? AND t.started_at < ?"
        return (
            (condition, times)
            if self.session is None
            else (f"{condition} AND t.session_id = ?", (*times, self.session))
        )


_SESSION = (
    "id", "started_at", "ended_at", "client", "name", "directory", "git_branch", "policy", "draft_model",
    "verify_model", "version", "simulated",
)  # fmt: skip
_TURN = (
    "id", "session_id", "started_at", "protocol", "request_class", "requested_model", "served_model", "policy",
    "outcome", "reason", "ending", "status", "ttfb_ms", "latency_ms", "baseline", "baseline_estimated", "draft_only",
    "epoch", "coin",
)  # fmt: skip
# Of a turn, what is JSON: by name, and where it comes from. An audit without a loss has not ended.
_FACTS: Mapping[str, str] = {
    "signals": "t.signals",
    "findings": "t.findings",
    "audit": "(SELECT json_object('probability', probability, 'bucket', bucket, 'loss', loss, 'how', how)"
    " FROM audits WHERE turn_id = t.id)",
    "regrets": "(SELECT json_group_array(kind) FROM regrets WHERE turn_id = t.id)",
}
_CALL = (
    "turn_id", "seq", "role", "provider", "model", "started_at", "ttfb_ms", "latency_ms", "status", "error",
    "stop_reason", "served", "brief", "input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "thinking",
    "web_searches", "usage_estimated", "cost", "price_source",
)  # fmt: skip
# For each kind of row: its columns, and where the chosen ones are, in their order. A session is chosen by its turns or
# by its own beginning.
_TABLES: Mapping[str, tuple[tuple[str, ...], str]] = {
    "sessions": (
        _SESSION,
        "sessions x WHERE id IN (SELECT session_id FROM (SELECT session_id, started_at FROM turns"
        " UNION ALL SELECT id, started_at FROM sessions) t WHERE {}) ORDER BY started_at, id",
    ),
    "turns": (_TURN, "turns t JOIN turns x ON x.rowid = t.rowid WHERE {} ORDER BY t.started_at, t.id"),
    "calls": (
        _CALL,
        "turns t CROSS JOIN calls x ON x.turn_id = t.id WHERE {} ORDER BY t.started_at, t.id, x.seq",
    ),
}
_TIMES = frozenset({"started_at", "ended_at"})
_FLAGS = frozenset({"simulated", "baseline_estimated", "served", "brief", "usage_estimated"})
_MONEY = frozenset({"baseline", "draft_only", "cost"})


def lines(reader: LedgerReader, chosen: Chosen, content: bool) -> Generator[str, None, None]:
    """A JSON object a turn, with its session's facts and its calls."""
    where, values = chosen.where
    facts = _FACTS.values()
    columns = [*(f"t.{n}" for n in _TURN), *facts, *(f"s.{n}" for n in _SESSION), *(f"c.{n}" for n in _CALL)]
    bodies = ", (SELECT request FROM contents WHERE turn_id = t.id), (SELECT answer FROM contents WHERE turn_id = t.id)"
    sql = (
        f"SELECT {', '.join(columns)}{bodies if content else ', NULL, NULL'} FROM turns t"  # noqa: S608 - of this file
        " LEFT JOIN sessions s ON s.id = t.session_id LEFT JOIN calls c ON c.turn_id = t.id"
        f" WHERE {where} ORDER BY t.started_at, t.id, c.seq"
    )
    turn_end = len(_TURN) + len(_FACTS)
    session_end = turn_end + len(_SESSION)
    for _, group in groupby(reader.rows(sql, values), key=lambda row: row[0]):
        rows = list(group)
        first = rows[0]
        record = {
            "schema": SCHEMA,
            **_named(_TURN, first[: len(_TURN)]),
            **{name: json.loads(text or "null") for name, text in zip(_FACTS, first[len(_TURN) :], strict=False)},
            "session": None if first[turn_end] is None else _named(_SESSION, first[turn_end:session_end]),
            "calls": [_named(_CALL, row[session_end:-2]) for row in rows if row[session_end] is not None],
        }
        if content:
            record |= {"request": _unpacked(first[-2]), "answer": _unpacked(first[-1])}
        yield json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n"


def csv(reader: LedgerReader, chosen: Chosen, table: str) -> Generator[str, None, None]:
    """A heading and a row for each of `table`: sessions, turns or calls."""
    where, values = chosen.where
    names, source = _TABLES[table]
    columns = ", ".join(f"x.{name}" for name in names)
    text = io.StringIO()
    writer = csv_module.writer(text, lineterminator="\n")
    heading: list[str] | None = None
    for row in reader.rows(f"SELECT {columns} FROM {source.format(where)}", values):  # noqa: S608 - of this file
        flat = _flat(_named(names, row))
        if heading is None:
            heading = list(flat)
            writer.writerow(heading)
        writer.writerow(flat.values())
        yield text.getvalue()
        text.seek(0)
        text.truncate()
    if heading is None:
        writer.writerow(_flat(_named(names, (None,) * len(names))))
        yield text.getvalue()


def _named(names: tuple[str, ...], row: tuple[Any, ...]) -> dict[str, Any]:
    return {name: _value(name, value) for name, value in zip(names, row, strict=True)}


def _value(name: str, value: Any) -> Any:
    if name in _MONEY:
        return {"picodollars": value, "dollars": None if value is None else f"{dollars(value):f}"}
    if value is None:
        return None
    if name in _TIMES:
        return datetime.fromtimestamp(value / 1_000_000, UTC).isoformat(timespec="microseconds")
    return bool(value) if name in _FLAGS else value


def _flat(record: Mapping[str, Any]) -> dict[str, Any]:
    """As cells: money as dollars in a column that says so, flags as 0 and 1."""
    cells: dict[str, Any] = {}
    for name, value in record.items():
        if name in _MONEY:
            cells[f"{name}_usd"] = value["dollars"]
        else:
            cells[name] = int(value) if isinstance(value, bool) else value
    return cells


def _unpacked(body: bytes | None) -> str | None:
    return None if body is None else zlib.decompress(body).decode("utf-8", "replace")
