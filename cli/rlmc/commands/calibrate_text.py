"""The report of `rlmc calibrate` as text, and the list of what earlier ones found.

Rule: a rate stands beside its count, and what the figures do not say is said below them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from rlmc.calibrate.report import CalibrationReport
from rlmc.cascade.bucket import BUCKETS
from rlmc.ledger.care import Calibration
from rlmc.quality.opening import Opening
from rlmc.ui.listing import Column, lines
from rlmc.ui.prose import PIPE, wrapped
from rlmc.views.figures import amount, count, exact_percent, upper

_OPENINGS = (
    Column("drafts that"),
    Column("compared", right=True),
    Column("worse", right=True),
    Column("loss", right=True),
    Column("at most", right=True),
    Column("from now on"),
)
_KEPT = (
    Column("drafts that"),
    Column("compared", right=True),
    Column("loss", right=True),
    Column("from then on"),
    Column("found on"),
)
_DOES = {
    "plan": "plan",
    "read": "read and search",
    "shell-safe": "run safe commands",
    "text": "answer",
    "edit": "edit",
}
_NOT_SERVED = {
    "gate": "refused by the gate",
    "effect": "not to be released for what they do",
    "checked": "long answers, which are verified",
}


def report_lines(report: CalibrationReport) -> list[str]:
    simulated = " Simulated models, simulated prices." if report.simulated else ""
    compared = sum(one.labels.count for one in report.openings)
    found = wrapped(
        f"{count(compared, 'draft')} of {report.draft} beside what was done; judge {report.verify}.{simulated}", PIPE
    )
    table = [_row(one, report) for one in report.openings]
    found += ["", *lines(_OPENINGS, table, sys.stdout, PIPE), ""]
    for remark in _remarks(report):
        found += wrapped(remark, PIPE)
    return found


def list_lines(kept: Mapping[tuple[str, str], Sequence[Calibration]]) -> list[str]:
    if not kept:
        return ["There is no calibration."]
    found: list[str] = []
    for (draft, verify), rows in kept.items():
        found += [""] if found else []
        found += wrapped(f"draft {draft}, verify {verify}", PIPE)
        table = [
            [
                _DOES.get(one.bucket, one.bucket),
                f"{one.labels:,}",
                f"{one.loss:g}",
                "may be served" if one.opened else "not served",
                _day(one.at),
            ]
            for one in sorted(rows, key=lambda one: _place(one.bucket))
        ]
        found += lines(_KEPT, table, sys.stdout, PIPE)
    return found


def _row(one: Opening, report: CalibrationReport) -> list[str]:
    labels = one.labels
    return [
        _DOES.get(labels.bucket, labels.bucket),
        f"{labels.count:,}",
        f"{labels.worse:,}",
        f"{labels.loss:g}",
        upper(one.bound) if labels.count else "-",
        _verdict(one, report),
    ]


def _verdict(one: Opening, report: CalibrationReport) -> str:
    match one.verdict:
        case "open":
            return "may be served"
        case "shut":
            return f"not served: may be over {exact_percent(report.limit)}"
        case "few":
            return f"not served: too few, {report.needed:,} needed"
        case "unreached":
            return "not served: after one that failed"


def _remarks(report: CalibrationReport) -> Iterator[str]:
    confidence = exact_percent(report.confidence)
    yield (
        f"A kind may be served if, with {confidence} confidence, at most {exact_percent(report.limit)} of its "
        "drafts are worse at all. Kinds are tested in this order, and the first that fails ends it: so the chance that "
        f"any opens wrongly is at most {exact_percent(1 - report.confidence)}."
    )
    if report.not_served:
        why = ", ".join(f"{n:,} {_NOT_SERVED[how]}" for how, n in report.not_served.items())
        yield f"{count(sum(report.not_served.values()), 'draft')} would never be served: {why}."
    if report.unanswered:
        why = ", ".join(f"{why} {n:,}" for why, n in report.unanswered.items())
        yield f"{count(sum(report.unanswered.values()), 'step')} not answered ({why}); the same command tries again."
    if report.unusable:
        yield f"{count(report.unusable, 'step')} could not be built again from the transcript."
    yield f"Paid so far: {amount(report.paid)}, in sessions {' and '.join(report.sessions)} of the ledger."
    if report.simulated:
        yield "Simulated models are not made to be good: this shows that it works, not how good a model is."


def _place(bucket: str) -> int:
    return BUCKETS.index(bucket) if bucket in BUCKETS else len(BUCKETS)


def _day(at: int) -> str:
    return datetime.fromtimestamp(at / 1e6).astimezone().strftime("%Y-%m-%d")
