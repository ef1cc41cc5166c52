"""A replay as plain data, for `--json` and `--csv`.

Rule: every amount comes as an integer of picodollars and as decimal dollars in a string; an amount that is only a bound
says so (`complete`, `bound`).
"""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from typing import TextIO

from rlmc.domain.money import Picodollars, dollars
from rlmc.domain.outcome import Outcome
from rlmc.ledger.period import Period, local
from rlmc.ledger.report import Amount, Saving
from rlmc.replay.accuracy import KINDS, Accuracy
from rlmc.replay.recorded import ReadingFaults
from rlmc.replay.report import DraftReport, PolicyReport, Spread, Tally
from rlmc.replay.study import Study
from rlmc.ui.replay_words import assumed, left_out

Data = dict[str, object]

CSV_COLUMNS = (
    "draft_model", "policy", "sessions", "calls", "skipped", "accepted", "enhanced", "direct",
    "paid_usd", "paid_complete", "baseline_usd", "baseline_complete", "saved_usd", "saved_bound",
    "share", "share_low", "share_high", "optimum_share", "draft_only_usd", "audits_usd", "share_with_audits",
    "wasted_drafts", "brief_checks", "recorded_p50_s", "recorded_p95_s", "p50_s", "p95_s",
)  # fmt: skip


def replay_data(study: Study, period: Period, faults: ReadingFaults) -> Data:
    question, records = study.question, study.records
    return {
        "period": {"name": period.name, "since": _iso(period.since), "until": _iso(period.until)},
        "verify_model": "as-recorded" if question.verify is None else str(question.verify),
        "prices_of": datetime.fromtimestamp(question.prices_at / 1e6, UTC).date().isoformat(),
        "assumptions": question.assumptions.as_data(),
        "records": {
            "sessions": records.sessions,
            "calls": records.calls,
            "days": len(records.days),
            "answers_by_drafts": records.by_draft,
            "unknown_answers": records.unknown_answers,
            "estimated_outputs": records.estimated_outputs,
            "sessions_without_clock": records.clockless,
            "sessions_without_price": records.unpriced_sessions,
            "models_without_price": dict(sorted(records.unpriced.items())),
            "sessions_without_date": records.undated,
            "broken_lines": faults.broken,
            "skipped_records": faults.skipped,
            "unreadable_files": faults.files,
        },
        "by": question.by,
        "drafts": [_draft(report) for report in study.drafts],
        "accuracy": None if study.accuracy is None else _accuracy(study.accuracy),
        "notes": left_out(study),
        "assumed": assumed(study),
    }


def write_csv(study: Study, out: TextIO) -> None:
    """One row for each draft model and policy, or for each group of them."""
    writer = csv.writer(out, lineterminator="\n")
    by = study.question.by
    writer.writerow(CSV_COLUMNS if by is None else (by, *CSV_COLUMNS))
    for report in study.drafts:
        for policy in report.policies:
            head = [str(report.draft), policy.policy]
            if by is None:
                writer.writerow([*head, *_row(policy.total)])
            for key, tally in sorted(policy.groups.items()):
                writer.writerow([key, *head, *_row(tally)])


def _draft(report: DraftReport) -> Data:
    return {
        "draft_model": str(report.draft),
        "policies": [_policy(policy) for policy in report.policies],
        "balanced_edits_direct": None if report.edits_direct is None else _tally(report.edits_direct),
    }


def _policy(report: PolicyReport) -> Data:
    return {
        "policy": report.policy,
        **_tally(report.total),
        "groups": [{"key": key, **_tally(tally)} for key, tally in sorted(report.groups.items())],
    }


def _tally(t: Tally) -> Data:
    low, high = t.interval() or (None, None)
    return {
        "sessions": t.sessions,
        "calls": t.calls,
        "outcomes": {outcome.value: t.outcomes[outcome] for outcome in Outcome},
        "paid": _sum(t.paid),
        "baseline": _sum(t.baseline),
        "saved": {**_saving(t.saving), "share": t.share, "share_low": low, "share_high": high},
        "optimum": None if t.optimum is None else {**_sum(t.optimum), "share": t.optimum_share},
        "draft_only": _sum(t.draft_only),
        "audits": {**_sum(t.audits), "saved_with": {**_saving(t.audited), "share": t.audited_share}},
        "wasted_drafts": t.wasted,
        "brief_checks": t.briefs,
        "latency_s": {"recorded": _percentiles(t.recorded), "estimate": _percentiles(t.estimate)},
    }


def _row(t: Tally) -> list[object]:
    """In the order of `CSV_COLUMNS`, from the third on; an empty cell is an unknown figure."""
    saved = t.saving
    low, high = t.interval() or (None, None)
    return [
        t.sessions,
        t.calls,
        *(t.outcomes[outcome] for outcome in Outcome),
        _text(t.paid.known),
        int(not t.paid.missing),
        _text(t.baseline.known),
        int(not t.baseline.missing),
        "" if saved.amount is None else _text(saved.amount),
        saved.bound,
        *(_cell(share) for share in (t.share, low, high, t.optimum_share)),
        "" if t.draft_only.exact is None else _text(t.draft_only.exact),
        "" if t.audits.exact is None else _text(t.audits.exact),
        _cell(t.audited_share),
        t.wasted,
        t.briefs,
        *(_cell(spread.percentile(percent)) for spread in (t.recorded, t.estimate) for percent in (50, 95)),
    ]


def _accuracy(found: Accuracy) -> Data:
    return {
        "prices": "own" if found.model is None else str(found.model),
        "sessions": found.sessions,
        "calls": found.calls,
        "calls_without_price": found.unpriced,
        "billed": _money(found.billed),
        "predicted": _money(found.predicted),
        "error": found.error,
        "median_session_error": found.median_error,
        "open_loop_error": found.open_error,
        "first_calls_open_loop_error": found.first_open_error,
        "kinds": {kind: {"calls": found.kinds[kind], "tested": found.tested(kind)} for kind in KINDS},
    }


def _saving(saved: Saving) -> Data:
    return {**_money(saved.amount), "bound": saved.bound}


def _sum(amount: Amount) -> Data:
    return {**_money(amount.known), "complete": not amount.missing, "missing": amount.missing}


def _money(amount: Picodollars | None) -> Data:
    return {"picodollars": amount, "dollars": None if amount is None else _text(amount)}


def _text(amount: Picodollars) -> str:
    return f"{dollars(amount):f}"


def _percentiles(spread: Spread) -> Data:
    return {"p50": spread.percentile(50), "p95": spread.percentile(95), "calls": spread.count}


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.6f}"


def _iso(at: int | None) -> str | None:
    return None if at is None else local(at).isoformat()
