"""What became of answers after the fact: counted by outcome, with tasks and the turns they took."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.books import session, turn
from tests.support.prices import START

from rlmc.domain.outcome import Outcome
from rlmc.domain.record import TurnRecord
from rlmc.ledger.queries import LedgerReader
from rlmc.ledger.regrets import Afterwards, Steps, afterwards, regrets_of
from rlmc.ledger.store import Ledger
from rlmc.ledger.totals import ANYWHERE, Scope

SKIPPED, DIRECT = Outcome.SKIPPED, Outcome.DIRECT


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger.open(tmp_path / "ledger.db")
    yield opened
    opened.close()


def made(id: str, outcome: Outcome, *, first: bool = False, side: bool = False, **fields: object) -> TurnRecord:
    base = turn(id=id, at=START + int(id[1:]), outcome=outcome)
    known = replace(base, signals={"auxiliary": side, "first_turn": first})
    return replace(known, **fields)  # type: ignore[arg-type]


def looked(ledger: Ledger, tmp_path: Path, scope: Scope = ANYWHERE, *, simulated: bool = False) -> Afterwards:
    assert ledger.flush(5)
    reader = LedgerReader.open(tmp_path / "ledger.db")
    try:
        return afterwards(reader, scope, simulated=simulated)
    finally:
        reader.close()


def test_signs_are_counted_by_the_outcome_of_the_turn_they_are_charged_to(ledger: Ledger, tmp_path: Path) -> None:
    ledger.start_session(session())
    for record in (made("t1", DIRECT, first=True), made("t2", SKIPPED), made("t3", SKIPPED), made("t4", DIRECT)):
        ledger.record(record)
    for id, kind in (("t2", "repeated"), ("t2", "tool-error"), ("t3", "tool-error"), ("t2", "tool-error")):
        ledger.regret(id, kind, START)
    found = looked(ledger, tmp_path)
    skipped, direct = found.outcomes["skipped"], found.outcomes["direct"]
    assert (skipped.turns, skipped.regretted, dict(skipped.kinds)) == (2, 2, {"repeated": 1, "tool-error": 2})
    assert (direct.turns, direct.regretted, dict(direct.kinds)) == (1, 0, {}), "behind the last turn nothing came yet"
    reader = LedgerReader.open(tmp_path / "ledger.db")
    assert regrets_of(reader, "t2") == ("repeated", "tool-error")
    reader.close()


def test_a_task_is_direct_if_no_draft_answered_in_it(ledger: Ledger, tmp_path: Path) -> None:
    ledger.start_session(session())
    turns = [
        made("t1", DIRECT, first=True), made("t2", DIRECT),
        made("t3", DIRECT, first=True), made("t4", SKIPPED), made("t5", DIRECT),
        made("t6", SKIPPED, side=True),
        made("t7", DIRECT, first=True, conversation="c2"),
        made("t8", DIRECT),  # of the task that began with t3
        made("t9", SKIPPED, conversation="c3"),  # its beginning is not known
    ]  # fmt: skip
    for record in turns:
        ledger.record(record)
    found = looked(ledger, tmp_path)
    assert found.drafted == Steps(tasks=1, turns=4)
    assert found.direct == Steps(tasks=2, turns=3)
    assert found.direct.mean == 1.5


def test_only_turns_of_the_scope_count_and_simulated_ones_never_with_real_ones(ledger: Ledger, tmp_path: Path) -> None:
    ledger.start_session(session("s1"))
    ledger.start_session(session("s2", simulated=True))
    ledger.record(made("t1", DIRECT, first=True))
    ledger.record(made("t2", SKIPPED, first=True, session_id="s2"))
    ledger.record(made("t3", SKIPPED, first=True))
    ledger.record(made("t4", DIRECT))
    ledger.record(made("t5", SKIPPED, first=True, session_id="s2"))
    ledger.record(made("t6", SKIPPED, ending="upstream-error"))
    ledger.record(made("t7", DIRECT))
    for id in ("t1", "t2", "t3"):
        ledger.regret(id, "corrected", START)
    real, simulated = looked(ledger, tmp_path), looked(ledger, tmp_path, simulated=True)
    assert (real.outcomes["direct"].regretted, real.outcomes["skipped"].regretted) == (1, 1)
    assert (simulated.outcomes["direct"].turns, simulated.outcomes["skipped"].regretted) == (0, 1)
    assert (real.outcomes["direct"].turns, real.outcomes["skipped"].turns) == (2, 1), "one failed, one is the last"
    early = looked(ledger, tmp_path, Scope(until=START + 4))
    assert (early.outcomes["direct"].regretted, early.outcomes["skipped"].regretted) == (1, 0)
    assert early.outcomes["skipped"].turns == 0
    assert looked(ledger, tmp_path, Scope(session="s2")).direct.tasks == 0
    here = looked(ledger, tmp_path, Scope(project="/home/ada", branch="main"))
    assert here.outcomes["skipped"].turns == 1
    assert looked(ledger, tmp_path, Scope(project="/home/eve")).outcomes["direct"].turns == 0


def test_where_there_is_nothing_there_is_nothing_to_say(tmp_path: Path) -> None:
    reader = LedgerReader.open(tmp_path / "none.db")
    found = afterwards(reader, ANYWHERE, simulated=False)
    assert found.drafted.mean is None
    assert all(not one.turns for one in found.outcomes.values())
