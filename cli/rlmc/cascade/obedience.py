"""How policies stand to what audits teach, by name: apart from the policies, for who wants to know no more of them."""

from __future__ import annotations

from collections.abc import Mapping

_STRICTER: Mapping[str, float] = {"careful": 0.5}
_RULED = frozenset({"paper", "draft-only"})


def strictness(policy: str) -> float:
    """The share of `max-regression` that is aimed at."""
    return _STRICTER.get(policy, 1.0)


def obeys(policy: str) -> bool:
    """Whether what audits teach may send a turn direct; a policy of fixed rules is only watched."""
    return policy not in _RULED
