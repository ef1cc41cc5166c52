"""From characters to tokens: exact where a provider has counted, never falling, else by the newest ratio."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.outlines import CHARS, RATIO, outline

from rlmc.domain.chat import Usage
from rlmc.domain.outline import Outline
from rlmc.pricing.scale import DEFAULT_TOKENS_PER_CHAR, TokenScale


def learn(scale: TokenScale, of: Outline, usage: Usage, hit: int | None = None, *, automatic: bool = False) -> None:
    scale.learn(of, usage, hit, automatic=automatic)


def test_before_a_count_it_reckons_with_a_usual_ratio() -> None:
    scale = TokenScale()
    assert scale.tokens(outline(1_000)) == (round(1_000 * CHARS * DEFAULT_TOKENS_PER_CHAR),)
    assert not scale.learnt
    assert TokenScale(RATIO).tokens(outline(500, 1_000)) == (500, 1_000)
    assert scale.tokens(Outline()) == ()


def test_a_counted_beginning_is_never_doubted_and_the_rest_goes_by_the_newest_ratio() -> None:
    scale, first = TokenScale(), outline(1_000)
    learn(scale, first, Usage(cache_write_5m=1_234))
    assert scale.tokens(first) == (1_234,)
    assert scale.ratio == pytest.approx(1_234 / 4_000)
    assert scale.tokens(outline(1_000, 2_000)) == (1_234, 1_234 + 1_234)
    learn(scale, outline(700, of="other"), Usage(input=2_800))
    assert scale.tokens(outline(1_000, 2_000)) == (1_234, 1_234 + 4_000), "a token a character now"


def test_what_went_through_the_cache_ends_at_the_last_marker() -> None:
    scale = TokenScale(RATIO)
    behind = outline(1_000, 3_000, marks={1_000: "5m"})
    learn(scale, behind, Usage(input=2_100, cache_write_5m=1_100))
    assert scale.tokens(behind) == (1_100, 3_200)


def test_a_read_counts_the_place_it_was_expected_at() -> None:
    scale = TokenScale(RATIO)
    learn(scale, outline(1_000, 3_000), Usage(cache_read=1_050, cache_write_5m=2_050), 0)
    assert scale.tokens(outline(1_000, 3_000)) == (1_050, 3_100)


def test_a_read_much_shorter_than_expected_is_that_of_another_place() -> None:
    scale = TokenScale(RATIO)
    learn(scale, outline(10_000, 30_000), Usage(cache_read=4_000, cache_write_5m=26_000), 0)
    assert scale.tokens(outline(10_000, 30_000)) == (10_000, 30_000)


def test_markers_mean_nothing_to_a_cache_that_is_automatic() -> None:
    """The prompt may bear them for another model: what was read then ends nowhere near them."""
    scale, marked = TokenScale(RATIO), outline(2_000, 3_000, marks={3_000: "5m"})
    learn(scale, marked, Usage(input=1_200, cache_read=2_000), automatic=True)
    assert scale.tokens(marked)[-1] == 3_200


@pytest.mark.parametrize("usage", [Usage(), Usage(output=9)])
def test_a_call_that_read_nothing_teaches_nothing(usage: Usage) -> None:
    scale = TokenScale(RATIO)
    learn(scale, outline(1_000), usage)
    learn(scale, Outline(), Usage(input=10))
    assert (scale.learnt, scale.ratio) == (False, RATIO)


def test_a_nonsensical_count_does_not_spoil_the_ratio() -> None:
    scale = TokenScale()
    learn(scale, outline(1), Usage(input=10**9))
    assert scale.ratio == 2.0
    learn(scale, outline(10_000), Usage(input=1))
    assert scale.ratio == 0.05


counts = st.integers(0, 50_000)
usages = st.builds(Usage, input=counts, cache_read=counts, cache_write_5m=counts, cache_write_1h=counts)
prompts = st.lists(st.integers(1, 60), min_size=1, max_size=8, unique=True).map(
    lambda ends: outline(*sorted(end * 500 for end in ends))
)


@given(st.lists(st.tuples(prompts, usages, st.booleans(), st.booleans()), max_size=6), prompts)
def test_a_longer_beginning_never_has_fewer_tokens(seen: list[tuple[Outline, Usage, bool, bool]], now: Outline) -> None:
    scale = TokenScale()
    for of, usage, found, automatic in seen:
        learn(scale, of, usage, 0 if found else None, automatic=automatic)
    counted = scale.tokens(now)
    assert len(counted) == len(now.places)
    assert list(counted) == sorted(counted)
    assert counted[0] >= 0


def test_counts_are_bounded_and_the_oldest_go_first() -> None:
    scale = TokenScale(RATIO)
    for n in range(4_200):
        learn(scale, outline(1_000, of=str(n)), Usage(cache_write_5m=1_001))
    learn(scale, outline(2_000, of="last"), Usage(input=2_000))
    assert scale.tokens(outline(1_000, of="0")) == (1_000,), "forgotten, and reckoned"
    assert scale.tokens(outline(1_000, of="4199")) == (1_001,)
