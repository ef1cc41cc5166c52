"""A small price table for tests, in round figures, and shorthand for times."""

from __future__ import annotations

from rlmc.domain.money import per_million
from rlmc.domain.turn import Model
from rlmc.pricing.catalog import Card, NameRule, PriceRow, PriceTable, Rate, complete

OPUS = Model("anthropic", "claude-opus-5-5")
HAIKU = Model("anthropic", "claude-haiku-5-5")
FLASH = Model("deepseek", "deepseek-flash")
NOBODY = Model("foo", "bar")

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
START = 1_795_435_200 * SECOND  # 2026-11-23 12:00 UTC


def row(model: Model, input: str, output: str, read: str, write: str | None = None) -> PriceRow:
    price = complete(
        source="test list",
        input=per_million(input),
        output=per_million(output),
        cache_read=per_million(read),
        cache_write_5m=None if write is None else per_million(write),
        anthropic=model.provider == "anthropic",
    )
    return PriceRow(model.provider, (NameRule("exact", model.name),), (Rate((Card(-1, price),)),))


TABLE = PriceTable(
    [
        row(OPUS, "4", "20", "0.20", "5"),
        row(HAIKU, "0.10", "0.50", "0.01", "0.125"),
        row(FLASH, "0.15", "0.60", "0.003"),
    ]
)
