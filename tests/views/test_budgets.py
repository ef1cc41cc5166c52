"""Budgets warn from the first picodollar over, and not before."""

from __future__ import annotations

from decimal import Decimal

import pytest

from rlmc.ledger.report import Amount, SavingsReport
from rlmc.views.budgets import over_budget


@pytest.mark.parametrize(
    ("limit", "known", "over"),
    [
        (None, 10**15, False),
        (Decimal("1.50"), 1_500_000_000_000, False),
        (Decimal("1.50"), 1_500_000_000_001, True),
        (Decimal(0), 0, False),
        (Decimal(0), 1, True),
    ],
)
def test_a_budget_is_passed_or_not(limit: Decimal | None, known: int, over: bool) -> None:
    report = SavingsReport(paid=Amount(known))
    assert (over_budget("budget.session", limit, report, "this session") is not None) is over


def test_the_sentence_names_the_setting_its_value_and_the_spend() -> None:
    said = over_budget("budget.daily", Decimal("2.00"), SavingsReport(paid=Amount(3 * 10**12, 1)), "today")
    assert said is not None
    assert "budget.daily is $2.00" in said
    assert "$3.00" in said
    assert "at least" in said
