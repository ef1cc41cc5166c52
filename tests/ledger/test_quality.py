"""What the ledger tells of quality: every count of an epoch, which audits are lost, and what goes with old sessions."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.audited import EPOCH, Audited
from tests.support.prices import MINUTE, START

from rlmc.cascade.obedience import obeys, strictness
from rlmc.cascade.policies import POLICIES
from rlmc.ledger import retention
from rlmc.ledger.epochs import EpochQuality, Quality, quality
from rlmc.ledger.quality import GIVEN_UP, Aim, Known, of_report
from rlmc.ledger.queries import LedgerReader
from rlmc.ledger.totals import ANYWHERE, Scope, account
from rlmc.quality.care import Care

AIM = Aim(0.02, 0.95)
LATER = START + 1_000_000 * MINUTE
RICH = replace(EPOCH, id="rich", least=0.5)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def look(path: Path) -> Callable[..., Quality]:
    def looked(aim: Aim = AIM, now: int = LATER, *, simulated: bool = False) -> Quality:
        reader = LedgerReader.open(path)
        try:
            return quality(reader, aim, now, simulated=simulated)
        finally:
            reader.close()

    return looked


def known(path: Path, scope: Scope = ANYWHERE, aim: Aim = AIM) -> Known | None:
    reader = LedgerReader.open(path)
    try:
        return of_report(reader, account(reader, scope, None).total, aim, LATER)
    finally:
        reader.close()


def certified(path: Path, turns: int = 600) -> Audited:
    """Half of its served turns were audited without a loss, and the judge was tried each time."""
    epoch = Audited(path, RICH)
    for _ in range(turns):
        epoch.served()
        epoch.audited(caught=True)
    return epoch


def one(found: Quality) -> EpochQuality:
    (epoch,) = found.epochs
    return epoch


def test_no_ledger_and_an_empty_one(path: Path, look: Callable[..., Quality]) -> None:
    assert look() == Quality((), look().unaudited, simulated=True, left_out=0)
    assert look().unaudited.turns == 0
    assert known(path) is None
    Audited(path).close()
    assert look().epochs == ()


def test_every_count_of_an_epoch(path: Path, look: Callable[..., Quality]) -> None:
    epoch = Audited(path)
    epoch.direct(10)
    epoch.served(7)
    epoch.audited(0.0, 4, how="same")
    epoch.audited(1.0, 2, bucket="edit")
    epoch.audited(0.25, 3, bucket="text", caught=False)
    epoch.audited(1.0, how="failed", caught=True)
    epoch.audited(None, at=LATER - GIVEN_UP - 10)
    epoch.audited(None, at=LATER - GIVEN_UP + 10)
    epoch.close()
    found = one(look())
    standing = found.standing
    assert (standing.turns, standing.served) == (29, 19)
    assert (standing.audits, standing.ended, standing.lost, standing.waiting) == (12, 10, 1, 1)
    assert (standing.material, standing.minor, standing.worse, standing.failed) == (2, 3, 5, 1)
    assert standing.loss == 2 + 0.75 + 1 + 2
    assert (standing.planted, standing.caught) == (4, 1)
    assert (found.row.draft, found.row.policy, found.row.least) == (EPOCH.draft, "balanced", 0.04)
    kinds = {bucket.bucket: bucket for bucket in found.buckets}
    assert list(kinds) == ["read", "text", "edit"], "from what is safest to be wrong in to what is not"
    read = kinds["read"]
    assert (read.audits, read.open, read.worse, read.loss) == (7, 2, 0, 3.0)
    assert (kinds["edit"].worse, kinds["text"].loss) == (2, 0.75)
    assert [loss.loss for loss in found.losses] == [0.25, 0.25, 0.25, 1.0, 1.0], "the newest first, and only verdicts"
    assert known(path) == Known(found.row.id, standing, False, 1, found.row.began_at, 19)


def test_a_lost_audit_is_a_loss_and_a_waiting_one_too(path: Path, look: Callable[..., Quality]) -> None:
    epoch = Audited(path)
    epoch.served(200)
    epoch.audited(0.0, 8)
    epoch.close()
    before = one(look()).standing
    epoch = Audited(path, at=START + 500 * MINUTE)
    epoch.audited(None)
    epoch.close()
    young = one(look(now=epoch.last + MINUTE)).standing
    old = one(look()).standing
    assert (young.waiting, young.lost, old.waiting, old.lost) == (1, 0, 0, 1)
    assert young.bound == old.bound > before.bound


def test_when_it_was_certified_and_that_a_later_look_does_not_move_it(path: Path, look: Callable[..., Quality]) -> None:
    epoch = certified(path)
    epoch.close()
    found = one(look())
    assert found.standing.certified
    assert found.certified_at is not None
    assert START < found.certified_at < epoch.last
    epoch = Audited(path, RICH, at=epoch.last + MINUTE)
    epoch.audited(1.0, 60)
    epoch.close()
    after = one(look())
    assert not after.standing.certified
    assert after.certified_at == found.certified_at
    assert one(look(Aim(0.0001, 0.95))).certified_at is None


def test_removed_turns_still_count_and_nothing_is_certified_before_it_was(
    path: Path, look: Callable[..., Quality]
) -> None:
    epoch = certified(path)
    epoch.close()
    more = Audited(path, RICH, session_id="s2", at=epoch.last + MINUTE)
    more.direct(5)
    more.close()
    before = one(look())
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        retention.remove(db, "s1", "asked", time.time_ns() // 1000)
    after = one(look())
    assert after.standing == before.standing
    assert (before.removed, after.removed) == (0, 1200)
    assert after.certified_at is not None
    assert before.certified_at is not None
    assert after.certified_at >= before.certified_at


def test_what_was_served_without_an_epoch_is_counted_apart(path: Path, look: Callable[..., Quality]) -> None:
    epoch = Audited(path)
    epoch.served(3)
    epoch.unaudited(2)
    epoch.direct(4)
    epoch.close()
    found = look()
    assert (found.unaudited.turns, found.unaudited.sessions) == (2, 1)
    assert one(found).standing.served == 3
    reader = LedgerReader.open(path)
    report = account(reader, ANYWHERE, None).total
    reader.close()
    assert (report.coins["e1"], report.unaudited) == (3, 2)


def test_the_last_used_comes_first_and_a_report_is_held_against_the_most_used(
    path: Path, look: Callable[..., Quality]
) -> None:
    old = Audited(path, replace(EPOCH, id="old"))
    old.served(5)
    old.close()
    new = Audited(path, replace(EPOCH, id="new", policy="careful"), session_id="s2", at=START + 100 * MINUTE)
    new.served(2)
    new.close()
    assert [epoch.row.id for epoch in look().epochs] == ["new", "old"]
    again = Audited(path, replace(EPOCH, id="old"), session_id="s3", at=START + 200 * MINUTE)
    again.served()
    again.close()
    assert [epoch.row.id for epoch in look().epochs] == ["old", "new"]
    everywhere, there = known(path), known(path, Scope(session="s2"))
    assert everywhere is not None
    assert there is not None
    assert (everywhere.standing.served, everywhere.epochs) == (6, 2)
    assert (there.standing.served, there.epochs, there.standing.target) == (2, 1, 0.01), "careful aims at half"


def test_simulated_ones_only_where_there_is_nothing_else_or_they_are_asked_for(
    path: Path, look: Callable[..., Quality]
) -> None:
    demo = Audited(path, replace(EPOCH, id="demo", simulated=True), session_id="demo")
    demo.served(3)
    demo.unaudited(1)
    demo.close()
    alone = look()
    assert (alone.simulated, [epoch.row.id for epoch in alone.epochs], alone.unaudited.turns) == (True, ["demo"], 1)
    real = Audited(path)
    real.unaudited(2)
    real.close()
    both = look()
    assert (both.simulated, both.epochs, both.left_out, both.unaudited.turns) == (False, (), 1, 2)
    asked = look(simulated=True)
    assert [epoch.row.id for epoch in asked.epochs] == ["demo"]


def test_what_a_controller_knew_is_read_and_what_cannot_be_stops_nothing(
    path: Path, look: Callable[..., Quality]
) -> None:
    care = Care.begin(0.02)
    for _ in range(3):
        care.ended("edit", 0.04, 1.0, judged=True)
    epoch = Audited(path)
    epoch.served()
    epoch.care({**care.record(), "of a later version": 1})
    epoch.close()
    found = one(look())
    assert found.care is not None
    assert found.care.stopped
    shown = known(path)
    assert shown is not None
    assert shown.stopped
    for broken in ('{"stopped": 1}', "[]", "null", "{", '{"target": "x"}'):
        with closing(sqlite3.connect(path)) as db, db:
            db.execute("UPDATE epochs SET care = ?", (broken,))
        assert one(look()).care is None
        again = known(path)
        assert again is not None
        assert not again.stopped


def test_how_policies_stand_to_audits_is_told_the_same_without_them() -> None:
    assert {one.name: (one.strictness, one.obeys) for one in POLICIES} == {
        one.name: (strictness(one.name), obeys(one.name)) for one in POLICIES
    }
    assert AIM.target("careful") == 0.01
    assert {one.name for one in POLICIES if not one.obeys} == {"paper", "draft-only"}


def test_a_policy_of_fixed_rules_is_never_stopped(path: Path, look: Callable[..., Quality]) -> None:
    care = Care.begin(0.02)
    for _ in range(3):
        care.ended("edit", 0.04, 1.0, judged=True)
    epoch = Audited(path, replace(EPOCH, policy="paper"))
    epoch.served()
    epoch.care(care.record())
    epoch.close()
    assert not one(look()).stopped
    shown = known(path)
    assert shown is not None
    assert not shown.stopped
