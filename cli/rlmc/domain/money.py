"""Money as integer picodollars (1 USD = 10**12), so that sums never drift and books are equal to the unit.

$1 per million tokens is 10**6 picodollars per token; the cheapest published cache read ($0.0028) is 2,800.
An unknown price is None, never 0, and makes every sum over it None as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal

PICO = 10**12
Picodollars = int


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
