"""The table built from the installed price list says what the providers' pages say."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from rlmc.domain.chat import Usage
from rlmc.domain.money import PICO, dollars, per_million
from rlmc.domain.price import cost
from rlmc.domain.turn import Model
from rlmc.pricing.catalog import PriceTable
from rlmc.upstream.prices import PROVIDERS, load_prices

NOON = "2026-11-23T12:00"


@pytest.fixture(scope="module")
def table() -> PriceTable:
    return load_prices()


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


def figures(table: PriceTable, model: str, when: str = NOON, prompt: int = 1000) -> tuple[str, ...] | None:
    price = table.lookup(Model(*model.split("/", 1)), at(when), prompt)
    if price is None:
        return None
    classes = (price.input, price.cache_write_5m, price.cache_write_1h, price.cache_read, price.output)
    return tuple(f"{dollars(c * 10**6).normalize():f}" for c in classes)


# input, write 5m, write 1h, read, output: dollars per million tokens
@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("anthropic/claude-opus-5-5", "4 5 8 0.2 20"),
        ("anthropic/claude-opus-5", "5 6.25 10 0.5 25"),
        ("anthropic/claude-opus-4-8", "5 6.25 10 0.5 25"),
        ("anthropic/claude-opus-4-7", "5 6.25 10 0.5 25"),
        ("anthropic/claude-sonnet-5-5", "2 2.5 4 0.1 10"),
        ("anthropic/claude-sonnet-5", "2 2.5 4 0.2 10"),
        ("anthropic/claude-haiku-5-5", "0.1 0.125 0.2 0.01 0.5"),
        ("anthropic/claude-haiku-4-5", "1 1.25 2 0.1 5"),
        ("anthropic/claude-haiku-4-5-20251001", "1 1.25 2 0.1 5"),
        ("anthropic/claude-opus-5-5-20260921", "4 5 8 0.2 20"),
        ("anthropic/claude-fable-5-2", "8 10 16 0.2 40"),
        ("anthropic/claude-fable-5-1", "10 12.5 20 0.25 50"),
        ("deepseek/deepseek-flash", "0.15 0.15 0.15 0.003 0.6"),
        ("deepseek/deepseek-v4-flash", "0.15 0.15 0.15 0.003 0.6"),
        ("deepseek/deepseek-v4-pro", "0.66 0.66 0.66 0.022 1.98"),
        ("moonshot/kimi-k3.1-pro", "2 2 4 0.2 10"),
        ("moonshot/kimi-k3", "3 3 6 0.3 15"),
        ("moonshot/kimi-k2.7-code", "0.95 0.95 0.95 0.19 4"),
        ("moonshot/kimi-k2.7-code-highspeed", "1.9 1.9 1.9 0.38 8"),
        ("moonshot/kimi-k2.6", "0.95 0.95 0.95 0.16 4"),
        ("zai/glm-5.3-flash", "0.15 0.15 0.15 0.03 0.5"),
        ("zai/glm-5.3", "1.4 1.4 1.4 0.26 4.4"),
        ("zai/glm-5.2", "1.4 1.4 1.4 0.26 4.4"),
        ("zai/glm-5.1", "1.4 1.4 1.4 0.26 4.4"),
        ("zai/glm-4.7", "0.6 0.6 0.6 0.11 2.2"),
        ("zai/glm-4.7-flash", "0 0 0 0 0"),
        ("minimax/MiniMax-M3", "0.3 0.3 0.3 0.06 1.2"),
        ("minimax/MiniMax-M3.1-Flash", "0.15 0.15 0.15 0.015 0.6"),
        ("minimax/MiniMax-M2.7", "0.3 0.375 0.375 0.06 1.2"),
        ("minimax/MiniMax-M2.7-highspeed", "0.6 0.375 0.375 0.06 2.4"),
        ("qwen/qwen3.8-flash", "0.15 0.2 0.2 0.016 0.47"),
        ("qwen/qwen3.8-max", "2 2 2 0.25 6"),
        ("qwen/qwen3.7-max", "2.5 3.125 3.125 0.5 7.5"),
        ("openai/gpt-6-luna", "0.1 0.125 0.125 0.01 0.5"),
        ("openai/gpt-6.1-terra", "1 1.25 1.25 0.05 5"),
        ("openai/gpt-6.1-sol", "2 2.5 2.5 0.1 10"),
        ("openai/gpt-6-sol", "2 2.5 2.5 0.2 10"),
        ("openai/gpt-6-astra", "10 12.5 12.5 1 50"),
        ("openai/gpt-5.6-luna", "0.2 0.25 0.25 0.02 1.2"),
        ("openai/gpt-5.6-terra", "2 2.5 2.5 0.2 12"),
        ("openai/gpt-5.4-mini", "0.75 0.75 0.75 0.075 4.5"),
        ("openai/gpt-5.4-nano", "0.2 0.2 0.2 0.02 1.25"),
        ("openai/gpt-5-mini", "0.25 0.25 0.25 0.025 2"),
        ("openai/gpt-5-nano", "0.05 0.05 0.05 0.005 0.4"),
        ("openrouter/qwen/qwen3-coder-next", "0.12 0.12 0.12 0.07 0.8"),
        ("openrouter/qwen/qwen3-coder-plus", "0.65 0.8125 0.8125 0.13 3.25"),
        ("openrouter/anthropic/claude-opus-5.5", "4 5 8 0.2 20"),
        ("openrouter/qwen/qwen3-coder:free", "0 0 0 0 0"),
        ("sim/draft", "0.1 0.125 0.2 0.01 0.5"),
        ("sim/verify-slow", "4 5 8 0.2 20"),
    ],
)
def test_published_prices(table: PriceTable, model: str, expected: str) -> None:
    assert figures(table, model) == tuple(expected.split())


@pytest.mark.parametrize(
    ("model", "threshold", "expected"),
    [
        ("anthropic/claude-haiku-5-5", 100_000, "0.5 0.625 1 0.05 2.5"),
        ("sim/draft", 100_000, "0.5 0.625 1 0.05 2.5"),
        ("openai/gpt-6-luna", 272_000, "0.2 0.25 0.25 0.02 0.75"),
        ("openai/gpt-6.1-sol", 272_000, "4 5 5 0.2 15"),
        ("openai/gpt-6.1-terra", 272_000, "2 2.5 2.5 0.1 7.5"),
        ("openai/gpt-6-astra", 272_000, "20 25 25 2 75"),
        ("openai/gpt-5.6-luna", 272_000, "0.4 0.5 0.5 0.04 1.8"),
        ("minimax/MiniMax-M3", 512_000, "0.6 0.6 0.6 0.12 2.4"),
    ],
)
def test_long_prompts_are_dearer_as_a_whole(table: PriceTable, model: str, threshold: int, expected: str) -> None:
    assert figures(table, model, prompt=threshold) == figures(table, model)
    assert figures(table, model, prompt=threshold + 1) == tuple(expected.split())


@pytest.mark.parametrize(
    ("clock", "peak"),
    [("00:59", False), ("01:00", True), ("03:59", True), ("04:00", False), ("06:00", True), ("10:00", False)],
)
def test_deepseek_doubles_at_peak_hours(table: PriceTable, clock: str, peak: bool) -> None:
    flash, pro = (
        ("0.3 0.3 0.3 0.006 1.2", "1.32 1.32 1.32 0.044 3.96")
        if peak
        else (
            "0.15 0.15 0.15 0.003 0.6",
            "0.66 0.66 0.66 0.022 1.98",
        )
    )
    assert figures(table, "deepseek/deepseek-flash", f"2026-11-23T{clock}") == tuple(flash.split())
    assert figures(table, "deepseek/deepseek-v4-pro", f"2026-11-23T{clock}") == tuple(pro.split())


def test_prices_change_with_the_date(table: PriceTable) -> None:
    model = "deepseek/deepseek-v4-flash"
    days = [figures(table, model, f"2026-{day}T12:00") for day in ("08-16", "08-17", "09-09", "09-10")]
    assert [None if d is None else d[0] for d in days] == ["0.14", "0.22", "0.22", "0.15"]


@pytest.mark.parametrize(
    "model",
    [
        "anthropic/claude-opus-9",
        "qwen/qwen3-unheard-of",
        "openai/text-embedding-3-large",  # no price of output
        "openai/whisper-1",
        "elsewhere/claude-opus-5-5",
        "sim/other",
    ],
)
def test_what_no_list_knows_is_unknown(table: PriceTable, model: str) -> None:
    assert figures(table, model) is None


def test_searches_cost_a_cent_each_at_anthropic(table: PriceTable) -> None:
    for name in ("claude-opus-5-5", "claude-haiku-4-5", "claude-3-haiku"):
        price = table.lookup(Model("anthropic", name), at(NOON), 10)
        assert price is not None
        assert price.web_search == PICO // 100


def test_every_price_says_where_it_comes_from(table: PriceTable) -> None:
    def source(model: str) -> str:
        price = table.lookup(Model(*model.split("/", 1)), at(NOON), 10)
        assert price is not None
        return price.source

    assert source("anthropic/claude-opus-5-5").startswith("genai-prices ")
    assert source("qwen/qwen3.8-max") == "override 2026-11-23"
    assert source("sim/verify") == "simulated"
    assert source("ollama/anything") == "local"


def test_the_whole_table_agrees_with_the_price_list_s_own_arithmetic(table: PriceTable) -> None:
    """Every model of every provider, at a peak hour with a short prompt and off-peak with a long one."""
    import genai_prices
    from genai_prices.data_snapshot import get_snapshot

    providers = {provider.id: provider for provider in get_snapshot().providers}
    compared = 0
    for name, id in PROVIDERS.items():
        for model in providers[id].models:
            for when, prompt in (("2026-11-23T02:00", 1_000), ("2026-10-24T12:00", 600_000)):
                price = table.lookup(Model(name, model.id), at(when), prompt)
                if price is None or price.source.startswith("override"):
                    continue
                theirs = genai_prices.calc_price(
                    genai_prices.Usage(input_tokens=prompt, cache_read_tokens=prompt // 2, output_tokens=777),
                    model.id,
                    provider_id=id,
                    genai_request_timestamp=datetime.fromisoformat(when).replace(tzinfo=UTC),
                ).total_price
                ours = cost(Usage(input=prompt - prompt // 2, cache_read=prompt // 2, output=777), price)
                assert ours is not None
                assert dollars(ours) == Decimal(theirs), (name, model.id)
                compared += 1
    assert compared > 1_500


def test_the_figures_are_per_token(table: PriceTable) -> None:
    price = table.lookup(Model("anthropic", "claude-opus-5-5"), at(NOON), 10)
    assert price is not None
    assert price.input == per_million(4) == 4_000_000
