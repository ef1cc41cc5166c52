"""Sessions and turns as plain data."""

from __future__ import annotations

from rlmc.domain.turn import Outcome
from rlmc.ledger.period import local
from rlmc.ledger.queries import TurnRow
from rlmc.ledger.report import SavingsReport, SessionAccount
from rlmc.views.stats_data import Data, report_data


def session_data(one: SessionAccount) -> Data:
    row, report = one.session, report_data(one.report)
    turns = one.report.turns
    return {
        "id": row.id,
        "started_at": local(row.started_at).isoformat(),
        "ended_at": None if row.ended_at is None else local(row.ended_at).isoformat(),
        "client": row.client,
        "name": row.name,
        "directory": row.directory,
        "policy": row.policy,
        "simulated": bool(row.simulated),
        "skipped_share": one.report.outcomes[Outcome.SKIPPED.value] / turns if turns else None,
        **{name: report[name] for name in ("turns", "outcomes", "paid", "baseline", "saved")},
    }


def turn_data(turn: TurnRow) -> Data:
    report = report_data(account_of(turn))
    return {
        "id": turn.id,
        "started_at": local(turn.started_at).isoformat(),
        "session": turn.session,
        "class": turn.request_class,
        "outcome": turn.outcome,
        "reason": turn.reason,
        "ending": turn.ending,
        "served_model": turn.served_model or None,
        "latency_ms": turn.latency_ms,
        **{name: report[name] for name in ("simulated", "paid", "baseline", "saved", "draft_only")},
    }


def account_of(turn: TurnRow) -> SavingsReport:
    """The account of one turn alone. Its saving says little: what one turn saves, the next may pay in part."""
    report = SavingsReport()
    report.add(turn)
    return report
