"""What `rlmc run` says at its end, as lines of one block."""

from __future__ import annotations

from collections.abc import Iterable

NO_TURN = "no turn came through rlmc, so there is nothing to account for"


def closing(first: str, more: Iterable[str]) -> str:
    return "\n".join([f"rlmc: {first}", *(f"      {line}" for line in more)])
