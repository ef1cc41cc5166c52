"""What the arms came to: how many tasks passed, how sure that is, and what each arm cost.

Rule: a rate is never without its count. Arms are compared on tasks that both answered; a task without an answer counts
for neither. Money, outcomes and latencies are the ledger's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rlmc.bench.results import Results
from rlmc.bench.run import Arm
from rlmc.bench.task import KINDS, Task
from rlmc.domain.frozen import dataclass
from rlmc.ledger.report import SavingsReport
from rlmc.quality.chances import mcnemar, wilson
from rlmc.views.stats_data import Data, report_data

DIRECT = "direct"


@dataclass(frozen=True, slots=True)
class Score:
    """`total` counts answered tasks, `missing` those without an answer."""

    passed: int
    total: int
    missing: int

    @property
    def rate(self) -> float | None:
        return self.passed / self.total if self.total else None

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's, at 95 %."""
        return wilson(self.passed, self.total)


@dataclass(frozen=True, slots=True)
class Paired:
    """An arm beside direct: tasks both answered, those only one of them got right, and McNemar's exact p."""

    tasks: int
    only_direct: int
    only_arm: int

    @property
    def p(self) -> float:
        return mcnemar(self.only_direct, self.only_arm)


@dataclass(frozen=True, slots=True)
class ArmReport:
    """`kinds` are in the order of `KINDS`, only those there were tasks of. `paired` is None for direct itself, and
    where direct was not run. `failures` counts answers by what was wrong with them, `unanswered` tasks by what
    kept them from one."""

    arm: Arm
    session: str
    whole: Score
    kinds: tuple[tuple[str, Score], ...]
    paired: Paired | None
    failures: Mapping[str, int]
    unanswered: Mapping[str, int]
    account: SavingsReport


@dataclass(frozen=True, slots=True)
class BenchReport:
    draft: str | None
    verify: str
    simulated: bool
    tasks: int
    arms: tuple[ArmReport, ...]


def arm_report(
    arm: Arm, arms: Sequence[Arm], tasks: Sequence[Task], results: Results, account: SavingsReport
) -> ArmReport:
    kinds = [kind for kind in KINDS if any(task.kind == kind for task in tasks)]
    beside = arm.name != DIRECT and any(other.name == DIRECT for other in arms)
    return ArmReport(
        arm=arm,
        session=results.sessions.get(arm.name, ""),
        whole=_score(arm.name, tasks, results),
        kinds=tuple((kind, _score(arm.name, [t for t in tasks if t.kind == kind], results)) for kind in kinds),
        paired=_paired(arm.name, tasks, results) if beside else None,
        failures=_causes(arm.name, tasks, results, False),
        unanswered=_causes(arm.name, tasks, results, None),
        account=account,
    )


def _score(arm: str, tasks: Sequence[Task], results: Results) -> Score:
    verdicts = [_passed(arm, task, results) for task in tasks]
    return Score(verdicts.count(True), len(verdicts) - verdicts.count(None), verdicts.count(None))


def _passed(arm: str, task: Task, results: Results) -> bool | None:
    found = results.get(arm, task.id)
    return None if found is None else found.passed


def _paired(arm: str, tasks: Sequence[Task], results: Results) -> Paired:
    both = [(_passed(DIRECT, task, results), _passed(arm, task, results)) for task in tasks]
    both = [pair for pair in both if None not in pair]
    return Paired(len(both), both.count((True, False)), both.count((False, True)))


def _causes(arm: str, tasks: Sequence[Task], results: Results, passed: bool | None) -> dict[str, int]:
    found: dict[str, int] = {}
    for task in tasks:
        result = results.get(arm, task.id)
        if result is not None and result.passed is passed:
            found[result.why] = found.get(result.why, 0) + 1
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


# --- as data --------------------------------------------------------------------------------------------------------


def bench_data(report: BenchReport) -> Data:
    return {
        "draft_model": report.draft,
        "verify_model": report.verify,
        "simulated": report.simulated,
        "tasks": report.tasks,
        "arms": [_arm_data(arm) for arm in report.arms],
    }


def _arm_data(arm: ArmReport) -> Data:
    paired = arm.paired
    return {
        "arm": arm.arm.name,
        "policy": arm.arm.policy,
        "session": arm.session,
        "all": _score_data(arm.whole),
        "kinds": {kind: _score_data(score) for kind, score in arm.kinds},
        "paired_with_direct": None
        if paired is None
        else {
            "tasks": paired.tasks,
            "only_direct": paired.only_direct,
            "only_arm": paired.only_arm,
            "mcnemar_p": paired.p,
        },
        "failures": dict(arm.failures),
        "unanswered": dict(arm.unanswered),
        "account": report_data(arm.account),
    }


def _score_data(score: Score) -> Data:
    low, high = score.interval
    return {
        "passed": score.passed,
        "total": score.total,
        "unanswered": score.missing,
        "rate": score.rate,
        "low": low,
        "high": high,
    }
