from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from tests.support.strategies import usages
from tests.support.wire import json_values

from rlmc.domain.chat import Usage
from rlmc.wire.chat.usage import read_usage, write_usage


@pytest.mark.parametrize(
    ("more", "usage"),
    [
        ({}, Usage(input=100, output=9)),
        ({"prompt_tokens_details": None}, Usage(input=100, output=9)),
        ({"prompt_tokens_details": {"cached_tokens": 90}}, Usage(input=10, cache_read=90, output=9)),
        (
            {"prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 30}},
            Usage(input=10, cache_read=60, cache_write_5m=30, output=9),
        ),
        ({"prompt_cache_hit_tokens": 80, "prompt_cache_miss_tokens": 20}, Usage(input=20, cache_read=80, output=9)),
        (
            {"prompt_cache_hit_tokens": 80, "prompt_tokens_details": {"cached_tokens": 0}},
            Usage(input=100, output=9),
        ),
        ({"cached_tokens": 70}, Usage(input=30, cache_read=70, output=9)),
        ({"prompt_tokens_details": {"cached_tokens": 500}}, Usage(cache_read=100, output=9)),
        ({"completion_tokens_details": {"reasoning_tokens": 4}}, Usage(input=100, output=9, thinking=4)),
        ({"completion_tokens_details": {"reasoning_tokens": 40}}, Usage(input=100, output=9, thinking=9)),
    ],
)
def test_the_prompt_includes_what_was_cached(more: dict[str, Any], usage: Usage) -> None:
    assert read_usage({"prompt_tokens": 100, "completion_tokens": 9} | more) == usage


def test_no_counts_are_none() -> None:
    for nothing in (None, {}, [], {"total_tokens": 5}, {"prompt_tokens": "5"}):
        assert read_usage(nothing) is None


def test_a_lane_with_prices_of_its_own_is_named() -> None:
    raw = {"prompt_tokens": 1, "completion_tokens": 1}
    assert read_usage(raw, "flex") == Usage(input=1, output=1, unpriced=("service_tier:flex",))
    assert read_usage(raw, "default") == Usage(input=1, output=1)


@given(json_values)
def test_no_count_is_negative(value: Any) -> None:
    raw = dict.fromkeys(("prompt_tokens", "completion_tokens", "prompt_tokens_details", "cached_tokens"), value)
    usage = read_usage(raw | {"prompt_tokens": 5})
    assert usage is not None
    assert min(usage.input, usage.cache_read, usage.cache_write_5m, usage.output, usage.thinking) >= 0


@given(usages)
def test_what_is_written_reads_again(usage: Usage) -> None:
    back = read_usage(write_usage(usage))
    assert back is not None
    assert (back.prompt, back.input, back.cache_read, back.output) == (
        usage.prompt,
        usage.input,
        usage.cache_read,
        usage.output,
    )
