"""The policies themselves, in the order of their names."""

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
