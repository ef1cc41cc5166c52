"""Budgets: what is set, what counts against it, and how that is said.

Rule: a spend of which parts are unknown is at least what is known, so it can be over a budget but never surely under.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Literal, cast

from rlmc.config.schema import Settings
from rlmc.domain.frozen import dataclass
from rlmc.domain.money import PICO, Picodollars
from rlmc.ledger.report import Amount
from rlmc.views.figures import amount, money
from rlmc.views.stats_data import Data, money_data

Action = Literal["warn", "degrade", "stop"]

SESSION, DAILY, ACTION = "budget.session", "budget.daily", "budget.action"
_WHAT = {SESSION: "this session", DAILY: "today"}
_OTHERWISE = {SESSION: "a higher --budget", DAILY: "a higher RLMC_BUDGET_DAILY"}
_BESIDE_THE_FILE = {SESSION: "--budget or RLMC_BUDGET_SESSION", DAILY: "RLMC_BUDGET_DAILY"}
_STATES = {True: "over", False: "within"}


@dataclass(frozen=True, slots=True)
class Budget:
    """One that is set. `limit` is in dollars, `action` what happens once it is passed."""

    setting: str
    limit: Decimal
    spent: Amount
    action: Action

    @property
    def over(self) -> bool:
        return self.spent.known > self.limit * PICO

    @property
    def left(self) -> Picodollars:
        """Negative once it is passed; at most this where parts of the spend are unknown."""
        return int(self.limit * PICO) - self.spent.known

    @property
    def state(self) -> str:
        return "not known" if self.spent.missing and not self.over else _STATES[self.over]


def budgets(settings: Settings, session: Amount | None, today: Amount | None) -> list[Budget]:
    """Those that are set, among the ones whose spend is given."""
    found = []
    for setting, limit, spent in (
        (SESSION, settings.budget_session, session),
        (DAILY, settings.budget_daily, today),
    ):
        if limit is not None and spent is not None:
            found.append(Budget(setting, limit, spent, cast(Action, settings.budget_action)))
    return found


def over_budget(budget: Budget) -> str | None:
    """A sentence, or None while the spend is within the budget."""
    return f"over budget: {_spend(budget)}" if budget.over else None


def stands(budget: Budget) -> str:
    """`$1.20 of $5.00, $3.80 left`."""
    found = f"{amount(budget.spent)} of ${budget.limit}"
    if budget.over:
        return f"{found}, over by {money(-budget.left)}"
    return f"{found}, {'at most ' if budget.spent.missing else ''}{money(budget.left)} left"


def stopped(budget: Budget, overridden: Collection[str]) -> str:
    """What the agent's user is told when a turn is not sent: the setting, its value and source, and a way out.

    `overridden` are the settings that flags and environment of this session's `rlmc run` set: no file changes those.
    """
    source = _BESIDE_THE_FILE[budget.setting] if budget.setting in overridden else "config.toml"
    return f"rlmc: {_spend(budget)} ({source}), so nothing was sent. To go on: {_way_out(budget, overridden)}"


def no_help(settings: Settings, draft: object | None) -> str | None:
    """`degrade` is set for a budget, and there is nothing to degrade to."""
    set_up = settings.budget_session is not None or settings.budget_daily is not None
    if not set_up or settings.budget_action != "degrade" or draft is not None:
        return None
    return f"{ACTION} is degrade, but there is no draft model: a passed budget makes nothing cheaper"


def budgets_data(found: Sequence[Budget]) -> list[Data]:
    """For `--json`, the daemon's status and the dashboard."""
    return [
        {
            "setting": budget.setting,
            "limit": money_data(int(budget.limit * PICO)),
            "spent": {
                **money_data(budget.spent.known),
                "complete": not budget.spent.missing,
                "missing": budget.spent.missing,
            },
            "left": money_data(budget.left),
            "over": budget.over,
            "action": budget.action,
            "words": stands(budget),
        }
        for budget in found
    ]


def _spend(budget: Budget) -> str:
    return f"{_WHAT[budget.setting]} has cost {amount(budget.spent)}, and {budget.setting} is ${budget.limit}"


def _way_out(budget: Budget, overridden: Collection[str]) -> str:
    if budget.setting not in overridden:
        return f"rlmc config set {budget.setting} {_enough(budget)}"
    again = f"start again with {_OTHERWISE[budget.setting]}"
    return again if ACTION in overridden else f"rlmc config set {ACTION} warn, or {again}"


def _enough(budget: Budget) -> str:
    """The smallest multiple of the budget that leaves at least half of it."""
    times = max(2, math.ceil(budget.spent.known / (budget.limit * PICO) + Decimal("0.5")))
    return f"{(budget.limit * times).normalize():f}"
