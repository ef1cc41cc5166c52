"""What is known of quality as plain data, for `--json`. Shares and losses are numbers from 0 to 1."""

from __future__ import annotations

from rlmc.ledger.quality import Known
from rlmc.ledger.report import SavingsReport
from rlmc.quality.standing import Standing
from rlmc.views import sentences
from rlmc.views.stats_data import Data


def quality_data(report: SavingsReport, known: Known | None) -> Data:
    """Of the epoch that most of a report's audited turns belong to."""
    return {
        "line": sentences.quality(report, known),
        "epoch": None if known is None else known.epoch,
        "epochs": 0 if known is None else known.epochs,
        "stopped": known is not None and known.stopped,
        "standing": None if known is None else standing_data(known.standing),
    }


def standing_data(found: Standing) -> Data:
    return {
        "turns": found.turns,
        "drafted_turns": found.served,
        "audits": {
            "drawn": found.audits,
            "ended": found.ended,
            "waiting": found.waiting,
            "lost": found.lost,
            "without_verdict": found.failed,
            "worse": found.worse,
            "material": found.material,
            "minor": found.minor,
            "disputed": found.disputed,
            "loss": found.loss,
        },
        "judge": {"planted": found.planted, "caught": found.caught, "catches_at_least": found.judge},
        "bound": {
            "confidence": found.confidence,
            "of_drafted_as_judged": found.bound,
            "of_drafted": found.corrected,
            "of_all_turns": found.overall,
        },
        "target": found.target,
        "certified": found.certified,
        "audits_to_go": found.to_go,
    }
