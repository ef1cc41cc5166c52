from __future__ import annotations

from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlmc.quality.canaries import corrected, sensitivity
from rlmc.quality.chances import log_beta


def test_the_worked_example() -> None:
    assert sensitivity(34, 38, 0.025) == pytest.approx(0.66, abs=0.005)


@given(st.integers(0, 200), st.integers(0, 200))
def test_it_is_below_what_was_seen_and_where_the_formula_says(caught: int, missed: int) -> None:
    share = sensitivity(caught, caught + missed, 0.05)
    assert 0 <= share <= (caught / (caught + missed) if caught else 0)
    if caught:
        doubted = log_beta(caught + 1, missed + 1) - caught * log(share) - missed * log(1 - share)
        assert doubted == pytest.approx(log(20), abs=1e-3)


def test_more_that_were_caught_speak_for_the_judge() -> None:
    assert sensitivity(10, 10, 0.05) < sensitivity(40, 40, 0.05)
    assert sensitivity(30, 40, 0.05) < sensitivity(40, 40, 0.05)


def test_a_judge_nobody_has_tried_proves_nothing() -> None:
    assert sensitivity(0, 0, 0.05) == 0
    assert corrected(0.001, 0) == 1.0
    assert corrected(0.02, 0.5) == 0.04


def test_more_caught_than_planted_is_refused() -> None:
    with pytest.raises(ValueError, match="planted"):
        sensitivity(3, 2, 0.05)
