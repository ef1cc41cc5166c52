"""The page says amounts in the same characters as the terminal: its figures beside rlmc.views.figures."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from tests.browser.watched import Watched

from rlmc.ledger.report import Amount, SavingsReport
from rlmc.views import figures
from rlmc.views.stats_data import report_data

pytestmark = pytest.mark.browser

_CALL = """async ([name, values]) => {
    const figures = await import(new URL("static/figures.js", location.href));
    return values.map((value) => figures[name](value));
}"""
_SHORT = """async ([name, values]) => {
    const figures = await import(new URL("static/figures.js", location.href));
    return values.map((value) => figures[name](value)).map(({ mark, text }) => (mark ? `${mark} ${text}` : text));
}"""
_MONEY = """async (values) => {
    const figures = await import(new URL("static/figures.js", location.href));
    return values.map((value) => figures.money(BigInt(value)));
}"""
EDGES = [
    0,
    1,
    10**6 - 1,
    10**6,
    10**11 - 1,
    10**11,
    5 * 10**9,
    15 * 10**9,
    995 * 10**8,
    9995 * 10**7,
    10**12,
    10**15,
    10**19,
]


def amounts(count: int) -> list[int]:
    rng = random.Random(11)
    found = [rng.randrange(10 ** rng.randint(1, 20)) for _ in range(count)]
    halves = [rng.randrange(10**4) * 10**10 + 5 * 10**9 for _ in range(count // 10)]
    return [sign * value for value in [*EDGES, *found, *halves] for sign in (1, -1)]


def reports() -> list[SavingsReport]:
    rng = random.Random(12)
    found = []
    for _ in range(400):
        size = 10 ** rng.randint(5, 17)
        report = SavingsReport(turns=3, paid=Amount(rng.randrange(size)), baseline=Amount(rng.randrange(size)))
        report.paid.missing, report.baseline.missing = rng.choice((0, 0, 1)), rng.choice((0, 0, 2))
        report.baseline_estimated = rng.choice((0, 2))
        report.baseline_bias = rng.random() * size / 10
        if rng.random() < 0.1:
            report.paid.known = 0
        found.append(report)
    return found


def test_money(dashboard: Callable[..., Watched]) -> None:
    values = amounts(3_000)
    assert dashboard().page.evaluate(_MONEY, [str(value) for value in values]) == [figures.money(v) for v in values]


def test_sums_savings_and_ranges(dashboard: Callable[..., Watched]) -> None:
    page, found = dashboard().page, reports()
    data: list[dict[str, Any]] = [report_data(report) for report in found]

    def asked(script: str, name: str, part: str) -> Any:
        return page.evaluate(script, [name, [one[part] for one in data]])

    assert asked(_CALL, "amount", "paid") == [figures.amount(report.paid) for report in found]
    assert asked(_CALL, "baseline", "baseline") == [figures.baseline(report) for report in found]
    assert asked(_CALL, "savingText", "saved") == [figures.saving(report.saving, report.share) for report in found]
    short = [figures.short(report.paid).replace("?", "unknown") for report in found]
    assert asked(_SHORT, "shortAmount", "paid") == short
    short = [figures.short_saving(report.saving).replace("?", "unknown") for report in found]
    assert asked(_SHORT, "shortSaving", "saved") == short
    assert any("at least" in text for text in asked(_CALL, "amount", "paid")), "the values leave something out"
    assert any("lost" in text for text in asked(_CALL, "savingText", "saved"))


def test_shares_times_and_counts(dashboard: Callable[..., Watched]) -> None:
    page, rng = dashboard().page, random.Random(13)
    shares = [*(rng.random() for _ in range(1_000)), 0, 1, 0.005, 0.025, 0.995, 0.9999, 0.0001, -0.3, 1.125, 4.31]
    times = [*(rng.random() * 10 ** rng.randint(0, 6) for _ in range(1_000)), 0, 0.5, 2.5, 99.5, 100, 1250, 350]
    counts = [0, 1, 2, 999, 1_000, 1_234_567]
    assert page.evaluate(_CALL, ["percent", shares]) == [figures.percent(share) for share in shares]
    assert page.evaluate(_CALL, ["seconds", times]) == [figures.seconds(float(time)) for time in times]
    assert page.evaluate(_CALL, ["number", counts]) == [f"{count:,}" for count in counts]
