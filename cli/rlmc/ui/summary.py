"""The few lines `rlmc run` prints at its end, on stderr: what happened, what it cost, what it saved.

Rule: plain text, no colours, no figure that is not in the ledger. A loss is called a loss.
"""

from __future__ import annotations

from rlmc.domain.outcome import Outcome
from rlmc.ledger.report import SavingsReport
from rlmc.views import sentences
from rlmc.views.figures import amount, baseline, count, saving, seconds


def session_summary(report: SavingsReport, notes: list[str]) -> str:
    """`notes` are the caller's: why no request may have come, what a session had to do without."""
    if not report.turns:
        return _lines(["no turn came through rlmc, so there is nothing to account for", *notes])
    outcomes = [f"{report.outcomes[o.value]:,} {o.value}" for o in Outcome if report.outcomes[o.value]]
    alone = sentences.draft_alone(report) if report.draft_only.exact is not None else None
    found = [sentences.simulated(report), *sentences.unknown_prices(report), sentences.auto_mode(report)]
    lines = [
        " · ".join([count(report.turns, "turn"), *outcomes]),
        f"paid {amount(report.paid)}, baseline {baseline(report)}, {saving(report.saving, report.share)}",
        None if alone is None else f"the draft model alone: {alone}",
        _speed_and_quality(report),
        sentences.estimates(report) if report.baseline_estimated else None,
        *found,
        *notes,
        "rlmc stats --last for more",
    ]
    return _lines([line for line in lines if line])


def _speed_and_quality(report: SavingsReport) -> str:
    parts = []
    median, alone = report.latency.percentile(50), report.baseline_latency.percentile(50)
    if median is not None:
        estimate = f" (baseline est. {seconds(alone)})" if alone is not None and report.drafted_turns else ""
        parts.append(f"p50 {seconds(median)}{estimate}")
    quality = sentences.quality(report)
    if quality is not None:
        parts.append(f"quality: {quality}")
    return " · ".join(parts)


def _lines(lines: list[str]) -> str:
    first, *rest = lines
    return "\n".join([f"rlmc: {first}", *(f"      {line}" for line in rest)])
