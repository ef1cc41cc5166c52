from __future__ import annotations

from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlmc.quality.chances import beta_cdf, beta_quantile, mcnemar, upper_rate, wilson

SHAPE = st.floats(0.1, 500)


@given(st.integers(1, 60), st.integers(1, 60), st.floats(0, 1))
def test_of_whole_shapes_it_is_a_tail_of_the_binomial(a: int, b: int, x: float) -> None:
    n = a + b - 1
    tail = sum(comb(n, k) * x**k * (1 - x) ** (n - k) for k in range(a, n + 1))
    assert beta_cdf(x, a, b) == pytest.approx(tail, abs=1e-9)


@given(SHAPE, SHAPE, st.floats(0.01, 0.99))
def test_the_quantile_is_where_the_chance_is_reached(a: float, b: float, p: float) -> None:
    x = beta_quantile(p, a, b)
    assert 0 <= x <= 1
    assert beta_cdf(x, a, b) >= p - 1e-6
    assert beta_cdf(x - 1e-9, a, b) <= p + 1e-6


@given(SHAPE, SHAPE, st.floats(0.001, 0.999))
def test_its_mirror_image(a: float, b: float, x: float) -> None:
    assert beta_cdf(x, a, b) == pytest.approx(1 - beta_cdf(1 - x, b, a), abs=1e-9)


def test_known_values() -> None:
    assert upper_rate(0, 59, 0.95) == pytest.approx(0.0495, abs=5e-5)
    assert upper_rate(0, 59, 0.95) <= 0.05 < upper_rate(0, 58, 0.95)
    assert upper_rate(0, 0, 0.95) == upper_rate(3, 3, 0.95) == 1.0
    assert wilson(19, 20) == pytest.approx((0.7639, 0.9911), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)
    assert mcnemar(1, 6) == pytest.approx(0.125)
    assert mcnemar(0, 0) == 1.0
