"""Says when a budget is passed. It warns; it never stops an agent.

Rule: a spend of which parts are unknown is at least what is known, so it can be over a budget but never surely under.
"""

from __future__ import annotations

from decimal import Decimal

from rlmc.domain.money import dollars
from rlmc.ledger.report import SavingsReport
from rlmc.views.figures import amount


def over_budget(setting: str, limit: Decimal | None, report: SavingsReport, what: str) -> str | None:
    """A sentence, or None while the spend of `what` ("this session", "today") is within `limit` dollars."""
    if limit is None or dollars(report.paid.known) <= limit:
        return None
    return f"over budget: {what} has cost {amount(report.paid)}, and {setting} is ${limit}"
