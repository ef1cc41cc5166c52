"""What a session teaches about itself: what follows what, how long answers are, how often a verdict lets a draft stand.

Rule: counts only, each beginning with a prior from public sessions of coding agents; the same turns in the same order
teach the same.
"""

from __future__ import annotations

from dataclasses import field

from rlmc.domain.effect import Effect
from rlmc.domain.frozen import dataclass

TEXT = "text"
_AFTER_USER = "user"
_PRIOR_WEIGHT = 5.0
_BRIEF_WEIGHT = 2

# P(the next answer's worst effect | what the turn follows): edit, unsafe. The rest reads, plans or speaks.
_NEXT: dict[str, tuple[float, float]] = {
    _AFTER_USER: (0.04, 0.30),
    Effect.PLAN: (0.24, 0.09),
    Effect.READ: (0.32, 0.06),
    Effect.SHELL_SAFE: (0.05, 0.30),
    Effect.EDIT: (0.52, 0.19),
    Effect.UNSAFE: (0.03, 0.57),
}


def kind_of(effect: Effect | None) -> str:
    """The kind of an answer: the worst effect of its calls, or "text"."""
    return TEXT if effect is None else effect.value


@dataclass(slots=True)
class _Rate:
    """A share with a prior behind it."""

    prior: float
    hits: float = 0.0
    count: float = 0.0

    def add(self, hit: bool) -> None:
        self.hits += hit
        self.count += 1

    @property
    def value(self) -> float:
        return (_PRIOR_WEIGHT * self.prior + self.hits) / (_PRIOR_WEIGHT + self.count)


@dataclass(slots=True)
class Learning:
    """`accept` and `accept_brief`: how often a verification, whole or brief, lets a draft stand. `draft_output` and its
    count: the draft model's mean answer."""

    accept: _Rate = field(default_factory=lambda: _Rate(0.85))
    accept_brief: _Rate = field(default_factory=lambda: _Rate(0.85))
    _next: dict[str, tuple[_Rate, _Rate]] = field(default_factory=dict)
    _draft_mean: float = 250.0
    _draft_count: int = 3
    _brief_sum: int = 0
    _brief_count: int = 0

    def next_effects(self, previous: Effect | None) -> tuple[float, float]:
        """The chances that the next answer edits, and that it does what nobody can vouch for."""
        edit, unsafe = self._rates(previous)
        return edit.value, unsafe.value

    def saw(self, previous: Effect | None, answer: Effect | None) -> None:
        edit, unsafe = self._rates(previous)
        edit.add(answer is Effect.EDIT)
        unsafe.add(answer is Effect.UNSAFE)

    def saw_draft(self, output: int) -> None:
        self._draft_count += 1
        self._draft_mean += (output - self._draft_mean) / self._draft_count

    def saw_brief(self, tokens: int) -> None:
        self._brief_count += 1
        self._brief_sum += tokens

    def brief_tokens(self, limit: int) -> int:
        """How long a brief verification is expected to be, which may at most be `limit`."""
        weight = _BRIEF_WEIGHT
        return min(limit, round((weight * limit + self._brief_sum) / (weight + self._brief_count)))

    @property
    def draft_output(self) -> float:
        return self._draft_mean

    def _rates(self, previous: Effect | None) -> tuple[_Rate, _Rate]:
        key = _AFTER_USER if previous is None else previous
        rates = self._next.get(key)
        if rates is None:
            edit, unsafe = _NEXT[key]
            rates = self._next[key] = (_Rate(edit), _Rate(unsafe))
        return rates
