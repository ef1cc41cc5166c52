"""The price table: who matches, what holds when, and what is unknown."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.prices import FLASH, HAIKU, NOBODY, OPUS, START, TABLE

from rlmc.domain.chat import Usage
from rlmc.domain.money import per_million
from rlmc.domain.price import Price
from rlmc.domain.turn import Model
from rlmc.pricing.catalog import Card, Charge, NameRule, PriceRow, PriceTable, Rate, complete, undated


def flat(amount: int) -> Price:
    return Price(amount, amount, amount, amount, amount, source=f"price {amount}")


def rate(amount: int, since: int | None = None, minutes: tuple[int, int] | None = None) -> Rate:
    return Rate((Card(-1, flat(amount)),), since, minutes)


def one(*rates: Rate, rules: tuple[NameRule, ...] = (NameRule("exact", "m"),)) -> PriceTable:
    return PriceTable([PriceRow("p", rules, rates)])


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


def amount(table: PriceTable, name: str = "m", when: int = START, prompt: int = 10) -> int | None:
    price = table.lookup(Model("p", name), when, prompt)
    return None if price is None else price.input


# --- names ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "name", "known"),
    [
        (NameRule("exact", "claude-x"), "claude-x", True),
        (NameRule("exact", "claude-x"), "CLAUDE-X", True),
        (NameRule("exact", "claude-x"), "claude-xy", False),
        (NameRule("prefix", "claude-x"), "claude-xy", True),
        (NameRule("suffix", "-fast"), "claude-fast", True),
        (NameRule("suffix", "-fast"), "fast-claude", False),
        (NameRule("contains", "aud"), "claude", True),
        (NameRule("dated", "claude-x"), "claude-x-20261001", True),
        (NameRule("dated", "claude-x"), "claude-x@20261001", True),
        (NameRule("dated", "claude-x"), "claude-x-2026-10-01", True),
        (NameRule("dated", "claude-x"), "claude-x", False),
        (NameRule("dated", "claude-x"), "claude-x-1-20261001", False),
    ],
)
def test_names(rule: NameRule, name: str, known: bool) -> None:
    assert (amount(one(rate(7), rules=(rule,)), name) == 7) is known


def test_a_dated_snapshot_costs_what_its_model_costs_unless_it_has_a_row() -> None:
    table = PriceTable(
        [
            PriceRow("p", (NameRule("exact", "m"),), (rate(1),)),
            PriceRow("p", (NameRule("exact", "m-20250101"),), (rate(2),)),
        ]
    )
    assert amount(table, "m-20261001") == 1
    assert amount(table, "m-20250101") == 2
    assert amount(table, "m-99999999") is None  # no date


@given(st.text("abc-@0123456789", max_size=24))
def test_undated_takes_off_at_most_one_date(name: str) -> None:
    short = undated(name)
    assert name.startswith(short)
    assert short or not name
    assert len(name) - len(short) in (0, 9, 11)


# --- unknown is never 0 ---------------------------------------------------------------------------------------------


def test_unknown_models_and_providers_have_no_price() -> None:
    assert TABLE.lookup(NOBODY, START, 10) is None
    assert TABLE.lookup(Model("anthropic", "claude-opus-9"), START, 10) is None
    assert TABLE.lookup(Model("other", OPUS.name), START, 10) is None


def test_before_the_first_date_nothing_is_known() -> None:
    assert amount(one(rate(1, since=START)), when=START - 1) is None
    assert amount(one(rate(1, since=START)), when=START) == 1


@pytest.mark.parametrize("provider", ["ollama", "llama.cpp", "vllm", "lmstudio"])
def test_models_on_the_own_machine_cost_nothing_and_that_is_known(provider: str) -> None:
    price = TABLE.lookup(Model(provider, "qwen3-coder:30b"), START, 10**6)
    assert price == Price(0, 0, 0, 0, 0, source="local")


@pytest.mark.parametrize("name", ["glm-5.3:cloud", "qwen3-coder:480b-cloud"])
def test_a_local_address_may_lead_to_a_vendor_s_cloud(name: str) -> None:
    assert TABLE.lookup(Model("ollama", name), START, 10) is None


# --- when -----------------------------------------------------------------------------------------------------------


def test_the_last_active_rate_holds() -> None:
    later = START + 1000
    table = one(rate(1), rate(2, since=START), rate(3, since=later))
    assert [amount(table, when=t) for t in (START - 1, START, later - 1, later)] == [1, 2, 2, 3]


@pytest.mark.parametrize(
    ("clock", "expected"),
    [("00:59", 1), ("01:00", 2), ("03:59", 2), ("04:00", 1), ("06:00", 2), ("09:59", 2), ("10:00", 1), ("23:59", 1)],
)
def test_hours_of_the_utc_day(clock: str, expected: int) -> None:
    table = one(rate(1), rate(2, minutes=(60, 240)), rate(2, minutes=(360, 600)))
    assert amount(table, when=at(f"2026-11-23T{clock}")) == expected


@pytest.mark.parametrize(("clock", "expected"), [("21:59", 1), ("22:00", 2), ("01:59", 2), ("02:00", 1)])
def test_hours_over_midnight(clock: str, expected: int) -> None:
    assert amount(one(rate(1), rate(2, minutes=(1320, 120))), when=at(f"2026-11-23T{clock}")) == expected


def test_a_row_without_an_active_rate_leaves_it_to_the_next_row() -> None:
    rules = (NameRule("exact", "m"),)
    table = PriceTable([PriceRow("p", rules, (rate(9, since=START + 1),)), PriceRow("p", rules, (rate(1),))])
    assert amount(table, when=START) == 1
    assert amount(table, when=START + 1) == 9


# --- how long -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("prompt", "expected"), [(0, 1), (100, 1), (101, 5), (200, 5), (201, 8)])
def test_a_long_prompt_puts_the_whole_request_on_the_higher_card(prompt: int, expected: int) -> None:
    table = one(Rate((Card(-1, flat(1)), Card(100, flat(5)), Card(200, flat(8)))))
    assert amount(table, prompt=prompt) == expected


# --- gaps in a known price ------------------------------------------------------------------------------------------


def test_what_a_price_leaves_out() -> None:
    plain = complete(source="s", input=100, output=500)
    assert (plain.cache_read, plain.cache_write_5m, plain.cache_write_1h) == (100, 100, 100)
    written = complete(source="s", input=100, output=500, cache_write_5m=125)
    assert (written.cache_write_5m, written.cache_write_1h) == (125, 125)
    claude = complete(source="s", input=100, output=500, cache_write_5m=125, anthropic=True)
    assert (claude.cache_write_5m, claude.cache_write_1h) == (125, 200)
    assert complete(source="s", input=100, output=500, cache_write_1h=0, anthropic=True).cache_write_1h == 0


# --- a whole call ---------------------------------------------------------------------------------------------------


def test_a_call_is_charged_with_its_source() -> None:
    usage = Usage(input=10, cache_read=1000, cache_write_5m=100, output=50)
    expected = (10 * 4 + 100 * 5 + 50 * 20) * 10**6 + 1000 * per_million("0.20")
    assert TABLE.charge(OPUS, usage, START) == Charge(expected, "test list")


def test_calls_inside_a_call_are_charged_at_their_own_models_prices() -> None:
    inner = Usage(input=1000, output=100)
    usage = Usage(input=10, others=((HAIKU.name, inner), ("", inner)))
    parts = [
        TABLE.charge(model, u, START).cost for model, u in ((OPUS, Usage(input=10)), (HAIKU, inner), (OPUS, inner))
    ]
    assert TABLE.charge(OPUS, usage, START).cost == sum(p for p in parts if p is not None)
    assert TABLE.charge(OPUS, Usage(input=10, others=(("claude-unheard-of", inner),)), START).cost is None


def test_a_call_without_a_price_has_no_cost_and_one_without_tokens_needs_none() -> None:
    assert TABLE.charge(NOBODY, Usage(input=1), START) == Charge(None, None)
    assert TABLE.charge(NOBODY, Usage(), START) == Charge(0, None)
    assert TABLE.charge(FLASH, Usage(input=1, unpriced=("x",)), START).cost is None


def test_names_from_clients_cannot_fill_the_memory() -> None:
    table = one(rate(1))
    for n in range(3000):
        assert amount(table, f"m-{n}") is None
    assert amount(table, "m") == 1
    assert len(table._memo) <= 1024
