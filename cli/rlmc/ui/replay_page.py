"""A replay as one web page that needs nothing beside itself: styles and bars are inside, and there are no scripts.

Rule: every text that is put in is escaped; what came from a record is only ever text.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from rlmc.domain.outcome import Outcome
from rlmc.ledger.period import Period
from rlmc.replay.recorded import ReadingFaults
from rlmc.replay.report import DraftReport, PolicyReport
from rlmc.replay.study import Study
from rlmc.ui import replay_words as words
from rlmc.views.figures import label

_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.15rem; margin-top: 2.5rem; } h3 { font-size: 1rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: 1rem 0; }
th, td { text-align: right; padding: .25rem .75rem; border-bottom: 1px solid #8884; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
svg { display: block; width: 100%; height: auto; margin: 1rem 0; }
svg text { font: 13px system-ui, sans-serif; fill: currentColor; }
.gain { fill: #2a8f5b; } .loss { fill: #c0392b; } .range { stroke: currentColor; stroke-width: 1.5; }
"""
# The chart, in units of its own: names to the left, then a bar of at most so many, then the figure.
_LEFT, _BAR, _RIGHT, _ROW = 110, 480, 170, 28


def page(study: Study, period: Period, faults: ReadingFaults) -> str:
    title = words.heading(study, period)
    parts = [f"<h1>{escape(title)}</h1>", f"<p>{escape(words.models(study))}</p>"]
    if study.records.sessions:
        for report in study.drafts:
            parts += _draft(report, study)
    if study.accuracy is not None:
        parts += ["<h2>The simulated cache against bills</h2>", _list(words.accuracy(study.accuracy))]
    remarks = [*words.left_out(study), *words.faults_found(faults)]
    if remarks:
        parts += ["<h2>To be known</h2>", _list(remarks)]
    parts += ["<h2>Assumed</h2>", _list(words.assumed(study))]
    body = "\n".join(parts)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _draft(report: DraftReport, study: Study) -> list[str]:
    optimum, by = study.question.optimum, study.question.by
    parts = [f"<h2>Draft model {_name(str(report.draft))}</h2>", _chart(report.policies)]
    header = ["policy", "saved", "95 % interval", "paid", "baseline", *(["optimum"] if optimum else [])]
    header += [*(outcome.value for outcome in Outcome), "wasted drafts", "brief checks", "audits", "saved with audits"]
    parts.append(_table(header, [_policy(policy, optimum) for policy in report.policies]))
    parts.append(_table(["latency", "p50", "p95"], _latencies(report)))
    alone = words.draft_alone(report)
    if alone is not None:
        parts.append(f"<p>{escape(alone)}</p>")
    if by is not None and report.policies:
        first = report.policies[0].groups
        rows = [
            [
                label(key),
                words.short(first[key].baseline),
                *(words.saved(policy.groups[key]) for policy in report.policies),
            ]
            for key in sorted(first)
        ]
        parts += [f"<h3>By {by}</h3>", _table([by, "baseline", *(p.policy for p in report.policies)], rows)]
    return parts


def _policy(report: PolicyReport, optimum: bool) -> list[str]:
    tally = report.total
    row = [report.policy, words.saved(tally), words.between(tally.interval())]
    row += [words.short(tally.paid), words.short(tally.baseline)]
    if optimum:
        row.append(words.points(tally.optimum_share))
    row += [words.points(tally.outcome_share(outcome)) for outcome in Outcome]
    return [
        *row,
        f"{tally.wasted:,}",
        f"{tally.briefs:,}",
        words.short(tally.audits),
        words.points(tally.audited_share),
    ]


def _latencies(report: DraftReport) -> list[list[str]]:
    timed = [policy for policy in report.policies if policy.total.recorded.count]
    spreads = [(policy.policy, policy.total.estimate) for policy in timed]
    if timed:
        spreads.insert(0, ("(recorded)", timed[0].total.recorded))
    return [
        [name, words.duration(spread.percentile(50)), words.duration(spread.percentile(95))] for name, spread in spreads
    ]


def _chart(policies: Sequence[PolicyReport]) -> str:
    """Saved shares as bars from nothing to everything, with the interval as a line."""
    bars = [_bar(policy, row * _ROW) for row, policy in enumerate(policies)]
    width, height = _LEFT + _BAR + _RIGHT, len(policies) * _ROW
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="Saved share by policy">\n'
        + "\n".join(bars)
        + "\n</svg>"
    )


def _bar(report: PolicyReport, top: int) -> str:
    tally, middle = report.total, top + _ROW / 2
    share = tally.share or 0.0
    length = min(1.0, abs(share)) * _BAR
    kind = "gain" if share >= 0 else "loss"
    parts = [
        f'<text x="0" y="{middle + 5:.1f}">{_name(report.policy)}</text>',
        f'<rect class="{kind}" x="{_LEFT}" y="{top + 5}" width="{length:.1f}" height="{_ROW - 10}"></rect>',
    ]
    interval = tally.interval()
    end = length
    if interval is not None and interval[0] >= 0 and interval[1] > interval[0]:
        low, high = (min(1.0, edge) * _BAR for edge in interval)
        end = max(end, high)
        parts.append(
            f'<line class="range" x1="{_LEFT + low:.1f}" y1="{middle:.1f}" x2="{_LEFT + high:.1f}" y2="{middle:.1f}">'
            "</line>"
        )
    parts.append(f'<text x="{_LEFT + end + 8:.1f}" y="{middle + 5:.1f}">{escape(words.saved(tally))}</text>')
    return "\n".join(parts)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    body = "\n".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>'


def _list(sentences: Sequence[str]) -> str:
    return "<ul>\n" + "\n".join(f"<li>{escape(sentence.strip())}</li>" for sentence in sentences) + "\n</ul>"


def _name(text: str) -> str:
    return escape(label(text))
