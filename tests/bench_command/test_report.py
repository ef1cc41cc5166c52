"""What a report says of results that are known."""

from __future__ import annotations

from pathlib import Path

import pytest

from rlmc.bench.report import BenchReport, Score, arm_report, bench_data
from rlmc.bench.results import Result, Results
from rlmc.bench.run import ARMS
from rlmc.bench.task import RIGHT, Kind, Task
from rlmc.commands.bench_text import report_lines
from rlmc.ledger.report import Amount, Latencies, SavingsReport

DIRECT, DRAFT = ARMS[:2]


def task(id: str, kind: Kind) -> Task:
    return Task(id, kind, "?", lambda _answer: RIGHT)


TASKS = [*(task(f"m{n}", "maths") for n in range(6)), *(task(f"c{n}", "code") for n in range(4))]
# T passed, F failed, ? not answered, and one that was never asked.
PLAYED = {"direct": "TTTTFF TT?T", "draft": "TFFFFT FF?."}


@pytest.fixture
def results(tmp_path: Path) -> Results:
    found = Results.open(tmp_path / "bench" / "x.jsonl", fresh=False)
    for arm, played in PLAYED.items():
        found.begin(arm, f"session-{arm}")
        for one, sign in zip(TASKS, played.replace(" ", ""), strict=True):
            if sign != ".":
                passed = {"T": True, "F": False, "?": None}[sign]
                found.add(Result(arm, one.id, passed, "" if passed else "status 529: busy" if passed is None else "no"))
    return found


def account(outcome: str, turns: int) -> SavingsReport:
    report = SavingsReport(turns=turns, paid=Amount(2_000_000_000_000), baseline=Amount(5_000_000_000_000, 1))
    report.outcomes[outcome] = turns
    report.reasons["policy"] = turns
    report.latency = Latencies(turns, 1200.0, 3400.0)
    report.simulated = True
    return report


def report(results: Results, simulated: bool = False) -> BenchReport:
    arms = (
        arm_report(DIRECT, ARMS[:2], TASKS, results, account("direct", 10)),
        arm_report(DRAFT, ARMS[:2], TASKS, results, account("direct", 9)),
    )
    return BenchReport("sim/draft", "sim/verify", simulated, len(TASKS), arms)


def test_tasks_are_counted_by_kind_and_those_without_an_answer_apart(results: Results) -> None:
    direct, draft = report(results).arms
    assert direct.whole == Score(7, 9, 1)
    assert dict(direct.kinds) == {"maths": Score(4, 6, 0), "code": Score(3, 3, 1)}
    assert draft.whole == Score(2, 8, 2)
    assert (direct.failures, direct.unanswered) == ({"no": 2}, {"status 529: busy": 1})


def test_arms_are_compared_on_what_both_answered(results: Results) -> None:
    direct, draft = report(results).arms
    assert direct.paired is None
    assert draft.paired is not None
    assert (draft.paired.tasks, draft.paired.only_direct, draft.paired.only_arm) == (8, 5, 1)
    # Six tasks differ: 2 * (1 + 6) / 2^6.
    assert draft.paired.p == pytest.approx(14 / 64)


def test_without_direct_nothing_is_compared(results: Results) -> None:
    assert arm_report(DRAFT, [DRAFT], TASKS, results, SavingsReport()).paired is None


def test_the_interval_is_wilsons() -> None:
    # Wilson 1927 by hand, 7 of 9 with z = 1.96.
    assert Score(7, 9, 1).interval == pytest.approx((0.4526, 0.9368), abs=1e-3)
    assert Score(0, 0, 3).rate is None
    assert Score(0, 0, 3).interval == (0.0, 1.0)


def test_as_data_every_rate_has_its_count(results: Results) -> None:
    data = bench_data(report(results, simulated=True))
    direct, draft = data["arms"]  # type: ignore[misc]  # a list of objects
    assert data["simulated"] is True
    assert direct["all"]["passed"] == 7
    assert direct["all"]["total"] == 9
    assert direct["all"]["unanswered"] == 1
    assert direct["account"]["paid"]["picodollars"] == 2_000_000_000_000
    assert direct["account"]["baseline"]["complete"] is False
    assert direct["account"]["latency_ms"]["p95"] == 3400.0
    assert draft["paired_with_direct"]["mcnemar_p"] == pytest.approx(14 / 64)
    assert direct["session"] == "session-direct"


def test_as_text(results: Results) -> None:
    text = report_lines(report(results, simulated=True))
    whole = "\n".join(text)
    flat = " ".join(whole.split())
    assert all(len(line) <= 80 for line in text)
    assert "Simulated models, simulated prices." in flat
    assert "7/9" in whole
    assert "78 %" in whole
    assert "≥ $5.00" in whole
    assert "direct: 1 task not answered (status 529: busy 1)" in whole
    assert "draft: every turn went direct (policy 9), so its rate says nothing about drafts." in flat
    assert "imulated" not in "\n".join(report_lines(report(results)))


def test_an_arm_without_answers_has_no_rate(tmp_path: Path) -> None:
    empty = Results.open(tmp_path / "x.jsonl", fresh=False)
    arm = arm_report(DIRECT, [DIRECT], TASKS, empty, SavingsReport())
    text = "\n".join(report_lines(BenchReport(None, "sim/verify", False, len(TASKS), (arm,))))
    assert "0/0" in text
    assert "0 %" not in text
    assert "$0.00" not in text


# --- the file of results --------------------------------------------------------------------------------------------


def test_results_are_found_again_except_what_was_not_answered(tmp_path: Path, results: Results) -> None:
    path = tmp_path / "bench" / "x.jsonl"
    again = Results.open(path, fresh=False)
    assert again.sessions == {"direct": "session-direct", "draft": "session-draft"}
    assert again.answered("direct", "m0")
    assert again.get("direct", "m4") == Result("direct", "m4", False, "no")
    assert not again.answered("direct", "c2")
    assert path.stat().st_mode & 0o077 == 0
    assert Results.open(path, fresh=True).sessions == {}
    assert not path.exists()


def test_a_line_that_was_cut_off_costs_only_itself(tmp_path: Path, results: Results) -> None:
    path = tmp_path / "bench" / "x.jsonl"
    path.write_bytes(path.read_bytes()[:-9])
    again = Results.open(path, fresh=False)
    assert not again.answered("draft", "c1")
    again.add(Result("draft", "c1", True, ""))
    assert Results.open(path, fresh=False).answered("draft", "c1")
    path.write_bytes(path.read_bytes() + b'\xff\n[1]\n{"arm": 1}\n')
    assert Results.open(path, fresh=False).answered("draft", "c1")
