"""Money is counted in whole picodollars: sums never drift, and an unknown price never becomes 0."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlmc.domain.chat import Usage
from rlmc.domain.money import PICO, add, dollars, per_million
from rlmc.domain.price import Price, cost

amounts = st.integers(0, 10**9)
tokens = st.integers(0, 10**7)
prices = st.builds(
    Price,
    input=amounts,
    output=amounts,
    cache_read=amounts,
    cache_write_5m=amounts,
    cache_write_1h=amounts,
    source=st.just("test"),
    web_search=st.none() | amounts,
)
usages = st.builds(
    Usage,
    input=tokens,
    cache_read=tokens,
    cache_write_5m=tokens,
    cache_write_1h=tokens,
    output=tokens,
    thinking=tokens,
)


def _plus(a: Usage, b: Usage) -> Usage:
    return Usage(
        input=a.input + b.input,
        cache_read=a.cache_read + b.cache_read,
        cache_write_5m=a.cache_write_5m + b.cache_write_5m,
        cache_write_1h=a.cache_write_1h + b.cache_write_1h,
        output=a.output + b.output,
    )


@given(usages, usages, prices)
def test_two_calls_cost_what_their_tokens_cost_together(a: Usage, b: Usage, price: Price) -> None:
    assert add([cost(a, price), cost(b, price)]) == cost(_plus(a, b), price)


@given(usages, prices)
def test_thinking_is_part_of_the_output_and_not_billed_twice(usage: Usage, price: Price) -> None:
    assert cost(usage, price) == cost(replace(usage, thinking=0), price)


@given(st.lists(st.none() | st.integers(-(10**15), 10**15)))
def test_one_unknown_amount_makes_a_sum_unknown(parts: list[int | None]) -> None:
    known = [part for part in parts if part is not None]
    assert add(parts) == (sum(known) if len(known) == len(parts) else None)


@given(usages, prices)
def test_a_fee_without_a_price_makes_the_cost_unknown(usage: Usage, price: Price) -> None:
    assert cost(replace(usage, unpriced=("web_fetch",)), price) is None
    assert cost(replace(usage, web_searches=1), replace(price, web_search=None)) is None


@given(usages, prices, st.integers(1, 50))
def test_searches_are_billed_each(usage: Usage, price: Price, searches: int) -> None:
    price = replace(price, web_search=10 * PICO // 1000)
    with_searches, without = cost(replace(usage, web_searches=searches), price), cost(usage, price)
    assert with_searches is not None
    assert without is not None
    assert with_searches - without == searches * 10 * PICO // 1000


@given(st.decimals(0, 1000, places=6), tokens)
def test_a_price_per_million_costs_that_for_a_million(price: Decimal, count: int) -> None:
    assert dollars(per_million(price) * 10**6) == price
    exact = Fraction(price) * count / 10**6
    assert Fraction(dollars(per_million(price) * count)) == exact


@pytest.mark.parametrize(("text", "picodollars"), [("1", 10**6), ("0.0028", 2_800), ("20", 20 * 10**6), (4, 4 * 10**6)])
def test_published_prices_are_whole_picodollars(text: str | int, picodollars: int) -> None:
    assert per_million(text) == picodollars


@given(usages)
def test_the_prompt_is_every_class_but_the_output(usage: Usage) -> None:
    rest = usage.input + usage.cache_read + usage.cache_write_5m + usage.cache_write_1h
    assert usage.prompt == rest
