"""The account of many turns, added up by the database: the same as `SavingsReport.add` for each, without the rows.

Rule: real turns make the account, simulated ones only where there is nothing else. All of it is one look at the ledger,
whatever a daemon writes meanwhile.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain
from typing import Any

from rlmc.domain.frozen import dataclass
from rlmc.domain.outcome import Outcome
from rlmc.ledger.queries import LedgerReader, SessionRow
from rlmc.ledger.report import (
    AUDITING,
    Account,
    Amount,
    Grouping,
    Latencies,
    SavingsReport,
    SessionAccount,
    Side,
    is_served,
)
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

    def holds(self, row: SessionRow) -> bool:
        """Whether the session is of this project and branch."""
        directory = row.directory or ""
        here = self.project is None or (directory != "" and f"{directory}/".startswith(_inside(self.project)))
        return here and (self.branch is None or row.git_branch == self.branch)


ANYWHERE = Scope()


@dataclass(frozen=True, slots=True)
class Turns:
    """A part of the ledger in SQL: what names a turn's group, tables, the period (with its `times`), and further
    conditions with their values."""

    key: str
    tables: str
    period: str
    times: tuple[object, ...]
    where: str = "1"
    values: tuple[object, ...] = ()

    def only(self, condition: str, *values: object) -> Turns:
        return replace(self, where=f"{self.where} AND {condition}", values=(*self.values, *values))

    def select(self, columns: str, rest: str = "", more: str = "") -> str:
        # Only words of this file; what a user says is among the values.
        return (
            f"SELECT {self.key} AS key, {columns} FROM {self.tables} {more} WHERE {self.period} AND {self.where} {rest}"  # noqa: S608
        )

    def rows(self, reader: LedgerReader, columns: str, rest: str = "", more: str = "") -> Iterator[tuple[Any, ...]]:
        return reader.rows(self.select(columns, rest, more), (*self.times, *self.values))


_SESSIONS = "LEFT JOIN sessions s ON s.id = t.session_id"
_IN_STRETCH = "t.started_at >= k.since AND t.started_at < k.until"
_CALLS = "JOIN calls c ON c.turn_id = t.id"
_SIMULATED = "t.session_id IN (SELECT id FROM sessions WHERE simulated <> 0)"
_REAL = "t.session_id NOT IN (SELECT id FROM sessions WHERE simulated <> 0)"
# What names a turn's group, and what it takes besides turns to tell.
_KEYS: dict[Grouping, tuple[str, str]] = {
    "session": ("t.session_id", ""),
    "day": ("k.name", ""),
    "hour": ("k.name", ""),
    "model": ("t.served_model", ""),
    "outcome": ("t.outcome", ""),
    "client": ("coalesce(s.client, '')", _SESSIONS),
    "project": ("coalesce(s.directory, '')", _SESSIONS),
    "branch": ("coalesce(s.git_branch, '')", _SESSIONS),
}


def account(reader: LedgerReader, scope: Scope, by: Grouping | None) -> Account:
    with reader.snapshot():
        turns = _turns(scope)
        simulated = next((count for _, count in turns.only(_SIMULATED).rows(reader, "count(*)")), 0)
        real = any(True for _ in turns.only(_REAL).rows(reader, "1", "LIMIT 1"))
        turns = turns.only(_REAL if real else _SIMULATED)
        total, groups = _reports(reader, turns if by is None else _grouped(reader, turns, by))
    if by is None:
        groups = {}
    for report in (total, *groups.values()):
        report.simulated = not real and bool(simulated)
    ordered = sorted(groups.items(), key=lambda item: _order(item[0], by))
    return Account(total, tuple(ordered), simulated if real else 0)


def session_accounts(
    reader: LedgerReader, since: int | None, until: int | None, place: Scope = ANYWHERE
) -> list[SessionAccount]:
    """Of the sessions that `LedgerReader.sessions` gives, whole, and of those whose row was lost. Newest first. `place`
    says of which project and branch."""
    begun = "t.session_id IN (SELECT id FROM sessions WHERE started_at >= ? AND started_at < ?)"
    active = "t.session_id IN (SELECT session_id FROM turns WHERE started_at >= ? AND started_at < ?)"
    with reader.snapshot():
        rows = (row for row in reader.sessions(since, until) if place.holds(row))
        found = {row.id: SessionAccount(row, SavingsReport()) for row in rows}
        turns = Turns(_KEYS["session"][0], "turns t", f"({begun} OR {active})", _times(since, until) * 2)
        names = {id: account.session.name for id, account in found.items()}
        for id, report in _reports(reader, _placed(turns, place), names)[1].items():
            row = found[id].session if id in found else lost(id, report)
            report.simulated = bool(row.simulated)
            found[id] = SessionAccount(row, report)
    return sorted(found.values(), key=lambda one: (one.session.started_at, one.session.id), reverse=True)


def last_turn_at(reader: LedgerReader, scope: Scope) -> int | None:
    """When the last turn there is of these began."""
    newest = _turns(scope).rows(reader, "t.started_at", "ORDER BY t.started_at DESC LIMIT 1")
    return next((at for _, at in newest), None)


def lost(id: str, report: SavingsReport) -> SessionRow:
    """In the place of a session's row that is no longer there: what its turns tell."""
    return SessionRow(
        id=id,
        started_at=report.first_at or 0,
        ended_at=None,
        client="",
        name=None,
        directory=None,
        git_branch=None,
        policy="",
        simulated=False,
        requests=None,
        turns=0,
    )


# --- which turns ----------------------------------------------------------------------------------------------------


def turns_of(scope: Scope, *, simulated: bool) -> Turns:
    """For who adds up something else of the same turns."""
    return _turns(scope).only(_SIMULATED if simulated else _REAL)


def _turns(scope: Scope) -> Turns:
    found = Turns("''", "turns t", "t.started_at >= ? AND t.started_at < ?", _times(scope.since, scope.until))
    if scope.session is not None:
        found = found.only("t.session_id = ?", scope.session)
    return _placed(found, scope)


def _placed(turns: Turns, scope: Scope) -> Turns:
    if scope.project is not None:
        inside = _inside(scope.project)
        below = "SELECT id FROM sessions WHERE directory <> '' AND substr(directory || '/', 1, ?) = ?"
        turns = turns.only(f"t.session_id IN ({below})", len(inside), inside)
    if scope.branch is not None:
        turns = turns.only("t.session_id IN (SELECT id FROM sessions WHERE git_branch = ?)", scope.branch)
    return turns


def _inside(project: str) -> str:
    """What the directory and those below begin with, with a slash at their end."""
    return project.rstrip("/") + "/"


def _times(since: int | None, until: int | None) -> tuple[object, ...]:
    return 0 if since is None else since, 2**63 - 1 if until is None else until


def _grouped(reader: LedgerReader, turns: Turns, by: Grouping) -> Turns:
    key, more = _KEYS[by]
    if by != "day" and by != "hour":
        return replace(turns, key=key, tables=f"{turns.tables} {more}")
    [(_, first, last)] = list(turns.rows(reader, "min(t.started_at), max(t.started_at)")) or [("", None, None)]
    found = [] if first is None else stretches(by, first, last)
    reader.scratch("stretches", "name, since, until", found)
    # The stretches begin and end with the turns there are. Were the period's own bounds there as well, the database
    # might look turns up by those, all of them for every stretch.
    return replace(turns, key=key, tables=f"temp.stretches k CROSS JOIN {turns.tables}", period=_IN_STRETCH, times=())


def _order(key: str, by: Grouping | None) -> tuple[int, str]:
    if by == "outcome":
        known = [outcome.value for outcome in Outcome]
        return (known.index(key) if key in known else len(known)), key
    return 0, key


# --- what they come to ----------------------------------------------------------------------------------------------

_TURN_SUMS = """
    t.outcome, t.reason, t.epoch, count(*), min(t.started_at), sum(t.baseline), sum(t.baseline IS NULL),
    sum(t.baseline_estimated <> 0), total(t.baseline_bias),
    total(t.baseline_noise), sum(t.draft_only), sum(t.draft_only IS NULL), sum(t.ending <> 'complete'),
    count(t.coin)
"""
_CALL_SUMS = """
    c.role, c.served <> 0, c.brief <> 0, c.provider, c.model, count(*), sum(c.usage_estimated <> 0),
    sum(c.cost IS NULL AND c.input IS NOT NULL), sum(c.input), sum(c.cache_read), sum(c.cache_write_5m),
    sum(c.cache_write_1h), sum(c.output), sum(c.thinking), sum(c.cost), sum(c.cost IS NULL)
"""
# The plus keeps the database from making an index of its own for what nearly all turns are.
_COMPLETE = "+t.ending = 'complete'"
_DIRECT = "c.role = 'direct' AND c.served <> 0"


def _reports(
    reader: LedgerReader, turns: Turns, names: Mapping[str, str | None] | None = None
) -> tuple[SavingsReport, dict[str, SavingsReport]]:
    """All of it, and by group. `names` are those of the sessions, where the groups are sessions."""
    total, found = SavingsReport(), dict[str, SavingsReport]()
    for key, *row in turns.rows(reader, _TURN_SUMS, "GROUP BY 1, 2, 3, 4"):
        for report in (total, found.setdefault(key, SavingsReport())):
            _add_turns(report, row)
    for key, *row in turns.rows(reader, _CALL_SUMS, "GROUP BY 1, 2, 3, 4, 5, 6", _CALLS):
        for report in (total, found[key]):
            _add_calls(report, row)
    for key, report in found.items():
        if names is not None:
            report.session_name = names.get(key)
        else:
            report.session_name = _first_name(reader, turns.only(f"{turns.key} = ?", key), report.first_at)
    total.session_name = _first_name(reader, turns, total.first_at)
    _add_latencies(reader, turns.only(_COMPLETE), total, found)
    return total, found


def _add_latencies(
    reader: LedgerReader, complete: Turns, total: SavingsReport, found: dict[str, SavingsReport]
) -> None:
    times = _times_of(complete.rows(reader, "t.outcome, t.latency_ms"))
    of_group: dict[str, list[array[float]]] = {}
    for (key, outcome), values in times.items():
        found[key].latency_by_outcome[outcome] = Latencies.of(values)
        of_group.setdefault(key, []).append(values)
    for outcome in {outcome for _, outcome in times}:
        total.latency_by_outcome[outcome] = Latencies.of(
            chain.from_iterable(values for (_, other), values in times.items() if other == outcome)
        )
    direct = _times_of(complete.only(_DIRECT).rows(reader, "c.latency_ms", more=_CALLS))
    for key, report in found.items():
        report.latency = Latencies.of(chain.from_iterable(of_group.get(key, ())))
        report.baseline_latency = Latencies.of(direct.get((key,), ()))
    total.latency = Latencies.of(chain.from_iterable(times.values()))
    total.baseline_latency = Latencies.of(chain.from_iterable(direct.values()))


def _add_turns(report: SavingsReport, row: list[Any]) -> None:
    outcome, reason, epoch, count, first, base, no_base, estimated, bias, noise, only, no_only, unfinished, coins = row
    report.turns += count
    report.first_at = first if report.first_at is None else min(first, report.first_at)
    report.outcomes[outcome] += count
    report.reasons[reason] += count
    _add_amount(report.baseline, base, no_base)
    report.baseline_estimated += estimated
    report.baseline_bias += bias
    report.baseline_noise += noise
    _add_amount(report.draft_only, only, no_only)
    report.unfinished += unfinished
    if epoch is not None:
        report.coins[epoch] += coins
    elif is_served(outcome, reason):
        report.unaudited += count


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
    if role in AUDITING:
        sides.append(report.audit)
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


def _first_name(reader: LedgerReader, turns: Turns, at: int | None) -> str | None:
    name = "(SELECT name FROM sessions WHERE id = t.session_id)"
    first = turns.only("t.started_at = ?", at)
    return next((name for _, name in first.rows(reader, name, "ORDER BY t.id LIMIT 1")), None)


_Times = dict[tuple[str, ...], "array[float]"]


def _times_of(rows: Iterator[tuple[Any, ...]]) -> _Times:
    """Of rows that end in a time, the times by what stands before it. They are sorted here: a database would have to
    sort whole rows."""
    times: _Times = {}
    for *key, value in rows:
        name = tuple(key)
        if name not in times:
            times[name] = array("d")
        times[name].append(value)
    return times
