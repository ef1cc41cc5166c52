"""What has to be said beside the figures of a report: what is unknown, estimated, simulated, or in the way.

Rule: the session summary and `rlmc stats` say the same thing in the same words.
"""

from __future__ import annotations

from rlmc.ledger.period import day_of
from rlmc.ledger.quality import Known
from rlmc.ledger.report import SavingsReport
from rlmc.views.figures import amount, count, label
from rlmc.views.standing import standing

_NAMED = 3


def unknown_prices(report: SavingsReport) -> list[str]:
    lines = []
    calls = sum(report.unpriced.values())
    if calls:
        models = sorted(report.unpriced)
        names = ", ".join(label(name) for name in models[:_NAMED])
        rest = f" and {len(models) - _NAMED} more" if len(models) > _NAMED else ""
        lines.append(f"{count(calls, 'call has', 'calls have')} no known price: {names}{rest}")
    if report.unmeasured:
        lines.append(f"{count(report.unmeasured, 'call', 'calls')} sent no usage, so what they cost is not known")
    if report.baseline.missing:
        lines.append(f"{count(report.baseline.missing, 'turn has', 'turns have')} no known baseline")
    return lines


def estimates(report: SavingsReport) -> str:
    if not report.baseline_estimated:
        return "baseline measured on every turn; assumes no extra turns"
    return (
        f"baseline estimated on {report.baseline_estimated:,} of {count(report.turns, 'turn')}; assumes no extra turns"
    )


def draft_alone(report: SavingsReport) -> str | None:
    """What the draft model alone would have cost, where there were drafts and anything of it is known."""
    if not report.draft.calls or (report.draft_only.missing and not report.draft_only.known):
        return None
    return amount(report.draft_only)


def brief_checks(report: SavingsReport) -> str:
    return f"{count(report.brief.calls, 'draft')} verified on a compact context"


def kept_warm(report: SavingsReport) -> str:
    return f"{count(report.keepalive.calls, 'call')} that only kept a cache warm"


def audited(report: SavingsReport) -> str:
    answers = report.audits
    judged = report.audit.calls - answers
    found = f"{count(answers, 'answer')} without the draft"
    return f"{found}, {count(judged, 'judgement')}" if judged else found


def quality(report: SavingsReport, known: Known | None) -> str | None:
    """`known` is `quality.of_report` of this report: what is said is of its epoch, not of these turns alone. None where
    no draft was the answer unchecked: there is nothing to judge then."""
    coins = report.coins.total()
    if not coins + report.unaudited:
        return None
    if known is None:
        return f"not audited ({count(coins + report.unaudited, 'turn')} that a draft answered)"
    found = [standing(known.standing)]
    if known.stopped:
        found.insert(0, "STOPPED, `rlmc quality` says why")
    if known.epochs > 1:
        found.append(f"of the most used of {known.epochs} epochs")
    if known.standing.served > known.here:
        all = count(known.standing.served, "turn")
        found.append(f"of all {all} that a draft answered so since {day_of(known.began_at)}")
    if report.unaudited:
        found.append(f"not audited: {count(report.unaudited, 'turn')} that a draft answered")
    return "; ".join(found)


def auto_mode(report: SavingsReport) -> str | None:
    turns = report.auto_mode_turns
    if not turns:
        return None
    return (
        f"{count(turns, 'turn')} went direct because the agent's auto mode asks the server to judge its tool calls;"
        " `--permission-mode acceptEdits` (or default) lets drafts help"
    )


def removed(turns: int, sessions: int, until: int) -> str | None:
    """What a total lacks because it was taken out of the ledger; as `LedgerReader.removed` counts it."""
    if not turns:
        return None
    were = "was" if turns == 1 else "were"
    return (
        f"{count(turns, 'turn')} of {count(sessions, 'session')}, none after {day_of(until)}, {were} removed from the "
        "ledger; no figure here holds them."
    )


def simulated(report: SavingsReport) -> str | None:
    return "simulated models, simulated prices" if report.simulated else None
