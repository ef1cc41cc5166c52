"""Chances of a yes-or-no thing: the beta distribution, and what can be said of a rate from counts.

Formulas: the continued fraction of the incomplete beta function (DLMF 8.17.22); Clopper and Pearson 1934; Wilson 1927;
McNemar 1947, exact.
"""

from __future__ import annotations

from math import comb, exp, lgamma, log, sqrt

_TINY = 1e-300
_PRECISE = 1e-14
_MOST_TERMS = 10_000
_STEPS = 200
_CLOSE = 1e-12


def beta_cdf(x: float, a: float, b: float) -> float:
    """The chance that a Beta(a, b) variable is at most `x`."""
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    front = exp(a * log(x) + b * log(1 - x) - log_beta(a, b))
    # The fraction converges fast on this side of the mean; the other side is its mirror image.
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1 - front * _fraction(1 - x, b, a) / b


def beta_quantile(p: float, a: float, b: float) -> float:
    """The value a Beta(a, b) variable is below with chance `p`."""
    low, high, x = 0.0, 1.0, a / (a + b)
    whole = log_beta(a, b)
    for _ in range(_STEPS):
        off = beta_cdf(x, a, b) - p
        low, high = (x, high) if off < 0 else (low, x)
        if high - low < _CLOSE:
            break
        # Newton's step where it stays between the two, else half of the way.
        slope = exp((a - 1) * log(x) + (b - 1) * log(1 - x) - whole)
        step = x - off / slope if slope > 0 else -1.0
        if abs(step - x) < _CLOSE:
            step += _CLOSE if off < 0 else -_CLOSE  # beyond the value, so that it is enclosed
        x = step if low < step < high else (low + high) / 2
    return high


def log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)


def upper_rate(events: int, trials: int, confidence: float) -> float:
    """The one-sided Clopper-Pearson upper bound of a rate; 1 without trials."""
    if events >= trials:
        return 1.0
    return beta_quantile(confidence, events + 1, trials - events)


def wilson(events: int, trials: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's interval of a rate, at 95 % by default; all of [0, 1] without trials."""
    if trials == 0:
        return 0.0, 1.0
    rate, square = events / trials, z * z
    middle = (rate + square / (2 * trials)) / (1 + square / trials)
    half = z * sqrt(rate * (1 - rate) / trials + square / (4 * trials * trials)) / (1 + square / trials)
    return max(0.0, middle - half), min(1.0, middle + half)


def mcnemar(only_first: int, only_second: int) -> float:
    """The exact two-sided p-value that two arms, tried on the same tasks, are equally good: `only_first` tasks were
    solved by the first alone, `only_second` by the second alone."""
    trials = only_first + only_second
    tail = sum(comb(trials, k) for k in range(min(only_first, only_second) + 1))
    return min(1.0, 2 * tail / (1 << trials))


def _fraction(x: float, a: float, b: float) -> float:
    """By the modified method of Lentz."""
    c, d = 1.0, 1 / _away(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _MOST_TERMS):
        for step in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _away(1 + step * d)
            c = _away(1 + step / c)
            value *= c * d
        if abs(c * d - 1) < _PRECISE:
            break
    return value


def _away(value: float) -> float:
    """Not zero."""
    return value if abs(value) > _TINY else _TINY
