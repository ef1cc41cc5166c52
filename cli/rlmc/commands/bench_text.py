"""The report of `rlmc bench` as text: 80 columns, whatever the terminal.

Rule: a rate stands beside its count, and what the figures do not say is said below them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from rlmc.bench.report import ArmReport, BenchReport, Score
from rlmc.domain.outcome import Outcome
from rlmc.ui.listing import Column, lines
from rlmc.ui.prose import PIPE, wrapped
from rlmc.views.figures import count, label, percent, seconds, short

_SCORES = (
    Column("arm"),
    Column("tasks"),
    Column("passed", right=True),
    Column("rate", right=True),
    Column("95 %", right=True),
)
_PAIRS = (
    Column("arm"),
    Column("both answered", right=True),
    Column("only direct right", right=True),
    Column("only this right", right=True),
    Column("p", right=True),
)
_ACCOUNTS = (
    Column("arm"),
    *(Column(outcome.value, right=True) for outcome in Outcome),
    Column("paid", right=True),
    Column("baseline", right=True),
    Column("p50", right=True),
    Column("p95", right=True),
)


def report_lines(report: BenchReport) -> list[str]:
    out = sys.stdout
    scores = [[arm.arm.name, *_score(*row)] for arm in report.arms for row in _rows(arm)]
    found = [*_heading(report), "", *lines(_SCORES, scores, out, PIPE)]
    pairs = [
        [arm.arm.name, f"{p.tasks}", f"{p.only_direct}", f"{p.only_arm}", f"{p.p:.2g}"]
        for arm in report.arms
        if (p := arm.paired) is not None
    ]
    if pairs:
        found += ["", "Beside direct, task by task (McNemar, exact, two-sided):", *lines(_PAIRS, pairs, out, PIPE)]
    found += ["", *lines(_ACCOUNTS, [_account(arm) for arm in report.arms], out, PIPE), ""]
    for remark in _remarks(report):
        found += wrapped(remark, PIPE)
    return found


def _heading(report: BenchReport) -> list[str]:
    models = f"draft {report.draft}, verify {report.verify}" if report.draft else f"verify {report.verify}"
    simulated = " Simulated models, simulated prices." if report.simulated else ""
    return wrapped(
        f"{count(report.tasks, 'task')}, {count(len(report.arms), 'arm')}; {label(models)}.{simulated}", PIPE
    )


def _rows(arm: ArmReport) -> Iterator[tuple[str, Score]]:
    yield from arm.kinds
    if len(arm.kinds) > 1:
        yield "all", arm.whole


def _score(kind: str, score: Score) -> list[str]:
    if score.rate is None:
        return [kind, "0/0", "-", "-"]
    low, high = (round(bound, 4) for bound in score.interval)
    return [kind, f"{score.passed}/{score.total}", percent(score.rate), f"{percent(low)} to {percent(high)}"]


def _account(arm: ArmReport) -> list[str]:
    account = arm.account
    times = [account.latency.p50, account.latency.p95]
    return [
        arm.arm.name,
        *(f"{account.outcomes[outcome.value]:,}" for outcome in Outcome),
        short(account.paid) if account.turns else "-",
        short(account.baseline) if account.turns else "-",
        *("-" if time is None else seconds(time) for time in times),
    ]


def _remarks(report: BenchReport) -> Iterator[str]:
    for arm in report.arms:
        name, account = arm.arm.name, arm.account
        if arm.whole.missing:
            causes = ", ".join(f"{why} {tasks:,}" for why, tasks in arm.unanswered.items())
            yield f"{name}: {count(arm.whole.missing, 'task')} not answered ({causes}), and left out of its rate."
        if arm.arm.drafts and account.turns and account.outcomes[Outcome.DIRECT.value] == account.turns:
            reasons = ", ".join(f"{reason} {turns:,}" for reason, turns in sorted(account.reasons.items()))
            yield f"{name}: every turn went direct ({reasons}), so its rate says nothing about drafts."
    yield (
        "Turns, money and latencies are the ledger's, and count what was asked again. A baseline is what the verify "
        "model alone would have cost on the same requests."
    )
    if report.simulated:
        yield "Simulated models are not made to solve tasks: this shows that it works, not how good a model is."
