"""What the page shows, as plain data: the ledger's account of a period, the daemon's state, sessions and turns.

Rule: every figure is one of `rlmc stats --json`; words are those of the terminal. What cannot be read is said in the
notes, and the rest is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from rlmc.errors import RlmcError
from rlmc.ledger import period as periods
from rlmc.ledger.details import detail
from rlmc.ledger.period import Period, local
from rlmc.ledger.quality import Aim, Known, of_report
from rlmc.ledger.queries import LedgerReader
from rlmc.ledger.report import Account, SavingsReport, SessionAccount
from rlmc.ledger.stretches import stretches
from rlmc.ledger.totals import Scope, account, lost, session_accounts
from rlmc.views import sentences
from rlmc.views.audit import audit_rows
from rlmc.views.explanation_data import explanation_data
from rlmc.views.figures import baseline, saving
from rlmc.views.history_data import session_data, turn_data
from rlmc.views.kept_decision import kept_decision
from rlmc.views.reasons import sentence
from rlmc.views.stats_data import Data, report_data

PERIODS: Mapping[str, Callable[[datetime], Period]] = {
    "today": periods.today,
    "yesterday": periods.yesterday,
    "week": periods.this_week,
    "month": periods.this_month,
    "all": lambda _: periods.ALL,
}
_BY_HOUR = ("today", "yesterday")
_POINT = ("turns", "outcomes", "paid", "baseline", "saved")
_DAEMON = (
    "version", "pid", "port", "uptime_s", "policy", "draft_model", "verify_model", "who_sees", "sessions_alive",
    "last_error", "config_error", "ledger_error",
)  # fmt: skip
_SESSION = ("id", "client", "name", "directory", "alive", "turns", "policy", "draft_model")
_MOST_SESSIONS, _TURNS_A_PAGE = 200, 100


def overview(ledger: Path, status: Mapping[str, Any], name: str) -> Data:
    """`status` is the daemon's own (`/-/status`), `name` one of `PERIODS`."""
    now = datetime.now().astimezone()
    period = PERIODS[name](now)
    unit: Literal["hour", "day"] = "hour" if name in _BY_HOUR else "day"
    notes: list[str] = []
    course, models, known = Account(SavingsReport(), (), 0), Account(SavingsReport(), (), 0), None
    try:
        reader = LedgerReader.open(ledger)
        try:
            course, models = (account(reader, Scope(period.since, period.until), by) for by in (unit, "model"))
            known = of_report(reader, course.total, aim(status), micros(now))
            notes += [one for one in (sentences.removed(*reader.removed(period.since)),) if one]
        finally:
            reader.close()
    except RlmcError as error:
        notes.append(error.message)
    total = course.total
    return {
        "now": now.isoformat(),
        "daemon": {key: status[key] for key in _DAEMON},
        "live_sessions": [{key: one[key] for key in _SESSION} for one in status["sessions"]],
        "period": _period(period),
        "account": report_data(total),
        "simulated_turns_left_out": course.left_out,
        "series": {"by": unit, "points": _points(course, period, unit, now)},
        "models": [
            {"key": key, "turns": report.turns, "paid": report_data(report)["paid"]} for key, report in models.groups
        ],
        "words": _words(total, known, notes),
        "budgets": status["budgets"],
    }


def aim(status: Mapping[str, Any]) -> Aim:
    """What quality is held against, as the daemon says."""
    return Aim(status["quality"]["max_regression"], status["quality"]["confidence"])


def micros(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000)


def _period(period: Period) -> Data:
    since, until = (None if at is None else local(at).isoformat() for at in (period.since, period.until))
    return {"name": period.name, "since": since, "until": until}


def _words(total: SavingsReport, known: Known | None, notes: list[str]) -> Data:
    notes += [*sentences.unknown_prices(total), *(one for one in (sentences.auto_mode(total),) if one)]
    return {
        "headline": saving(total.saving, total.share),
        "baseline": baseline(total),
        "estimates": sentences.estimates(total),
        "quality": sentences.quality(total, known),
        "reasons": {reason: sentence(reason) for reason in sorted(total.reasons)},
        "notes": notes,
    }


def _points(course: Account, period: Period, unit: Literal["hour", "day"], now: datetime) -> list[Data]:
    """One for every day or hour from the period's beginning, or the first turn, until its end, or now."""
    groups = dict(course.groups)
    since = period.since if period.since is not None else course.total.first_at
    if since is None:
        return []
    last = (period.until or micros(now)) - 1
    points: dict[str, Data] = {}
    for stretch in stretches(unit, since, max(since, last)):
        if stretch.name not in points:  # where a clock is put back, an hour comes twice and its turns are of both
            found = report_data(groups.get(stretch.name, SavingsReport()))
            point = {"key": stretch.name, "at": stretch.since // 1_000_000}
            points[stretch.name] = {**point, **{field: found[field] for field in _POINT}}
    return list(points.values())


def sessions(ledger: Path, name: str) -> Data:
    period = PERIODS[name](datetime.now().astimezone())
    reader = LedgerReader.open(ledger)
    try:
        found = session_accounts(reader, period.since, period.until)
    finally:
        reader.close()
    shown = [session_data(one) for one in found[:_MOST_SESSIONS]]
    return {"sessions": shown, "more": len(found) - len(shown)}


def turns(ledger: Path, status: Mapping[str, Any], session: str, before: str | None) -> Data | None:
    """A page of a session's turns, newest first, from the one that came `before` a turn on; None without a session."""
    reader = LedgerReader.open(ledger)
    try:
        row = reader.session(session)
        total = account(reader, Scope(session=session), None).total
        known = of_report(reader, total, aim(status), micros(datetime.now().astimezone()))
        found = list(reader.session_turns(session))[::-1]
    finally:
        reader.close()
    if row is None and not found:
        return None
    start = next((at + 1 for at, turn in enumerate(found) if turn.id == before), 0)
    page = found[start : start + _TURNS_A_PAGE]
    return {
        "session": session_data(SessionAccount(row or lost(session, total), total)),
        "words": {"quality": sentences.quality(total, known)},
        "turns": [turn_data(turn) for turn in page],
        "more": len(found) - start - len(page),
    }


def turn(ledger: Path, id: str) -> Data | None:
    reader = LedgerReader.open(ledger)
    try:
        row = reader.turn(id)
        if row is None:
            return None
        found = detail(reader, row)
        return {"turn": explanation_data(found), "words": {"audit": audit_rows(found, kept_decision(found))}}
    finally:
        reader.close()
