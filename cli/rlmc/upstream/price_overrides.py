"""Prices the bundled price list lacks, written down by hand with the day they were read.

Rule: a row here is what the provider's own page said on that day. Rows win over the price list, so a row goes as soon
as the list has it.
"""

from __future__ import annotations

from rlmc.domain.money import PICO, per_million
from rlmc.domain.price import Price
from rlmc.pricing.catalog import Card, NameRule, PriceRow, Rate, complete

READ_ON = "2026-11-23"
SOURCE = f"override {READ_ON}"

# $10 for 1,000 searches, for every Claude model that can search.
ANTHROPIC_WEB_SEARCH = 10 * PICO // 1000

# The embedded models are priced like a real pair, and say that they are simulated.
SIMULATED_LIKE = {"draft": "claude-haiku-5-5", "verify": "claude-opus-5-5"}


def rows() -> list[PriceRow]:
    return [
        # Alibaba Model Studio, international.
        _row("qwen", "qwen3.8-flash", input="0.15", output="0.47", cache_read="0.016", cache_write="0.20"),
        _row("qwen", "qwen3.8-max", input="2", output="6", cache_read="0.25"),
        _row("qwen", "qwen3.7-max", input="2.5", output="7.5", cache_read="0.5", cache_write="3.125"),
        # Z.ai gives this one away.
        _row("zai", "glm-4.7-flash", input="0", output="0", cache_read="0"),
    ]


def _row(
    provider: str, name: str, *, input: str, output: str, cache_read: str, cache_write: str | None = None
) -> PriceRow:
    price: Price = complete(
        source=SOURCE,
        input=per_million(input),
        output=per_million(output),
        cache_read=per_million(cache_read),
        cache_write_5m=None if cache_write is None else per_million(cache_write),
    )
    return PriceRow(provider, (NameRule("exact", name),), (Rate((Card(-1, price),)),))
