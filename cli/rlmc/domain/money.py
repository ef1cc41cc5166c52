"""Money as integer picodollars (1 USD = 10**12), so that sums never drift and books are equal to the unit.

$1 per million tokens is 10**6 picodollars per token; the cheapest published cache read ($0.0028) is 2,800.
An unknown price is None, never 0, and makes every sum over it None as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from rlmc.domain.chat import Usage

PICO = 10**12
Picodollars = int


@dataclass(frozen=True, slots=True)
class Price:
    """Picodollars per token of one model at one moment and prompt length; `web_search` per request.

    `source` says where the figures come from ("genai-prices 0.2.3", "override 2026-11-23", "simulated").
    """

    input: Picodollars
    output: Picodollars
    cache_read: Picodollars
    cache_write_5m: Picodollars
    cache_write_1h: Picodollars
    source: str
    web_search: Picodollars | None = None


def cost(usage: Usage, price: Price) -> Picodollars | None:
    """What one call costs; None when it holds a fee with no known price. Calls in `usage.others` are not included."""
    if usage.unpriced:
        return None
    total = (
        usage.input * price.input
        + usage.cache_read * price.cache_read
        + usage.cache_write_5m * price.cache_write_5m
        + usage.cache_write_1h * price.cache_write_1h
        + usage.output * price.output
    )
    if usage.web_searches:
        if price.web_search is None:
            return None
        total += usage.web_searches * price.web_search
    return total


def add(amounts: Iterable[Picodollars | None]) -> Picodollars | None:
    """The sum, or None as soon as one amount is unknown."""
    total = 0
    for amount in amounts:
        if amount is None:
            return None
        total += amount
    return total


def per_million(dollars: Decimal | int | str) -> Picodollars:
    """Dollars per million tokens, as price lists give them, in picodollars per token."""
    return int((Decimal(dollars) * 10**6).to_integral_value(ROUND_HALF_EVEN))


def dollars(amount: Picodollars) -> Decimal:
    return Decimal(amount) / PICO
