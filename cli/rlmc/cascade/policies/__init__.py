"""The policies there are, by name. A new one is a file here, a line below and one in `table`.

Rule: settings are checked by these names in front of every start of an agent, so the policies themselves are loaded
only when one is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rlmc.cascade.policies.policy import Policy
    from rlmc.cascade.policies.table import POLICIES as POLICIES

NAMES: tuple[str, ...] = ("balanced", "economy", "careful", "paper", "draft-only", "verify-only")


def find(name: str) -> Policy | None:
    from rlmc.cascade.policies.table import POLICIES

    return next((p for p in POLICIES if p.name == name), None)


def __getattr__(name: str) -> object:
    if name == "POLICIES":
        from rlmc.cascade.policies.table import POLICIES

        return POLICIES
    raise AttributeError(name)
