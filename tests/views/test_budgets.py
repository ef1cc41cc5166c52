"""Budgets warn from the first picodollar over, and not before; what is said names the setting and a way out."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from rlmc.config.load import load
from rlmc.config.schema import Settings
from rlmc.ledger.report import Amount
from rlmc.views.budgets import Budget, budgets, budgets_data, no_help, over_budget, stands, stopped

DOLLAR = 10**12


def settings(session: str | None = None, daily: str | None = None, action: str = "warn") -> Settings:
    known = load(text="", env={}, providers=()).settings
    return replace(
        known,
        budget_session=None if session is None else Decimal(session),
        budget_daily=None if daily is None else Decimal(daily),
        budget_action=action,
    )


def budget(limit: str, known: int, missing: int = 0, setting: str = "budget.session") -> Budget:
    return Budget(setting, Decimal(limit), Amount(known, missing), "stop")


@pytest.mark.parametrize(
    ("limit", "known", "over"),
    [("1.50", 1_500_000_000_000, False), ("1.50", 1_500_000_000_001, True), ("0.01", 0, False)],
)
def test_a_budget_is_passed_or_not(limit: str, known: int, over: bool) -> None:
    found = budget(limit, known)
    assert found.over is over
    assert (over_budget(found) is not None) is over


def test_only_what_is_set_is_a_budget() -> None:
    spent, day = Amount(DOLLAR), Amount(2 * DOLLAR)
    assert budgets(settings(), spent, day) == []
    both = budgets(settings("5", "20", "degrade"), spent, day)
    assert [(b.setting, b.limit, b.spent, b.action) for b in both] == [
        ("budget.session", Decimal(5), spent, "degrade"),
        ("budget.daily", Decimal(20), day, "degrade"),
    ]
    assert [b.setting for b in budgets(settings("5", "20"), None, day)] == ["budget.daily"]


def test_the_sentence_names_the_setting_its_value_and_the_spend() -> None:
    said = over_budget(budget("2.00", 3 * DOLLAR, 1, "budget.daily"))
    assert said == "over budget: today has cost at least $3.00, and budget.daily is $2.00"


def test_how_a_budget_stands() -> None:
    assert stands(budget("5.00", DOLLAR)) == "$1.00 of $5.00, $4.00 left"
    assert stands(budget("5.00", DOLLAR, 2)) == "at least $1.00 of $5.00, at most $4.00 left"
    assert stands(budget("5.00", 7 * DOLLAR)) == "$7.00 of $5.00, over by $2.00"


def test_a_spend_of_unknown_parts_can_be_over_and_is_never_surely_within() -> None:
    found = [budget("5", DOLLAR), budget("5", DOLLAR, 1), budget("5", 6 * DOLLAR, 1)]
    assert [b.state for b in found] == ["within", "not known", "over"]


@pytest.mark.parametrize(
    ("limit", "known", "enough"),
    [
        ("5.00", 5_020_000_000_000, "10"),
        ("5", 9 * DOLLAR, "15"),
        ("0.01", 20_000_000_000, "0.03"),
        ("100", 101 * DOLLAR, "200"),
    ],
)
def test_the_way_out_of_a_stop_is_a_budget_that_lets_it_go_on(limit: str, known: int, enough: str) -> None:
    said = stopped(budget(limit, known), ())
    assert said.endswith(f"(config.toml), so nothing was sent. To go on: rlmc config set budget.session {enough}")
    assert not budget(enough, known).over


@pytest.mark.parametrize(
    ("setting", "overridden", "source", "way_out"),
    [
        (
            "budget.session",
            {"budget.session"},
            "--budget or RLMC_BUDGET_SESSION",
            "rlmc config set budget.action warn, or start again with a higher --budget",
        ),
        (
            "budget.session",
            {"budget.session", "budget.action"},
            "--budget or RLMC_BUDGET_SESSION",
            "start again with a higher --budget",
        ),
        (
            "budget.daily",
            {"budget.daily", "budget.action"},
            "RLMC_BUDGET_DAILY",
            "start again with a higher RLMC_BUDGET_DAILY",
        ),
        ("budget.daily", {"budget.session", "budget.action"}, "config.toml", "rlmc config set budget.daily 10"),
    ],
)
def test_what_a_run_was_given_cannot_be_changed_in_the_file(
    setting: str, overridden: set[str], source: str, way_out: str
) -> None:
    said = stopped(budget("5", 6 * DOLLAR, setting=setting), overridden)
    assert f"{setting} is $5 ({source})" in said
    assert said.endswith(f"To go on: {way_out}")


def test_degrading_needs_a_draft_model() -> None:
    assert no_help(settings("5", action="degrade"), "some/model") is None
    assert no_help(settings("5", action="stop"), None) is None
    assert no_help(settings(action="degrade"), None) is None
    assert "no draft model" in (no_help(settings("5", action="degrade"), None) or "")


def test_as_data() -> None:
    assert budgets_data([budget("5.00", 6 * DOLLAR, 1)]) == [
        {
            "setting": "budget.session",
            "limit": {"picodollars": 5 * DOLLAR, "dollars": "5"},
            "spent": {"picodollars": 6 * DOLLAR, "dollars": "6", "complete": False, "missing": 1},
            "left": {"picodollars": -DOLLAR, "dollars": "-1"},
            "over": True,
            "action": "stop",
            "words": "at least $6.00 of $5.00, over by $1.00",
        }
    ]
