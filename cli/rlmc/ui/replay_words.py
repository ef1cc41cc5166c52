"""What has to be said beside the figures of a replay: what was read, left out, unknown and assumed.

Rule: the text and the web page say the same thing in the same words.
"""

from __future__ import annotations

from datetime import UTC, datetime

from rlmc.ledger.period import Period
from rlmc.ledger.report import Amount
from rlmc.replay.accuracy import ENOUGH, KINDS, Accuracy
from rlmc.replay.recorded import ReadingFaults
from rlmc.replay.report import DraftReport, Tally
from rlmc.replay.run import BRIEF_SECONDS
from rlmc.replay.study import Study
from rlmc.views.figures import count, label, money, seconds

_NAMED = 3
_KINDS = {
    "first": "first calls of a conversation",
    "warm": "calls while the prefix was warm",
    "broken": "calls that lost a prefix that was warm",
    "lapsed": "calls after the prefix had lapsed",
}


def points(share: float | None) -> str:
    """A share with one decimal: policies differ by less than a per cent."""
    return "-" if share is None else f"{share * 100:.1f} %"


def between(interval: tuple[float, float] | None) -> str:
    return "-" if interval is None else f"{interval[0] * 100:.1f} to {interval[1] * 100:.1f} %"


def short(sum: Amount) -> str:
    if not sum.missing:
        return money(sum.known)
    return f"≥ {money(sum.known)}" if sum.known else "?"


def duration(spell: float | None) -> str:
    """`spell` is in seconds."""
    return "-" if spell is None else seconds(spell * 1000)


def saved(tally: Tally) -> str:
    """The saved share; where a price is unknown what is left of it."""
    if tally.share is not None:
        return points(tally.share)
    found = tally.saving
    if found.amount is None or found.bound == "exact":
        return "?" if found.amount is None else money(found.amount)
    return ("≤ " if found.bound == "at most" else "≥ ") + money(found.amount)


def heading(study: Study, period: Period) -> str:
    records = study.records
    parts = [count(records.sessions, "session"), count(records.calls, "call")]
    if records.days:
        parts.append(count(len(records.days), "day"))
    dates = f" {period.name}" if period.since is not None or period.until is not None else ""
    return f"rlmc replay{dates}: {', '.join(parts)}"


def models(study: Study) -> str:
    verify = study.question.verify
    return f"verify model {'as recorded' if verify is None else label(str(verify))}"


def draft_alone(report: DraftReport) -> str | None:
    """One line on the draft-only session, from the policy that has the clearest view of it."""
    if not report.policies or not report.policies[0].total.calls:
        return None
    tally = report.policies[0].total
    if tally.draft_only.missing:
        return f"No price is known of {label(str(report.draft))}: what drafts would have cost is unknown."
    share = tally.draft_only_share
    less = "" if share is None else f", {points(abs(share))} {'less' if share >= 0 else 'more'} than the baseline"
    return f"The draft model alone, whatever its answers were worth: {money(tally.draft_only.known)}{less}."


def faults_found(faults: ReadingFaults) -> list[str]:
    found = []
    if faults.broken:
        found.append(f"{count(faults.broken, 'line is', 'lines are')} broken and left out.")
    if faults.files:
        found.append(f"{count(faults.files, 'file is', 'files are')} unreadable or no transcript of a known kind.")
    if faults.skipped:
        found.append(f"{count(faults.skipped, 'record')} without token counts left out.")
    return found


def left_out(study: Study) -> list[str]:
    records = study.records
    found = []
    if records.unpriced_sessions:
        names = sorted(records.unpriced, key=lambda name: (-records.unpriced[name], name))
        named = ", ".join(label(name) for name in names[:_NAMED])
        rest = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        found.append(
            f"{count(records.unpriced_sessions, 'session')} left out of every figure, because no price is known of the "
            f"verify model: {named}{rest}."
        )
    if records.undated:
        found.append(f"{count(records.undated, 'session')} left out, because the record tells no date.")
    if records.unknown_answers:
        counted = "it counts" if records.unknown_answers == 1 else "they count"
        found.append(
            f"The record does not tell what {count(records.unknown_answers, 'answer')} did; {counted} as unsafe."
        )
    if records.by_draft:
        found.append(
            f"{records.by_draft:,} of the recorded answers were drafts already; their output says nothing of the "
            "verify model's."
        )
    return found


def assumed(study: Study) -> list[str]:
    """Everything the figures rest on, one sentence or two each."""
    records, own = study.records, study.question.assumptions
    day = datetime.fromtimestamp(study.question.prices_at / 1e6, UTC).date().isoformat()
    found = [
        "Drafts are as good as the recorded answers, and what came next would have come all the same. These are "
        "savings with good drafts; how good drafts are is not measured here.",
        _edits(study),
        f"A brief verification takes {own.brief_tokens:,} tokens and lets {points(own.brief_accept)} of drafts stand, "
        f"one on the whole prompt {points(own.verify_accept)}.",
    ]
    if own.shell_safe:
        found.append(f"{points(own.shell_safe)} of unsafe calls would on a closer look have been found safe.")
    if records.estimated_outputs:
        found.append(
            "Output tokens of transcripts are placeholders: "
            f"{records.estimated_outputs:,} of {count(records.calls, 'output')} were estimated from content."
        )
    found.append(f"Prices are those of {day}, at the hour of the recorded call.")
    if records.clockless:
        found.append(
            f"{count(records.clockless, 'session tells', 'sessions tell')} no time of day and are priced at noon (UTC)."
        )
    found.append(
        f"The draft model answers {own.draft_speed:g} times as fast as the recorded model did, and a verdict takes "
        f"{BRIEF_SECONDS:g} s."
    )
    found.append(
        f"Audits of {points(own.audit_rate)} of skipped turns are in no figure but their own; wasted drafts and brief "
        "verifications are in every one."
    )
    if own.lines():
        found.append(f"Not the defaults: {', '.join(own.lines())}.")
    return found


def _edits(study: Study) -> str:
    if study.question.assumptions.edits == "direct":
        return "Drafted edits are left to the verify model."
    known = [(report.draft, report.edits_direct) for report in study.drafts if report.edits_direct is not None]
    text = "Drafted edits pass their validators."
    if not known:
        return text
    with_names = len(known) > 1
    figures = [saved(tally) + (f" with {label(str(draft))}" if with_names else "") for draft, tally in known]
    return f"{text} With all edits left to the verify model (edits=direct) balanced would save {', '.join(figures)}."


def accuracy(found: Accuracy) -> list[str]:
    """How well the simulated cache agrees with bills, a line a figure."""
    if not found.calls:
        return ["No call here has a billed cache to compare with."]
    priced = "each model's own prices" if found.model is None else f"the prices of {label(str(found.model))}"
    lines = [
        f"Input cost of {count(found.calls, 'billed call')} in {count(found.sessions, 'session')}, at {priced}:",
        f"  {_signed(found.error)} in all, {_signed(found.median_error)} in the session in the middle",
        f"  {_signed(found.open_error)} in all, if nothing is taken from the record but the prompts' lengths",
        f"  {_signed(found.first_open_error)} of first calls in that case: what others had cached is not known",
    ]
    for kind in KINDS:
        tested = "" if found.tested(kind) else f"; fewer than {ENOUGH:,}: not tested"
        lines.append(f"  {found.kinds[kind]:,} {_KINDS[kind]}{tested}")
    if found.unpriced:
        lines.append(f"  {count(found.unpriced, 'billed call')} left out: no known price")
    return lines


def _signed(share: float | None) -> str:
    if share is None:
        return "-"
    text = f"{share * 100:+.1f} %"
    return "0.0 %" if text in ("+0.0 %", "-0.0 %") else text
