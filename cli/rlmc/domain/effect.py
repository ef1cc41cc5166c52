"""Effect classes: what a tool call could do to the user's world."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Effect(StrEnum):
    """`SHELL_SAFE` is a command that was parsed and only reads, or runs tests; `UNSAFE` is everything unknown."""

    PLAN = "plan"
    READ = "read"
    SHELL_SAFE = "shell-safe"
    EDIT = "edit"
    UNSAFE = "unsafe"


_RISK = tuple(Effect)


def worst(effects: Iterable[Effect]) -> Effect | None:
    """The riskiest of some effects; None for none."""
    return max(effects, key=_RISK.index, default=None)
