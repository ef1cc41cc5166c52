"""Usage and the prompt cache, by the provider's published rules."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.simulated import Clock, ask, run, send
from tests.support.tools import ALL, request

from rlmc.upstream.simulated import SimulatedTransport
from rlmc.upstream.simulated.cache import PromptCache
from rlmc.upstream.simulated.prompt import Piece


def cached(text: str, ttl: str | None = "5m") -> dict[str, Any]:
    block: dict[str, Any] = {"type": "text", "text": text}
    return block | ({"cache_control": {"type": "ephemeral", "ttl": ttl}} if ttl else {})


def usage(transport: SimulatedTransport, *blocks: dict[str, Any], **fields: Any) -> tuple[int, int, int, int]:
    """Fresh, read, written for 5 minutes, written for an hour."""
    found = ask(request({"role": "user", "content": list(blocks)}, **fields), transport)["usage"]
    written = found["cache_creation"]
    assert found["cache_creation_input_tokens"] == sum(written.values())
    return (
        found["input_tokens"],
        found["cache_read_input_tokens"],
        written["ephemeral_5m_input_tokens"],
        written["ephemeral_1h_input_tokens"],
    )


LONG = "x" * 3700  # 1000 tokens


def test_the_cache_is_written_once_then_read_until_it_lapses() -> None:
    clock = Clock()
    sim = SimulatedTransport(latency=0, clock=clock)
    tail = {"type": "text", "text": "y" * 370}
    assert usage(sim, cached(LONG), tail) == (100, 0, 1000, 0)
    clock.now += 299
    assert usage(sim, cached(LONG), tail) == (100, 1000, 0, 0)
    clock.now += 299  # the read renewed it
    assert usage(sim, cached(LONG), tail) == (100, 1000, 0, 0)
    clock.now += 301
    assert usage(sim, cached(LONG), tail) == (100, 0, 1000, 0)


def test_an_hour_lasts_an_hour() -> None:
    clock = Clock()
    sim = SimulatedTransport(latency=0, clock=clock)
    assert usage(sim, cached(LONG, "1h")) == (0, 0, 0, 1000)
    clock.now += 3599
    assert usage(sim, cached(LONG, "1h")) == (0, 1000, 0, 0)


def test_growing_prompts_read_the_old_part_and_write_the_new() -> None:
    sim = SimulatedTransport(latency=0)
    usage(sim, cached(LONG))
    assert usage(sim, cached(LONG, None), cached(LONG)) == (0, 1000, 1000, 0)
    assert usage(sim, cached(LONG, "1h"), cached(LONG, None), cached(LONG)) == (0, 2000, 1000, 0)


def test_caches_are_per_model_and_per_prefix() -> None:
    sim = SimulatedTransport(latency=0)
    usage(sim, cached(LONG))
    assert usage(sim, cached(LONG), model="draft")[1] == 0
    assert usage(sim, cached("y" + LONG))[1] == 0
    assert usage(sim, cached(LONG), system="other")[1] == 0
    assert usage(sim, cached(LONG), tools=ALL)[1] == 0
    assert usage(sim, cached(LONG), tool_choice={"type": "none"})[1] == 0
    assert usage(sim, cached(LONG), metadata={"user_id": "u"}, max_tokens=5)[1] == 1000


def test_short_prompts_are_not_cached() -> None:
    sim = SimulatedTransport(latency=0)
    for _ in range(2):
        assert usage(sim, cached("x" * 1000)) == (270, 0, 0, 0)


@pytest.mark.parametrize(("between", "reads"), [(19, True), (20, False)])
def test_the_look_back_ends_after_twenty_places(between: int, reads: bool) -> None:
    sim = SimulatedTransport(latency=0)
    usage(sim, cached(LONG))
    blocks = [cached("z", None)] * (between - 1)
    assert (usage(sim, cached(LONG, None), *blocks, cached("end"))[1] > 0) is reads


def test_a_run_of_results_is_one_place() -> None:
    sim = SimulatedTransport(latency=0)
    usage(sim, cached(LONG))
    uses = [{"type": "tool_use", "id": f"t{n}", "name": "Read", "input": {}} for n in range(30)]
    results: list[dict[str, Any]] = [{"type": "tool_result", "tool_use_id": f"t{n}", "content": "r"} for n in range(30)]
    results[-1]["cache_control"] = {"type": "ephemeral"}
    body = request(
        {"role": "user", "content": [cached(LONG, None)]},
        {"role": "assistant", "content": uses},
        {"role": "user", "content": results},
    )
    assert ask(body, sim)["usage"]["cache_read_input_tokens"] == 1000


def test_the_attribution_line_is_no_part_of_the_prompt() -> None:
    sim = SimulatedTransport(latency=0)

    def system(suffix: str) -> list[dict[str, Any]]:
        return [{"type": "text", "text": f"x-anthropic-billing-header: cc_version=1.{suffix};"}, cached(LONG)]

    usage(sim, cached("hi", None), system=system("abc"))
    assert usage(sim, cached("hi", None), system=system("def"))[1] == 1000


def test_a_request_that_fails_writes_nothing() -> None:
    sim = SimulatedTransport(latency=0)
    body = request({"role": "user", "content": [cached(LONG)]}, model="verify+fault=status-500")
    assert run(send(sim, body))[0] == 500
    assert usage(sim, cached(LONG))[1] == 0


def test_parallel_requests_cannot_read_each_other() -> None:
    async def both() -> list[tuple[int, bytes]]:
        sim = SimulatedTransport(latency=0.05)
        body = request({"role": "user", "content": [cached(LONG)]})
        return list(await asyncio.gather(send(sim, body), send(sim, body)))

    assert [json.loads(data)["usage"]["cache_read_input_tokens"] for _, data in run(both())] == [0, 0]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 900)), min_size=1, max_size=8))
def test_the_classes_always_add_up_to_the_prompt(turns: list[tuple[int, int]]) -> None:
    clock = Clock()
    sim = SimulatedTransport(latency=0, clock=clock)
    for size, gap in turns:
        clock.now += gap
        blocks = [cached(LONG, "1h"), *[cached(LONG, None)] * size, cached("end" * 400)]
        assert sum(usage(sim, *blocks)) == round((3700 * (size + 1) + 1200) / 3.7)


def test_memory_is_bounded_and_the_newest_entries_stay() -> None:
    cache = PromptCache(Clock(), limit=3)

    def prompt(n: int) -> list[Piece]:
        return [Piece(1000, 0, bytes([n]), "5m")]

    for n in range(10):
        cache.store(cache.look(prompt(n)))
    assert len(cache) == 3
    assert cache.look(prompt(9)).read == 1000
    assert cache.look(prompt(0)).read == 0
