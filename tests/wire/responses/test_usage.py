from __future__ import annotations

import pytest
from hypothesis import given
from tests.support.strategies import usages
from tests.support.wire import json_values

from rlmc.domain.chat import Usage
from rlmc.wire.responses.usage import read_usage, write_usage


def test_the_input_includes_what_came_from_a_cache() -> None:
    raw = {
        "input_tokens": 100,
        "input_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 30},
        "output_tokens": 50,
        "output_tokens_details": {"reasoning_tokens": 20},
        "total_tokens": 150,
    }
    assert read_usage(raw) == Usage(input=10, cache_read=60, cache_write_5m=30, output=50, thinking=20)


@pytest.mark.parametrize(
    ("raw", "usage"),
    [
        (None, None),
        ({}, None),
        ({"input_tokens": "5"}, None),
        ({"input_tokens": 5}, Usage(input=5)),
        ({"output_tokens": 5, "input_tokens_details": None}, Usage(output=5)),
        ({"input_tokens": 5, "input_tokens_details": {"cached_tokens": 9}}, Usage(cache_read=5)),
        ({"input_tokens": -5, "output_tokens": 10**30}, Usage()),
        ({"input_tokens": 5, "input_tokens_details": {"cached_tokens": True}}, Usage(input=5)),
        ({"output_tokens": 5, "output_tokens_details": {"reasoning_tokens": 9}}, Usage(output=5, thinking=5)),
    ],
)
def test_counts_as_servers_send_them(raw: object, usage: Usage | None) -> None:
    assert read_usage(raw) == usage


def test_service_tiers() -> None:
    for tier in ("auto", "default", "standard", None, 5):
        assert read_usage({"input_tokens": 1}, tier) == Usage(input=1)
    assert read_usage({"input_tokens": 1}, "priority") == Usage(input=1, unpriced=("service_tier:priority",))


@given(json_values, json_values)
def test_no_count_is_negative(raw: object, details: object) -> None:
    for said in (raw, {"input_tokens": raw, "output_tokens": 1, "input_tokens_details": details}):
        usage = read_usage(said)
        if usage is not None:
            assert min(usage.input, usage.cache_read, usage.cache_write_5m, usage.output, usage.thinking) >= 0
            assert usage.thinking <= usage.output


@given(usages)
def test_what_is_written_reads_the_same(usage: Usage) -> None:
    back = read_usage(write_usage(usage))
    assert back is not None
    assert (back.input, back.cache_read, back.prompt, back.output) == (
        usage.input,
        usage.cache_read,
        usage.prompt,
        usage.output,
    )
