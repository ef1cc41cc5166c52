"""Builds the price table from the installed genai-prices snapshot and the overrides beside this file.

Rule: the package is imported inside `price_rows` only (it takes about 0.4 s and 15 MB): no command pays for it that
needs no prices, and a daemon has it done by a process of its own, see `prices_apart`. What the snapshot says in a way
the table cannot hold is left out, and so unknown. One thing the snapshot itself cannot say: DeepSeek bills weekends
off-peak, so its peak prices are an upper bound on Saturdays and Sundays.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rlmc.domain.money import PICO, Picodollars, per_million
from rlmc.domain.price import Price
from rlmc.pricing.catalog import Card, NameRule, PriceRow, PriceTable, Rate, complete
from rlmc.upstream import price_overrides

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice

# rlmc's names of providers, and the price list's.
PROVIDERS = {
    "anthropic": "anthropic",
    "deepseek": "deepseek",
    "openai": "openai",
    "moonshot": "moonshotai",
    "zai": "zai",
    "minimax": "minimax",
    "openrouter": "openrouter",
}
_DATE_PATTERNS = (r"-\d{8}$", r"@\d{8}$", r"[-@]\d{8}$", r"-\d{4}-\d{2}-\d{2}$")


def load_prices() -> PriceTable:
    """The whole table. Blocking; call it once, in a thread where that matters."""
    return PriceTable(price_rows())


def price_rows() -> list[PriceRow]:
    import genai_prices
    from genai_prices.data_snapshot import get_snapshot

    source = f"genai-prices {genai_prices.__version__}"
    models = {provider.id: provider.models for provider in get_snapshot().providers}
    rows = price_overrides.rows()
    for name, id in PROVIDERS.items():
        for model in models.get(id, ()):
            row = _row(name, model, source)
            if row is not None:
                rows.append(row)
    return [*rows, *_simulated(rows)]


def _row(provider: str, model: ModelInfo, source: str) -> PriceRow | None:
    names = tuple(_name_rules(model.match))
    periods: list[tuple[Any, ModelPrice]]
    if isinstance(model.prices, list):
        periods = [(entry.constraint, entry.prices) for entry in model.prices]
    else:
        periods = [(None, model.prices)]
    rates = []
    for constraint, prices in periods:
        cards = _cards(provider, model.id, prices, source)
        if not cards:
            return None
        rates.append(_rate(cards, constraint))
    return PriceRow(provider, names, tuple(rates)) if names and rates else None


def _name_rules(clause: Any) -> Iterator[NameRule]:
    """The clauses of a match as plain rules. Patterns other than "the name and a date" have no plain form."""
    match type(clause).__name__:
        case "ClauseOr":
            for part in clause.or_:
                yield from _name_rules(part)
        case "ClauseEquals":
            yield NameRule("exact", clause.equals.lower())
        case "ClauseStartsWith":
            yield NameRule("prefix", clause.starts_with.lower())
        case "ClauseEndsWith":
            yield NameRule("suffix", clause.ends_with.lower())
        case "ClauseContains":
            yield NameRule("contains", clause.contains.lower())
        case "ClauseRegex":
            for pattern in _DATE_PATTERNS:
                stem = clause.regex.removeprefix("^").removesuffix(pattern)
                if len(stem) == len(clause.regex) - len(pattern) - 1:
                    yield NameRule("dated", stem.replace("\\.", ".").lower())


def _rate(cards: tuple[Card, ...], constraint: Any) -> Rate:
    match constraint:
        case None:
            return Rate(cards)
        case _ if hasattr(constraint, "start_date"):
            return Rate(cards, since=_midnight(constraint.start_date))
        case _:
            return Rate(cards, minutes=(_minute(constraint.start_time), _minute(constraint.end_time)))


def _cards(provider: str, model: str, prices: ModelPrice, source: str) -> tuple[Card, ...]:
    given: dict[str, Any] = {key: value for key, value in vars(prices).items() if value is not None}
    if not given and provider == "openrouter" and model.endswith(":free"):
        return (Card(-1, Price(0, 0, 0, 0, 0, source=source)),)
    tokens = [key for key in given if key.endswith("_mtok")]
    if "input_mtok" not in given or "output_mtok" not in given:
        return ()
    if "requests_kcount" in given or "output_reasoning_mtok" in given:
        return ()  # a fee per request, or two prices of output: no plain price per token says this
    steps = sorted({tier.start for key in tokens for tier in getattr(given[key], "tiers", ())})
    return tuple(Card(above, _price(provider, model, given, above, source)) for above in (-1, *steps))


def _price(provider: str, model: str, given: dict[str, Any], above: int, source: str) -> Price:
    def at(key: str) -> Picodollars:
        amount: Decimal = getattr(given[key], "base", given[key])
        for tier in getattr(given[key], "tiers", ()):
            if above >= tier.start:
                amount = tier.price
        return per_million(amount)

    def maybe(key: str) -> Picodollars | None:
        return at(key) if key in given else None

    anthropic = provider == "anthropic" or model.startswith("anthropic/")
    search: Decimal | None = given.get("web_searches_kcount")
    price = complete(
        source=source,
        input=at("input_mtok"),
        output=at("output_mtok"),
        cache_read=maybe("cache_read_mtok"),
        cache_write_5m=maybe("cache_write_mtok"),
        cache_write_1h=maybe("cache_write_1h_mtok"),
        web_search=None if search is None else int(search * PICO / 1000),
        anthropic=anthropic,
    )
    if price.web_search is None and provider == "anthropic":
        return replace(price, web_search=price_overrides.ANTHROPIC_WEB_SEARCH)
    return price


def _simulated(rows: list[PriceRow]) -> Iterator[PriceRow]:
    for prefix, model in price_overrides.SIMULATED_LIKE.items():
        for row in rows:
            if row.provider == "anthropic" and row.matches(model):
                yield PriceRow("sim", (NameRule("prefix", prefix),), tuple(_relabelled(rate) for rate in row.rates))
                break


def _relabelled(rate: Rate) -> Rate:
    return replace(rate, cards=tuple(replace(c, price=replace(c.price, source="simulated")) for c in rate.cards))


def _midnight(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp()) * 1_000_000


def _minute(moment: time) -> int:
    offset = moment.utcoffset()
    minutes = moment.hour * 60 + moment.minute - (int(offset.total_seconds()) // 60 if offset else 0)
    return minutes % (24 * 60)
