"""The table of policies. A new one is a file here and one line below."""

from __future__ import annotations

from rlmc.cascade.policies import balanced, careful, draft_only, economy, paper, verify_only
from rlmc.cascade.policies.policy import Policy

POLICIES: tuple[Policy, ...] = (
    balanced.POLICY,
    economy.POLICY,
    careful.POLICY,
    paper.POLICY,
    draft_only.POLICY,
    verify_only.POLICY,
)
NAMES: tuple[str, ...] = tuple(p.name for p in POLICIES)


def find(name: str) -> Policy | None:
    return next((p for p in POLICIES if p.name == name), None)
