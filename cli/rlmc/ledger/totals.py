"""The account of many turns, added up by the database: the same as `SavingsReport.add` for each, without the rows.

Rule: real turns make the account, simulated ones only where there is nothing else. All of it is one look at the ledger,
whatever a daemon writes meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rlmc.domain.turn import Outcome
from rlmc.ledger.queries import LedgerReader, SessionRow
from rlmc.ledger.report import Account, Amount, Grouping, Latencies, SavingsReport, SessionAccount, Side
from rlmc.ledger.stretches import stretches


@dataclass(frozen=True, slots=True)
class Scope:
    """Which turns: those that started at or after `since` and before `until` (unix microseconds), of one session, of
    sessions started in the directory `project` or below it, of sessions on the git branch `branch`."""

    since: int | None = None
    until: int | None = None
    session: str | None = None
    project: str | None = None
    branch: str | None = None


@dataclass(frozen=True, slots=True)
class _Turns:
    """A part of the ledger in SQL: tables, the conditions on them with their values, and what names a turn's group."""

    key: str
    tables: str
    where: str
    values: tuple[object, ...]

    def only(self, condition: str) -> _Turns:
        return _Turns(self.key, self.tables, f"{self.where} AND {condition}", self.values)

    def select(self, columns: str, rest: str = "", more: str = "") -> str:
        # Only words of this file; what a user says is among the values.
        return f"SELECT {self.key} AS key, {columns} FROM {self.tables} {more} WHERE {self.where} {rest}"  # noqa: S608

    def rows(self, reader: LedgerReader, columns: str, rest: str = "", more: str = "") -> Iterator[tuple[Any, ...]]:
        return reader.rows(self.select(columns, rest, more), self.values)


_TABLES = "turns t LEFT JOIN sessions s ON s.id = t.session_id"
_STRETCHES = f"temp.stretches k CROSS JOIN {_TABLES}"
_IN_STRETCH = "t.started_at >= k.since AND t.started_at < k.until"
_CALLS = "JOIN calls c ON c.turn_id = t.id"
_SIMULATED = "coalesce(s.simulated, 0) <> 0"
_KEYS: dict[Grouping | None, str] = {
    None: "''",
    "session": "t.session_id",
    "day": "k.name",
    "hour": "k.name",
    "model": "t.served_model",
    "outcome": "t.outcome",
    "client": "coalesce(s.client, '')",
    "project": "coalesce(s.directory, '')",
    "branch": "coalesce(s.git_branch, '')",
}


def account(reader: LedgerReader, scope: Scope, by: Grouping | None) -> Account:
    with reader.snapshot():
        turns = _turns(scope)
        kinds = {kind: count for _, kind, count in turns.rows(reader, f"{_SIMULATED}, count(*)", "GROUP BY 2")}
        kind = 0 if kinds.get(0) else 1
        turns = turns.only(_SIMULATED if kind else f"NOT {_SIMULATED}")
        total = _reports(reader, turns).get("", SavingsReport())
        groups = {} if by is None else _reports(reader, _grouped(reader, turns, by))
    ordered = sorted(groups.items(), key=lambda item: _order(item[0], by))
    return Account(total, tuple(ordered), 0 if kind else kinds.get(1, 0))


def session_accounts(reader: LedgerReader, since: int | None, until: int | None) -> list[SessionAccount]:
    """Of the sessions that `LedgerReader.sessions` gives, whole, and of those whose row was lost. Newest first."""
    begun = "t.session_id IN (SELECT id FROM sessions WHERE started_at >= ? AND started_at < ?)"
    active = "t.session_id IN (SELECT session_id FROM turns WHERE started_at >= ? AND started_at < ?)"
    times = _times(since, until)
    with reader.snapshot():
        found = {row.id: SessionAccount(row, SavingsReport()) for row in reader.sessions(since, until)}
        turns = _Turns(_KEYS["session"], _TABLES, f"({begun} OR {active})", times * 2)
        for id, report in _reports(reader, turns).items():
            row = found[id].session if id in found else _lost(id, report)
            found[id] = SessionAccount(row, report)
    return sorted(found.values(), key=lambda one: (one.session.started_at, one.session.id), reverse=True)


def _lost(id: str, report: SavingsReport) -> SessionRow:
    return SessionRow(
        id=id,
        started_at=report.first_at or 0,
        ended_at=None,
        client="",
        name=None,
        directory=None,
        policy="",
        simulated=False,
        requests=None,
        turns=0,
    )


# --- which turns ----------------------------------------------------------------------------------------------------


def _turns(scope: Scope) -> _Turns:
    where, values = ["t.started_at >= ? AND t.started_at < ?"], [*_times(scope.since, scope.until)]
    if scope.session is not None:
        where.append("t.session_id = ?")
        values.append(scope.session)
    if scope.project is not None:
        inside = scope.project.rstrip("/") + "/"
        where.append("(s.directory = ? OR substr(s.directory, 1, ?) = ?)")
        values += [scope.project, len(inside), inside]
    if scope.branch is not None:
        where.append("s.git_branch = ?")
        values.append(scope.branch)
    return _Turns(_KEYS[None], _TABLES, " AND ".join(where), tuple(values))


def _times(since: int | None, until: int | None) -> tuple[object, ...]:
    return 0 if since is None else since, 2**63 - 1 if until is None else until


def _grouped(reader: LedgerReader, turns: _Turns, by: Grouping) -> _Turns:
    if by != "day" and by != "hour":
        return _Turns(_KEYS[by], turns.tables, turns.where, turns.values)
    [(_, first, last)] = list(turns.rows(reader, "min(t.started_at), max(t.started_at)")) or [("", None, None)]
    found = [] if first is None else stretches(by, first, last)
    reader.scratch("stretches", "name, since, until", found)
    return _Turns(_KEYS[by], _STRETCHES, f"{turns.where} AND {_IN_STRETCH}", turns.values)


def _order(key: str, by: Grouping | None) -> tuple[int, str]:
    if by == "outcome":
        known = [outcome.value for outcome in Outcome]
        return (known.index(key) if key in known else len(known)), key
    return 0, key


# --- what they come to ----------------------------------------------------------------------------------------------

_TURN_SUMS = """
    t.outcome, t.reason, count(*), min(t.started_at), max(coalesce(s.simulated, 0)),
    sum(t.baseline), sum(t.baseline IS NULL), sum(t.baseline_estimated <> 0), total(t.baseline_bias),
    total(t.baseline_noise), sum(t.draft_only), sum(t.draft_only IS NULL), sum(t.ending <> 'complete')
"""
_CALL_SUMS = """
    c.role, c.served <> 0, c.brief <> 0, c.provider, c.model, count(*), sum(c.usage_estimated <> 0),
    sum(c.cost IS NULL AND c.input IS NOT NULL), sum(c.input), sum(c.cache_read), sum(c.cache_write_5m),
    sum(c.cache_write_1h), sum(c.output), sum(c.thinking), sum(c.cost), sum(c.cost IS NULL)
"""
_COMPLETE = "t.ending = 'complete'"
_DIRECT = "c.role = 'direct' AND c.served <> 0"


def _reports(reader: LedgerReader, turns: _Turns) -> dict[str, SavingsReport]:
    found: dict[str, SavingsReport] = {}
    for key, *row in turns.rows(reader, _TURN_SUMS, "GROUP BY 1, 2, 3"):
        _add_turns(found.setdefault(key, SavingsReport()), row)
    for key, *row in turns.rows(reader, _CALL_SUMS, "GROUP BY 1, 2, 3, 4, 5, 6", _CALLS):
        _add_calls(found[key], row)
    for key, report in found.items():
        report.session_name = _first_name(reader, turns, key, report.first_at)
    complete = turns.only(_COMPLETE)
    for key, _, times in _latencies(reader, complete, "''", "t.latency_ms"):
        found[key].latency = times
    for key, outcome, times in _latencies(reader, complete, "t.outcome", "t.latency_ms"):
        found[key].latency_by_outcome[outcome] = times
    for key, _, times in _latencies(reader, complete.only(_DIRECT), "''", "c.latency_ms", _CALLS):
        found[key].baseline_latency = times
    return found


def _add_turns(report: SavingsReport, row: list[Any]) -> None:
    outcome, reason, count, first, simulated, base, no_base, estimated, bias, noise, only, no_only, unfinished = row
    report.turns += count
    report.first_at = first if report.first_at is None else min(first, report.first_at)
    report.simulated = bool(simulated)
    report.outcomes[outcome] += count
    report.reasons[reason] += count
    _add_amount(report.baseline, base, no_base)
    report.baseline_estimated += estimated
    report.baseline_bias += bias
    report.baseline_noise += noise
    _add_amount(report.draft_only, only, no_only)
    report.unfinished += unfinished


def _add_calls(report: SavingsReport, row: list[Any]) -> None:
    role, served, brief, provider, model, count, estimated, unpriced, *tokens, known, missing = row
    _add_amount(report.paid, known, missing)
    report.estimated_calls += estimated
    report.audits += count if role == "audit" else 0
    if unpriced:
        report.unpriced[f"{provider}/{model}"] += unpriced
    report.unmeasured += missing - unpriced
    sides = [report.draft if role == "draft" else report.verify]
    if role == "draft" and not served:
        sides.append(report.wasted)
    if brief:
        sides.append(report.brief)
    if role == "keepalive":
        sides.append(report.keepalive)
    for side in sides:
        _add_side(side, count, tokens, known, missing)


def _add_side(side: Side, count: int, tokens: list[int | None], known: int | None, missing: int) -> None:
    input, read, write_5m, write_1h, output, thinking = (number or 0 for number in tokens)
    side.calls += count
    side.input += input
    side.cache_read += read
    side.cache_write_5m += write_5m
    side.cache_write_1h += write_1h
    side.output += output
    side.thinking += thinking
    _add_amount(side.paid, known, missing)


def _add_amount(amount: Amount, known: int | None, missing: int) -> None:
    amount.known += known or 0
    amount.missing += missing


def _first_name(reader: LedgerReader, turns: _Turns, key: str, at: int | None) -> str | None:
    first = _Turns(
        turns.key, turns.tables, f"{turns.where} AND {turns.key} = ? AND t.started_at = ?", (*turns.values, key, at)
    )
    return next((name for _, name in first.rows(reader, "s.name", "ORDER BY t.id LIMIT 1")), None)


def _latencies(
    reader: LedgerReader, turns: _Turns, part: str, value: str, more: str = ""
) -> Iterator[tuple[str, str, Latencies]]:
    single = turns.select(f"{part} AS part, {value} AS value", more=more)
    same = "PARTITION BY key, part"
    counted = f"count(*) OVER ({same}) AS count, row_number() OVER ({same} ORDER BY value) AS number"
    median, high = (f"max(value) FILTER (WHERE number <= (count * {percent} + 99) / 100)" for percent in (50, 95))
    # Only words of this file, as above.
    sql = f"""
        SELECT key, part, count, {median}, {high} FROM (SELECT key, part, value, {counted} FROM ({single}))
        GROUP BY key, part
    """  # noqa: S608
    for key, which, count, p50, p95 in reader.rows(sql, turns.values):
        yield key, which, Latencies(count, p50, p95)
