from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.strategies import usages
from tests.support.wire import json_values

from rlmc.domain.chat import Usage
from rlmc.wire.anthropic.usage import UsageTrack, read_usage, write_usage


def read(**fields: Any) -> Usage:
    usage = read_usage({"input_tokens": 1, "output_tokens": 10} | fields)
    assert usage is not None
    return usage


def test_the_four_classes() -> None:
    split = {"ephemeral_5m_input_tokens": 30, "ephemeral_1h_input_tokens": 70}
    usage = read(cache_read_input_tokens=500, cache_creation_input_tokens=100, cache_creation=split)
    assert usage == Usage(input=1, cache_read=500, cache_write_5m=30, cache_write_1h=70, output=10)


@pytest.mark.parametrize(
    ("total", "split", "written"),
    [
        (100, None, (100, 0)),
        (100, {}, (100, 0)),
        (100, {"ephemeral_5m_input_tokens": 40, "ephemeral_1h_input_tokens": 50}, (50, 50)),
        (100, {"ephemeral_1h_input_tokens": 60}, (0, 100)),
        (0, {"ephemeral_1h_input_tokens": 60}, (0, 60)),
        (None, {"ephemeral_5m_input_tokens": 60}, (60, 0)),
    ],
)
def test_writes_by_lifetime(total: int | None, split: dict[str, int] | None, written: tuple[int, int]) -> None:
    usage = read(cache_creation_input_tokens=total, cache_creation=split)
    assert (usage.cache_write_5m, usage.cache_write_1h) == written


def test_fees_of_the_servers_tools() -> None:
    fees = {"web_search_requests": 2, "web_fetch_requests": 5, "code_execution_seconds": 1.5, "idle": 0, "note": "x"}
    usage = read(server_tool_use=fees)
    assert usage.web_searches == 2
    assert usage.unpriced == ("code_execution_seconds",)


def test_the_fast_lane_has_no_known_price() -> None:
    assert read(speed="fast").unpriced == ("speed:fast",)
    assert read(speed="standard").unpriced == ()


def test_thinking_is_a_part_of_the_output() -> None:
    assert read(output_tokens_details={"thinking_tokens": 4}).thinking == 4
    assert read(output_tokens_details={"thinking_tokens": 99}).thinking == 10


def test_calls_the_provider_made_on_the_way_are_apart() -> None:
    entries = [
        {"type": "message", "input_tokens": 1, "output_tokens": 10},
        {"type": "compaction", "input_tokens": 900, "output_tokens": 50},
        {"type": "advisor_message", "model": "claude-fable-5-2", "cache_read_input_tokens": 7, "output_tokens": 3},
        {"type": "advisor_message", "note": "no counts"},
        "no object",
    ]
    assert read(iterations=entries).others == (
        ("", Usage(input=900, output=50)),
        ("claude-fable-5-2", Usage(cache_read=7, output=3)),
    )


@pytest.mark.parametrize("raw", [None, [], "x", {}, {"service_tier": "standard"}])
def test_no_counts_are_no_usage(raw: object) -> None:
    assert read_usage(raw) is None


@pytest.mark.parametrize("count", [-1, 1.5, "7", True, None, 10**30, [1]])
def test_what_is_no_count_is_none(count: object) -> None:
    assert read(input_tokens=count).input == 0


def test_a_stream_keeps_what_later_events_do_not_restate() -> None:
    track = UsageTrack()
    split = {"ephemeral_1h_input_tokens": 70}
    start = {"input_tokens": 3, "cache_creation_input_tokens": 70, "cache_creation": split, "output_tokens": 1}
    track.update(start)
    usage = track.update({"output_tokens": 50, "input_tokens": 4, "cache_creation_input_tokens": None})
    assert usage == Usage(input=4, cache_write_1h=70, output=50)
    assert track.update({"input_tokens": None}) == usage
    assert track.update(None) == usage


@given(st.dictionaries(st.sampled_from(["input_tokens", "output_tokens", "cache_creation", "iterations"]), json_values))
def test_no_count_is_ever_negative(raw: dict[str, Any]) -> None:
    usage = read_usage(raw)
    for one in [usage, *(other for _, other in usage.others)] if usage else []:
        assert min(one.input, one.cache_read, one.cache_write_5m, one.cache_write_1h, one.output, one.thinking) >= 0


@given(usages)
def test_what_is_written_reads_the_same(usage: Usage) -> None:
    assert read_usage(write_usage(usage, usage.output)) == usage
