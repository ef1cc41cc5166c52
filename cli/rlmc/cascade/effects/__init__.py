"""Effect classes of tool calls: what a call could do, told before it runs."""

from __future__ import annotations

from rlmc.cascade.effects.classify import effect_of
from rlmc.domain.effect import Effect, worst

__all__ = ["RELEASED", "Effect", "effect_of", "worst"]

RELEASED = frozenset({Effect.PLAN, Effect.READ, Effect.SHELL_SAFE})
"""Effects a draft may always have."""
