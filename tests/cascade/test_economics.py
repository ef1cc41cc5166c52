"""Expected costs, by hand on small numbers and as rules over any numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlmc.cascade.economics import (
    AGAIN_DRAFT,
    AGAIN_VERIFY,
    INSTRUCTION_TOKENS,
    VERDICT_TOKENS,
    Expectations,
    Prospect,
    Side,
    prospect,
)
from rlmc.domain.price import Price
from rlmc.pricing.cache import LIFE, Hit, Split
from rlmc.pricing.gaps import outlives

FIVE = LIFE["5m"]
VERIFY = Price(input=40, output=200, cache_read=2, cache_write_5m=50, cache_write_1h=80, source="test")
DRAFT = Price(input=4, output=16, cache_read=1, cache_write_5m=5, cache_write_1h=8, source="test")
EXPECT = Expectations(
    waste=0.0, unsafe=0.0, output=100, draft_output=80, accept=0.8, accept_brief=0.6, brief_tokens=1_000
)


def divided(prompt: int, read: int, *, left: int = FIVE, write_1h: bool = False) -> Split:
    """A prompt that goes through the cache as a whole."""
    rest = prompt - read
    hit = Hit(0, left, FIVE) if read else None
    return Split(prompt, read, 0 if write_1h else rest, rest if write_1h else 0, hit)


def verify(read: int = 900, prompt: int = 1_000, *, left: int = FIVE, price: Price | None = VERIFY) -> Side:
    return Side(divided(prompt, read, left=left), price, FIVE)


def draft(read: int = 900, prompt: int = 1_000, price: Price | None = DRAFT) -> Side:
    return Side(divided(prompt, read), price, FIVE)


# --- by hand ---------------------------------------------------------------------------------------------------------


def test_a_direct_turn_is_its_prompt_and_its_answer() -> None:
    found = prospect(verify(), draft(), EXPECT)
    assert found.verify_input == 900 * 2 + 100 * 50
    assert found.direct == 900 * 2 + 100 * 50 + 100 * 200
    assert found.warm


def test_a_draft_is_its_prompt_and_its_answer_and_spares_a_write_later() -> None:
    found = prospect(verify(), draft(), EXPECT)
    assert found.draft == 900 * 1 + 100 * 5 + 80 * 16
    assert found.credit == round(AGAIN_DRAFT * (5 - 1) * 100)


def test_skipping_leaves_the_new_part_to_be_written_later_instead_of_read() -> None:
    """A full life is left: the old part lapses no earlier than it would have."""
    found = prospect(verify(), draft(), EXPECT)
    lapses = outlives("tool-results", 300)
    assert found.debt == round(AGAIN_VERIFY * (50 - 2) * (1 - lapses) * 100)
    assert found.skipped == pytest.approx(found.draft - found.credit + found.debt, abs=2)


def test_skipping_leaves_the_old_part_too_where_it_lapses_only_because_nobody_read_it() -> None:
    found = prospect(verify(left=60_000_000), draft(), EXPECT)
    early, anyway = outlives("tool-results", 60), outlives("tool-results", 300)
    assert found.debt == round(AGAIN_VERIFY * 48 * ((1 - anyway) * 100 + (early - anyway) * 900))


def test_writes_that_live_an_hour_are_owed_at_their_own_price() -> None:
    side = Side(divided(1_000, 900, write_1h=True, left=LIFE["1h"]), VERIFY, LIFE["1h"])
    found = prospect(side, draft(), EXPECT)
    assert found.debt == round(AGAIN_VERIFY * (80 - 2) * (1 - outlives("tool-results", 3_600)) * 100)


def test_a_draft_that_may_not_be_released_is_paid_for_and_so_is_the_direct_turn() -> None:
    half = prospect(verify(), draft(), replace(EXPECT, waste=0.5))
    none, every = prospect(verify(), draft(), EXPECT), prospect(verify(), draft(), replace(EXPECT, waste=1.0))
    assert half.skipped is not None and none.skipped is not None and every.skipped is not None
    assert half.direct is not None
    assert half.skipped == pytest.approx((none.skipped + every.skipped) / 2, abs=2)
    assert every.skipped == pytest.approx(half.draft - half.credit + half.direct, abs=2)
    assert not every.pays


def test_unsafe_drafts_that_are_verified_on_a_compact_context_are_not_all_lost() -> None:
    expect = replace(EXPECT, waste=0.4, unsafe=0.3)
    cheap = replace(expect, brief_tokens=10, draft_output=10)
    thrown, judged = (prospect(verify(), draft(), cheap, waste_is_verified=said) for said in (False, True))
    assert thrown.skipped is not None and judged.skipped is not None and judged.direct is not None
    brief = 40 * (10 + 10) + 200 * VERDICT_TOKENS
    assert judged.brief == brief
    by_brief = brief + 0.6 * judged.debt + 0.4 * judged.direct
    assert thrown.skipped - judged.skipped == pytest.approx(0.3 * (judged.direct - by_brief), abs=3)


def test_a_brief_dearer_than_a_direct_turn_is_never_reckoned_with() -> None:
    dear = replace(EXPECT, waste=0.3, unsafe=0.3, brief_tokens=10**6)
    thrown, judged = (prospect(verify(), draft(), dear, waste_is_verified=said) for said in (False, True))
    assert thrown.skipped == judged.skipped


def test_verifying_reads_the_whole_prompt_and_the_draft() -> None:
    found = prospect(verify(), draft(), EXPECT)
    reading = 40 * (80 + INSTRUCTION_TOKENS) + 200 * VERDICT_TOKENS
    own = 0.2 * 100 * 200
    assert found.verified == pytest.approx(found.draft - found.credit + found.verify_input + reading + own, abs=2)


def test_with_a_draft_at_hand_its_own_length_counts() -> None:
    found = prospect(verify(), draft(), EXPECT)
    reading = 40 * (30 + INSTRUCTION_TOKENS) + 200 * VERDICT_TOKENS
    assert found.answering(30) == found.direct
    assert found.answering(500) == found.verify_input + 500 * 200
    assert found.verification(30) == round(found.verify_input + reading + 0.2 * 100 * 200)
    assert found.direct is not None
    assert found.brief_verification(30) == round(found.brief + 0.6 * found.debt + 0.4 * found.direct)


def test_a_prompt_is_cold_only_where_a_cache_was_to_be_found() -> None:
    assert prospect(verify(), draft(), EXPECT).warm
    assert not prospect(verify(read=0), draft(), EXPECT).warm
    bare = Side(Split(1_000, 0, 0, 0, None), VERIFY, FIVE)
    found = prospect(bare, draft(), EXPECT)
    assert found.warm, "what no cache holds costs the same at any time"
    assert found.debt == 0


# --- unknown prices --------------------------------------------------------------------------------------------------


def test_without_the_verify_model_s_price_nothing_is_expected() -> None:
    found = prospect(verify(price=None), draft(), EXPECT)
    assert found == Prospect()
    assert not found.known and not found.pays
    assert found.verification(9) is found.brief_verification(9) is found.answering(9) is None


@pytest.mark.parametrize("missing", [None, draft(price=None)])
def test_without_the_draft_model_s_price_only_direct_is_known(missing: Side | None) -> None:
    found = prospect(verify(), missing, EXPECT)
    assert found.direct is not None
    assert found.skipped is None and found.verified is None
    assert not found.known and not found.pays


def test_a_draft_that_costs_nothing_is_known_to() -> None:
    free = Price(0, 0, 0, 0, 0, source="local")
    found = prospect(verify(), draft(price=free), EXPECT)
    assert (found.draft, found.credit, found.skipped) == (0, 0, found.debt)
    assert found.pays


# --- over any numbers ------------------------------------------------------------------------------------------------

shares = st.floats(0, 1)
expectations = st.builds(
    lambda waste, part, output, drafted, accept, brief, room: Expectations(
        waste, waste * part, output, drafted, accept, brief, room
    ),
    shares,
    shares,
    st.floats(1, 5_000),
    st.floats(1, 5_000),
    shares,
    shares,
    st.integers(100, 8_000),
)
prompts = st.integers(1_000, 400_000)


def gain(found: Prospect) -> int:
    assert found.direct is not None and found.skipped is not None
    return found.direct - found.skipped


@given(prompts, shares, shares, expectations)
def test_the_more_of_its_cache_the_verify_model_finds_the_less_there_is_to_gain(
    prompt: int, one: float, other: float, expect: Expectations
) -> None:
    less, more = sorted((round(one * prompt), round(other * prompt)))
    small, large = (prospect(verify(read, prompt), draft(), expect) for read in (less, more))
    if less > 0:
        assert gain(large) <= gain(small) + 2


@given(prompts, st.floats(0.01, 1), expectations)
def test_a_cache_that_has_lapsed_makes_skipping_more_attractive(
    prompt: int, share: float, expect: Expectations
) -> None:
    warm, lapsed = (prospect(verify(read, prompt), draft(), expect) for read in (round(share * prompt), 0))
    assert gain(lapsed) >= gain(warm) - 2


@given(prompts, st.integers(1, 299), st.integers(1, 299), expectations)
def test_the_sooner_a_cache_lapses_the_more_skipping_leaves_to_pay(
    prompt: int, one: int, other: int, expect: Expectations
) -> None:
    soon, late = sorted((one, other))
    short, long = (prospect(verify(prompt // 2, prompt, left=s * 1_000_000), draft(), expect) for s in (soon, late))
    assert short.debt >= long.debt
    assert gain(short) <= gain(long) + 2


@given(prompts, shares, st.integers(1, 50), expectations, st.booleans())
def test_a_dearer_draft_never_raises_the_gain(
    prompt: int, share: float, times: int, expect: Expectations, judged: bool
) -> None:
    dear = Price(4 * times, 16 * times, times, 5 * times, 8 * times, source="test")
    read = round(share * prompt)
    cheap, costly = (
        prospect(verify(), draft(read, prompt, price), expect, waste_is_verified=judged) for price in (DRAFT, dear)
    )
    assert gain(costly) <= gain(cheap) + 2


@given(prompts, expectations, shares, shares)
def test_more_waste_never_raises_the_gain_where_a_direct_turn_is_dearer_than_the_debt(
    prompt: int, expect: Expectations, one: float, other: float
) -> None:
    less, more = sorted((one, other))
    small, large = (
        prospect(verify(prompt // 2, prompt), draft(), replace(expect, waste=w, unsafe=0.0)) for w in (less, more)
    )
    if small.direct is not None and small.direct >= small.debt:
        assert gain(large) <= gain(small) + 2


@given(prompts, shares, shares, expectations, st.booleans())
def test_costs_are_never_negative_and_verifying_unsafe_drafts_never_costs_more_than_throwing_them_away(
    prompt: int, seen: float, drafted: float, expect: Expectations, judged: bool
) -> None:
    sides = verify(round(seen * prompt), prompt), draft(round(drafted * prompt), prompt)
    found = prospect(*sides, expect, waste_is_verified=judged)
    assert min(found.direct or 0, found.verified or 0, found.draft, found.debt, found.credit, found.brief) >= 0
    thrown = prospect(*sides, expect)
    assert gain(found) >= gain(thrown) - 2
