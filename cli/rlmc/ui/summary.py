"""The few lines `rlmc run` prints at its end, on stderr: what happened, what it cost, what it saved.

Rule: plain text, no colours, no figure that is not in the ledger. A loss is called a loss.
"""

from __future__ import annotations

from rlmc.domain.outcome import Outcome
from rlmc.ledger.quality import Known
from rlmc.ledger.report import SavingsReport
from rlmc.ui.closing import NO_TURN, closing
from rlmc.views import sentences
from rlmc.views.figures import amount, baseline, count, saving, seconds


def session_summary(report: SavingsReport, notes: list[str], known: Known | None = None) -> str:
    """`notes` are the caller's: why no request may have come, what a session had to do without. `known` is what there
    is to say of quality, as `sentences.quality` takes it."""
    if not report.turns:
        return closing(NO_TURN, notes)
    outcomes = [f"{report.outcomes[o.value]:,} {o.value}" for o in Outcome if report.outcomes[o.value]]
    alone = sentences.draft_alone(report) if report.draft_only.exact is not None else None
    quality = sentences.quality(report, known)
    found = [sentences.simulated(report), *sentences.unknown_prices(report), sentences.auto_mode(report)]
    first = " · ".join([count(report.turns, "turn"), *outcomes])
    lines = [
        f"paid {amount(report.paid)}, baseline {baseline(report)}, {saving(report.saving, report.share)}",
        None if alone is None else f"the draft model alone: {alone}",
        _speed(report),
        None if quality is None else f"quality: {quality}",
        sentences.estimates(report) if report.baseline_estimated else None,
        *found,
        *notes,
        "rlmc stats --last for more",
    ]
    return closing(first, (line for line in lines if line))


def _speed(report: SavingsReport) -> str | None:
    median, alone = report.latency.percentile(50), report.baseline_latency.percentile(50)
    if median is None:
        return None
    estimate = f" (baseline est. {seconds(alone)})" if alone is not None and report.drafted_turns else ""
    return f"p50 {seconds(median)}{estimate}"
