"""A replay as aligned text in at most 80 columns, with a chart that needs no colours."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TextIO

from rlmc.domain.outcome import Outcome
from rlmc.ledger.period import Period
from rlmc.replay.recorded import ReadingFaults
from rlmc.replay.report import DraftReport, PolicyReport
from rlmc.replay.study import Study
from rlmc.ui import replay_words as words
from rlmc.ui.console import paint
from rlmc.views.figures import label

WIDTH = 80
_BAR = 50  # columns of a saving of 100 %
_MOST_GROUPS = 40
_LEAST_KEY = 12
_GAP = 2


def lines(study: Study, period: Period, faults: ReadingFaults, out: TextIO) -> list[str]:
    found = [paint(words.heading(study, period), "bold", out), words.models(study)]
    if study.records.sessions:
        for report in study.drafts:
            found += ["", paint(f"draft model {label(str(report.draft))}", "bold", out), ""]
            found += _draft(report, study, out)
    if study.accuracy is not None:
        found += ["", paint("The simulated cache against bills", "bold", out), ""]
        found += [line for text in words.accuracy(study.accuracy) for line in _wrapped(text)]
    remarks = [*words.left_out(study), *words.faults_found(faults)]
    if remarks:
        found += ["", *_list(remarks)]
    if study.records.sessions:
        found += ["", paint("Assumed", "bold", out), "", *_list(words.assumed(study))]
    return found


def _draft(report: DraftReport, study: Study, out: TextIO) -> list[str]:
    found = _table(_money_rows(report, study.question.optimum), out)
    found += ["", *_table(_outcome_rows(report), out)]
    found += ["", *_table(_effort_rows(report), out)]
    alone = words.draft_alone(report)
    if alone is not None:
        found += ["", *_wrapped(alone)]
    found += ["", *_chart(report.policies)]
    if study.question.by is not None:
        found += ["", *_groups(report, study.question.by, out)]
    return found


def _money_rows(report: DraftReport, optimum: bool) -> list[list[str]]:
    rows = [["policy", "saved", "95 % interval", "paid", "baseline", *(["optimum"] if optimum else [])]]
    for policy in report.policies:
        tally = policy.total
        row = [policy.policy, words.saved(tally), words.between(tally.interval())]
        row += [words.short(tally.paid), words.short(tally.baseline)]
        rows.append([*row, words.points(tally.optimum_share)] if optimum else row)
    return rows


def _outcome_rows(report: DraftReport) -> list[list[str]]:
    rows = [["policy", *(outcome.value for outcome in Outcome), "p50", "p95"]]
    timed = next((policy.total for policy in report.policies if policy.total.recorded.count), None)
    if timed is not None:
        times = timed.recorded
        rows.append(
            ["(recorded)", "", "", "", "", words.duration(times.percentile(50)), words.duration(times.percentile(95))]
        )
    for policy in report.policies:
        tally = policy.total
        shares = [words.points(tally.outcome_share(outcome)) for outcome in Outcome]
        times = tally.estimate
        rows.append(
            [policy.policy, *shares, words.duration(times.percentile(50)), words.duration(times.percentile(95))]
        )
    return rows


def _effort_rows(report: DraftReport) -> list[list[str]]:
    rows = [["policy", "calls", "wasted drafts", "brief checks", "audits", "saved with audits"]]
    for policy in report.policies:
        tally = policy.total
        rows.append(
            [
                policy.policy,
                f"{tally.calls:,}",
                f"{tally.wasted:,}",
                f"{tally.briefs:,}",
                words.short(tally.audits),
                words.points(tally.audited_share),
            ]
        )
    return rows


def _chart(policies: Sequence[PolicyReport]) -> list[str]:
    """Saved shares as bars; a loss is drawn with another sign, so that no colour is needed to tell."""
    name = max(len(policy.policy) for policy in policies)
    rows = []
    for policy in policies:
        share = policy.total.share
        sign = "█" if share is None or share >= 0 else "-"
        bar = sign * min(_BAR, round(abs(share or 0.0) * _BAR))
        rows.append(f"{policy.policy.ljust(name)}  {bar.ljust(_BAR)}  {words.saved(policy.total)}".rstrip())
    return rows


def _groups(report: DraftReport, by: str, out: TextIO) -> list[str]:
    """Saved shares by group; verify-only, which saves nothing anywhere, has no column."""
    shown = [policy for policy in report.policies if policy.policy != "verify-only"] or report.policies
    first = shown[0].groups
    largest = sorted(first, key=lambda key: (-first[key].baseline.known, key))[:_MOST_GROUPS]
    header = [by, "baseline", *(policy.policy for policy in shown)]
    keys = sorted(largest)
    figures = [
        [words.short(first[key].baseline), *(words.saved(policy.groups[key]) for policy in shown)] for key in keys
    ]
    widths = [max(len(row[column]) for row in [header[1:], *figures]) for column in range(len(header) - 1)]
    # What a key may take is what the figures leave.
    room = max(_LEAST_KEY, WIDTH - sum(width + _GAP for width in widths))
    found = _table([header, *([label(key, room), *row] for key, row in zip(keys, figures, strict=True))], out)
    if len(first) > len(keys):
        found.append(f"… and {len(first) - len(keys):,} more; --csv and --json have all of them.")
    return found


def _table(rows: Sequence[Sequence[str]], out: TextIO) -> list[str]:
    """The first column to the left, figures to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    found = []
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        found.append((" " * _GAP).join(cells).rstrip())
    return [paint(found[0], "bold", out), *found[1:]]


def _list(sentences: Sequence[str]) -> list[str]:
    found: list[str] = []
    for sentence in sentences:
        found += textwrap.wrap(
            sentence, WIDTH, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False, break_long_words=True
        )
    return found


def _wrapped(text: str) -> list[str]:
    indent = text[: len(text) - len(text.lstrip())]
    return textwrap.wrap(text, WIDTH, subsequent_indent=indent, break_on_hyphens=False)
