"""How long the verify model's answers are, by kind of answer, learnt from those it gave.

Rule: a prediction says how far it may be off. The kind is the worst effect among an answer's tool calls, or "text".
"""

from __future__ import annotations

import math
from typing import NamedTuple

from rlmc.domain.frozen import dataclass

# Before anything is known: the size of a common answer of a coding agent, and how much it varies.
PRIOR_TOKENS = 250
_PRIOR_SPREAD = 0.8
_PRIOR_WEIGHT = 3.0
_CONFIDENT = 1.96


class Length(NamedTuple):
    """Output tokens, thinking included. `bias` is the 95 % half-width of the mean, which is wrong for all answers of a
    kind alike; `noise` the variance of a single answer around it."""

    tokens: int
    bias: float
    noise: float


@dataclass(slots=True)
class _Kind:
    count: int = 0
    mean: float = 0.0
    squares: float = 0.0

    def add(self, value: float) -> None:
        self.count += 1
        step = value - self.mean
        self.mean += step / self.count
        self.squares += step * (value - self.mean)


class Lengths:
    def __init__(self) -> None:
        self._kinds: dict[str, _Kind] = {}
        self._all = _Kind()

    def learn(self, kind: str, tokens: int) -> None:
        self._kinds.setdefault(kind, _Kind()).add(tokens)
        self._all.add(tokens)

    def predict(self, kind: str, hint: int | None) -> Length:
        """`hint` is what another model's answer to the same turn took: the best guess while little else is known."""
        known = self._kinds.get(kind, _Kind())
        prior = float(hint) if hint is not None else self.usual()
        count = known.count
        mean = (_PRIOR_WEIGHT * prior + count * known.mean) / (_PRIOR_WEIGHT + count)
        spread = _PRIOR_SPREAD * max(prior, 1.0)
        variance = (_PRIOR_WEIGHT * spread * spread + known.squares) / (_PRIOR_WEIGHT + max(0, count - 1))
        bias = _CONFIDENT * math.sqrt(variance / (_PRIOR_WEIGHT + count))
        return Length(round(mean), bias, variance)

    def usual(self) -> float:
        """The length of an answer of no particular kind."""
        weight = self._all.count
        return (_PRIOR_WEIGHT * PRIOR_TOKENS + weight * self._all.mean) / (_PRIOR_WEIGHT + weight)
