"""What kind of step a draft is, as far as its quality is concerned: what is learnt of one step tells of its bucket."""

from __future__ import annotations

from rlmc.cascade.learning import TEXT, kind_of
from rlmc.domain.effect import Effect

SIDE = "side"
CHECKED = "checked"
"""A draft of any kind that the verify model has accepted on a compact context."""
BUCKETS: tuple[str, ...] = (
    Effect.PLAN.value,
    Effect.READ.value,
    SIDE,
    Effect.SHELL_SAFE.value,
    TEXT,
    Effect.EDIT.value,
    CHECKED,
    Effect.UNSAFE.value,
)
"""From what is safest to be wrong in to what is not."""


def bucket_of(*, auxiliary: bool, effect: Effect | None) -> str:
    """`effect` is the worst among the draft's calls, None without any; `auxiliary` says that a side call is drafted,
    such as a title."""
    return SIDE if auxiliary else kind_of(effect)
