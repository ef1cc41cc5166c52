"""The quality line: what may be said of a report, with every rate beside its count."""

from __future__ import annotations

from collections import Counter

import pytest
from tests.support.prices import START

from rlmc.ledger.period import day_of
from rlmc.ledger.quality import Known
from rlmc.ledger.report import SavingsReport
from rlmc.quality.standing import Audited, Epoch, Standing
from rlmc.quality.standing import standing as standing_of
from rlmc.views.sentences import quality
from rlmc.views.standing import standing

CLEAN = Audited(0.5, 0.0)


def of(*audits: Audited, served: int = 0, caught: int = 0, target: float = 0.02) -> Standing:
    served = max(served, len(audits))
    epoch = Epoch(turns=2 * served, served=served, audits=audits, planted=caught, caught=caught)
    return standing_of(epoch, target=target, confidence=0.95, least=0.5)


def known(*, stopped: bool = False, epochs: int = 1, here: int = 5) -> Known:
    return Known("e1", of(CLEAN), stopped, epochs, START, here)


def report(coins: int = 0, unaudited: int = 0) -> SavingsReport:
    return SavingsReport(coins=Counter({"e1": coins}), unaudited=unaudited)


def test_before_the_bound_meets_the_target_nothing_sounds_certified() -> None:
    found = of(*[CLEAN] * 12, Audited(0.5, 1.0), Audited(0.5, 1.0, verdict=False), Audited(0.5, None))
    assert standing(found) == (
        "not certified yet (15 audits, 1 worse, 1 under way, 1 without a verdict; bound 50 % of turns, target 2 %)"
    )
    assert standing(of()) == "not certified yet (0 audits; bound 0 % of turns, target 2 %)"


def test_a_certified_one_says_with_which_confidence_from_how_many() -> None:
    found = of(*[CLEAN] * 600, served=1200, caught=60)
    assert found.certified
    assert standing(found).startswith("at most 0.")
    assert standing(found).endswith("% of turns worse (95 %, 600 audits, 0 worse)")


def test_a_bound_just_above_its_target_never_looks_as_if_it_met_it() -> None:
    found = of(*[CLEAN] * 600, served=1200, caught=60)
    above = of(*[CLEAN] * 600, served=1200, caught=60, target=found.overall * 0.999)
    shown = standing(above)
    assert shown.startswith("not certified yet")
    assert f"bound {round(found.overall * 100 - 0.05, 1)} %" not in shown


@pytest.mark.parametrize(
    ("coins", "unaudited", "found", "words"),
    [
        (0, 0, None, None),
        (0, 3, None, "not audited (3 turns that a draft answered)"),
        (5, 0, known(), standing(of(CLEAN))),
        (5, 2, known(),
         f"{standing(of(CLEAN))}; not audited: 2 turns that a draft answered"),
        (5, 0, known(epochs=3), f"{standing(of(CLEAN))}; of the most used of 3 epochs"),
        (5, 0, known(stopped=True),
         f"STOPPED, `rlmc quality` says why; {standing(of(CLEAN))}"),
        (5, 0, known(here=0),
         f"{standing(of(CLEAN))}; of all 1 turn that a draft answered so since {day_of(START)}"),
    ],
)  # fmt: skip
def test_what_is_said_of_a_report(coins: int, unaudited: int, found: Known | None, words: str | None) -> None:
    assert quality(report(coins, unaudited), found) == words
