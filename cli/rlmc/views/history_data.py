"""Sessions and turns as plain data, for `--json` and `--csv`."""

from __future__ import annotations

from rlmc.domain.outcome import Outcome
from rlmc.ledger.period import local
from rlmc.ledger.queries import TurnRow
from rlmc.ledger.report import SavingsReport, SessionAccount
from rlmc.views.stats_data import CSV_COLUMNS, Data, csv_row, report_data

SESSION_COLUMNS = ("id", "started_at", "ended_at", "client", "name", "directory", "git_branch", "policy", *CSV_COLUMNS)
_OF_TURN = (
    "paid_usd", "paid_complete", "baseline_usd", "baseline_complete", "saved_usd", "saved_bound",
    "baseline_half_width_usd", "draft_only_usd",
)  # fmt: skip
TURN_COLUMNS = (
    "id", "started_at", "session", "class", "outcome", "reason", "ending", "served_model", "latency_ms", "simulated",
    "baseline_estimated", *_OF_TURN,
)  # fmt: skip


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
        "git_branch": row.git_branch,
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


def session_row(one: SessionAccount) -> list[object]:
    """In the order of `SESSION_COLUMNS`; an empty cell is an unknown figure."""
    row = one.session
    ended = "" if row.ended_at is None else local(row.ended_at).isoformat()
    facts = [row.client, row.name or "", row.directory or "", row.git_branch or "", row.policy]
    return [row.id, local(row.started_at).isoformat(), ended, *facts, *csv_row(one.report)]


def turn_row(turn: TurnRow) -> list[object]:
    """In the order of `TURN_COLUMNS`; an empty cell is an unknown figure."""
    figures = dict(zip(CSV_COLUMNS, csv_row(account_of(turn)), strict=True))
    return [
        turn.id,
        local(turn.started_at).isoformat(),
        turn.session,
        turn.request_class,
        turn.outcome,
        turn.reason,
        turn.ending,
        turn.served_model,
        f"{turn.latency_ms:.1f}",
        int(turn.simulated),
        int(turn.baseline_estimated),
        *(figures[name] for name in _OF_TURN),
    ]


def account_of(turn: TurnRow) -> SavingsReport:
    """The account of one turn alone. Its saving says little: what one turn saves, the next may pay in part."""
    report = SavingsReport()
    report.add(turn)
    return report
