"""An account as plain data, for `--json` and `--csv`.

Rule: every amount comes as an integer of picodollars and as decimal dollars in a string; an amount that is only a bound
says so (`complete`, `bound`).
"""

from __future__ import annotations

from rlmc.domain.money import Picodollars, dollars
from rlmc.domain.outcome import Outcome
from rlmc.ledger.period import Period, local
from rlmc.ledger.report import Account, Amount, Latencies, SavingsReport, Side

Data = dict[str, object]

CSV_COLUMNS = (
    "turns", "skipped", "accepted", "enhanced", "direct",
    "paid_usd", "paid_complete", "baseline_usd", "baseline_complete", "baseline_estimated_turns",
    "saved_usd", "saved_bound", "share",
    "draft_prompt_tokens", "draft_output_tokens", "verify_prompt_tokens", "verify_output_tokens",
    "p50_ms", "p95_ms", "simulated",
    "baseline_half_width_usd", "draft_only_usd", "brief_calls", "brief_paid_usd", "keepalive_calls",
    "keepalive_paid_usd", "audit_calls", "audit_paid_usd",
)  # fmt: skip


def stats_data(account: Account, period: Period, by: str | None, notes: list[str]) -> Data:
    return {
        "period": {"name": period.name, "since": _iso(period.since), "until": _iso(period.until)},
        "total": report_data(account.total),
        "by": by,
        "groups": [{"key": key, **report_data(report)} for key, report in account.groups],
        "simulated_turns_left_out": account.left_out,
        "notes": notes,
    }


def report_data(r: SavingsReport) -> Data:
    return {
        "turns": r.turns,
        "simulated": r.simulated,
        "outcomes": {o.value: r.outcomes[o.value] for o in Outcome},
        "reasons": dict(sorted(r.reasons.items())),
        "paid": _sum(r.paid),
        "baseline": {
            **_sum(r.baseline),
            "half_width": money_data(r.half_width),
            "estimated_turns": r.baseline_estimated,
            "assumes": "no extra turns",
        },
        "draft_only": _sum(r.draft_only),
        "saved": {**money_data(r.saving.amount), "bound": r.saving.bound, "share": r.share, "break_even": r.break_even},
        "draft": _side(r.draft),
        "verify": _side(r.verify),
        "wasted_drafts": _side(r.wasted),
        "brief": _side(r.brief),
        "keepalive": _side(r.keepalive),
        "audit": _side(r.audit),
        "latency_ms": {
            **_percentiles(r.latency),
            "outcomes": {o.value: _percentiles(r.latency_by_outcome.get(o.value, Latencies())) for o in Outcome},
            "baseline_estimate": _percentiles(r.baseline_latency),
        },
        "unpriced_calls": dict(sorted(r.unpriced.items())),
        "unmeasured_calls": r.unmeasured,
        "estimated_calls": r.estimated_calls,
        "unfinished_turns": r.unfinished,
        "auto_mode_turns": r.auto_mode_turns,
        "audits": r.audits,
        "auditable_turns": r.coins.total(),
        "unaudited_turns": r.unaudited,
    }


def csv_row(r: SavingsReport) -> list[object]:
    """In the order of `CSV_COLUMNS`; an empty cell is an unknown figure."""
    saved = r.saving
    return [
        r.turns,
        *(r.outcomes[outcome.value] for outcome in Outcome),
        _text(r.paid.known),
        int(not r.paid.missing),
        _text(r.baseline.known),
        int(not r.baseline.missing),
        r.baseline_estimated,
        "" if saved.amount is None else _text(saved.amount),
        saved.bound,
        "" if r.share is None else f"{r.share:.6f}",
        r.draft.prompt,
        r.draft.output,
        r.verify.prompt,
        r.verify.output,
        _cell(r.latency.percentile(50)),
        _cell(r.latency.percentile(95)),
        int(r.simulated),
        _text(r.half_width),
        _exact(r.draft_only),
        r.brief.calls,
        _exact(r.brief.paid),
        r.keepalive.calls,
        _exact(r.keepalive.paid),
        r.audit.calls,
        _exact(r.audit.paid),
    ]


def _side(side: Side) -> Data:
    return {
        "calls": side.calls,
        "input_tokens": side.input,
        "cache_read_tokens": side.cache_read,
        "cache_write_5m_tokens": side.cache_write_5m,
        "cache_write_1h_tokens": side.cache_write_1h,
        "output_tokens": side.output,
        "thinking_tokens": side.thinking,
        "cache_read_share": side.read_share,
        "paid": _sum(side.paid),
    }


def _sum(amount: Amount) -> Data:
    return {**money_data(amount.known), "complete": not amount.missing, "missing": amount.missing}


def money_data(amount: Picodollars | None) -> Data:
    return {"picodollars": amount, "dollars": None if amount is None else _text(amount)}


def _text(amount: Picodollars) -> str:
    return f"{dollars(amount):f}"


def _exact(amount: Amount) -> str:
    return "" if amount.exact is None else _text(amount.exact)


def _percentiles(latencies: Latencies) -> Data:
    return {"p50": latencies.percentile(50), "p95": latencies.percentile(95), "turns": latencies.count}


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _iso(at: int | None) -> str | None:
    return None if at is None else local(at).isoformat()
