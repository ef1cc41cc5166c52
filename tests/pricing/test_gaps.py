"""How likely a pause outlives a cache."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlmc.pricing.gaps import Pause, outlives

PAUSES: list[Pause] = ["tool-results", "user"]
seconds = st.floats(0, 200_000, allow_nan=False)


@given(st.sampled_from(PAUSES), seconds, seconds)
def test_the_longer_the_rarer(pause: Pause, one: float, other: float) -> None:
    short, long = sorted((one, other))
    assert 0.0 <= outlives(pause, long) <= outlives(pause, short) <= 1.0


@given(seconds)
def test_users_take_at_least_as_long_as_tools(length: float) -> None:
    assert outlives("user", length) >= outlives("tool-results", length)


@pytest.mark.parametrize(
    ("pause", "length", "share"),
    [
        ("tool-results", 300, 0.022),
        ("tool-results", 3600, 0.0014),
        ("user", 300, 0.17),
        ("user", 3600, 0.019),
    ],
)
def test_what_was_seen_is_what_is_said(pause: Pause, length: float, share: float) -> None:
    assert outlives(pause, length) == pytest.approx(share)


@pytest.mark.parametrize("pause", PAUSES)
def test_the_ends_are_certain(pause: Pause) -> None:
    assert outlives(pause, 0) == outlives(pause, 0.5) == outlives(pause, 1) == 1.0
    assert outlives(pause, 86_401) == 0.0


def test_between_two_points_it_falls_evenly_on_a_scale_of_logarithms() -> None:
    middle = (300 * 600) ** 0.5
    assert outlives("user", middle) == pytest.approx((0.17 * 0.10) ** 0.5)
