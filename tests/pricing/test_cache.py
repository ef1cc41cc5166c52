"""What is known of the providers' caches."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support.prices import MINUTE, START

from rlmc.domain.chat import ChatRequest, ToolSpec
from rlmc.domain.turn import Model
from rlmc.pricing.cache import LIFE, CacheEntry, prefix_of, rule_for


@pytest.mark.parametrize(
    ("model", "minimum"),
    [
        ("anthropic/claude-opus-5-5", 512),
        ("anthropic/claude-opus-5", 512),
        ("anthropic/claude-opus-4-8", 1024),
        ("anthropic/claude-opus-4-7", 2048),
        ("anthropic/claude-opus-4-6", 4096),
        ("anthropic/claude-opus-4-5-20251101", 4096),
        ("anthropic/claude-sonnet-5-5", 512),
        ("anthropic/claude-sonnet-5", 1024),
        ("anthropic/claude-sonnet-4-6", 1024),
        ("anthropic/claude-haiku-5-5", 512),
        ("anthropic/claude-haiku-4-5", 4096),
        ("anthropic/claude-fable-5-2", 512),
        ("anthropic/claude-unheard-of", 1024),
        ("openrouter/anthropic/claude-opus-5.5", 512),
        ("sim/verify", 512),
    ],
)
def test_claude_caches_what_is_marked_from_a_least_length_on(model: str, minimum: int) -> None:
    rule = rule_for(Model(*model.split("/", 1)))
    assert (rule.minimum, rule.automatic) == (minimum, False)


@pytest.mark.parametrize("model", ["deepseek/deepseek-flash", "openai/gpt-6-luna", "moonshot/kimi-k3"])
def test_other_providers_cache_by_themselves(model: str) -> None:
    assert rule_for(Model(*model.split("/", 1))).automatic


@pytest.mark.parametrize("ttl", ["5m", "1h"])
def test_an_entry_lives_from_the_start_of_its_last_use(ttl: str) -> None:
    life = LIFE["5m" if ttl == "5m" else "1h"]
    assert life == (5 if ttl == "5m" else 60) * MINUTE
    entry = CacheEntry(1000, START, life)
    assert [entry.warm(START + d) for d in (-1, 0, life - 1, life)] == [1000, 1000, 1000, 0]


def test_prompts_share_a_beginning_if_their_tools_and_format_are_the_same() -> None:
    read, edit = ToolSpec("Read", b"{}"), ToolSpec("Edit", b"{}")
    request = ChatRequest(raw=b"", model="m", stream=True, max_tokens=1, messages=(), tools=(read, edit))
    same = replace(request, model="n", raw=b"other", tools=(*request.tools, ToolSpec("Late", b"{}", deferred=True)))
    assert prefix_of(same) == prefix_of(request)
    others = [replace(request, tools=()), replace(request, tools=(edit, read)), replace(request, output_schema=b"{}")]
    assert len({prefix_of(r) for r in [request, *others]}) == 4
