"""What is said of an epoch: the worked example, and that nothing is certified too soon."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlmc.quality.standing import Audited, Epoch, Standing, standing

CLEAN = Audited(0.04, 0.0)


def of(epoch: Epoch, target: float = 0.02) -> Standing:
    return standing(epoch, target=target, confidence=0.95, least=0.04)


def test_the_worked_example() -> None:
    """512 audits, two material and four minor losses, a judge that caught 34 of 38, 61 % of turns drafted."""
    losses = [Audited(0.04, 1.0)] * 2 + [Audited(0.04, 0.25)] * 4
    found = of(Epoch(20_984, 12_800, (*losses, *[CLEAN] * 506), 38, 34))
    assert (found.audits, found.material, found.minor, found.loss) == (512, 2, 4, 3.0)
    assert found.judge == pytest.approx(0.66, abs=0.005)
    assert found.corrected == pytest.approx(0.035, abs=0.002)
    assert found.overall == pytest.approx(0.021, abs=0.002)
    assert not found.certified
    assert found.to_go is not None
    assert found.to_go > 0


def test_nothing_is_certified_before_the_judge_was_tried() -> None:
    found = of(Epoch(100_000, 60_000, (CLEAN,) * 2400, 0, 0))
    assert found.bound < 0.01
    assert found.overall == pytest.approx(0.6)
    assert not found.certified
    assert found.to_go is not None
    assert found.to_go < 30, "the next audits bring planted faults, and there are audits enough"


def test_a_judge_that_finds_nothing_will_not_certify_anything() -> None:
    assert of(Epoch(100_000, 60_000, (CLEAN,) * 2400, 5, 0)).to_go is None


def test_losses_are_told_apart_by_their_degree() -> None:
    found = of(Epoch(100, 100, tuple(Audited(0.04, loss) for loss in (0.0, 0.125, 0.25, 0.5, 0.625, 1.0)), 0, 0))
    assert (found.minor, found.disputed, found.material, found.worse, found.loss) == (2, 2, 1, 5, 2.5)


def test_how_many_audits_are_to_go_hardly_depends_on_when_it_is_asked() -> None:
    """One fault is planted with each of the first audits: what is not known of the judge today is known by then."""
    for audits in (1, 2, 5, 23, 60):
        served = audits * 25
        found = of(Epoch(served, served, (CLEAN,) * audits, audits, audits))
        assert found.to_go is not None
        assert 240 < found.to_go + audits < 320


def test_clean_audits_with_a_good_judge_certify_and_to_go_says_when() -> None:
    before = Epoch(3_000, 2_000, (CLEAN,) * 80, 20, 20)
    found = of(before)
    assert not found.certified
    assert found.to_go is not None
    served = before.served + round(found.to_go / 0.04 * 1.05)
    faults = 60 + (served // 25 - 100) // 10
    after = Epoch(served * 3 // 2, served, (CLEAN,) * (served // 25), faults, faults)
    assert of(after).certified


def test_an_audit_that_waits_counts_as_lost() -> None:
    settled = of(Epoch(1_000, 900, (*[CLEAN] * 35, Audited(0.04, 1.0)), 9, 9))
    waiting = of(Epoch(1_000, 900, (*[CLEAN] * 35, Audited(0.04, None)), 9, 9))
    assert waiting.bound == settled.bound
    assert (waiting.waiting, waiting.material) == (1, 0)


@given(
    st.integers(0, 3_000),
    st.integers(0, 3_000),
    st.lists(st.builds(Audited, st.floats(0.04, 1), st.none() | st.floats(0, 1)), max_size=40),
    st.integers(0, 30),
    st.integers(0, 30),
)
def test_bounds_are_in_order(direct: int, served: int, audits: list[Audited], caught: int, missed: int) -> None:
    found = of(Epoch(direct + served, served, tuple(audits), caught + missed, caught))
    assert 0 <= found.bound <= found.corrected <= 1
    assert found.overall <= found.corrected
    assert found.certified == (found.ended > 0 and found.overall <= 0.02)
    assert found.ended + found.waiting + found.lost == found.audits
