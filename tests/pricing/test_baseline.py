"""The shadow of a verify-only session: exact while nothing was skipped, honest about what it estimates afterwards."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.prices import FLASH, MINUTE, NOBODY, OPUS, SECOND, START, TABLE

from rlmc.domain.chat import Usage
from rlmc.domain.money import add, per_million
from rlmc.domain.turn import Model, Outcome
from rlmc.pricing.baseline import Baseline, Shadow, TurnFacts
from rlmc.pricing.cache import LIFE

CHARS = 4  # per token, in every scripted conversation
DIRECT, SKIPPED, ACCEPTED, ENHANCED = Outcome.DIRECT, Outcome.SKIPPED, Outcome.ACCEPTED, Outcome.ENHANCED

tokens = st.integers(0, 200_000)
any_usage = st.builds(
    Usage,
    input=tokens,
    cache_read=tokens,
    cache_write_5m=tokens,
    cache_write_1h=tokens,
    output=tokens,
    web_searches=st.integers(0, 1),
)


def facts(
    outcome: Outcome,
    *,
    minute: float = 0,
    tokens: int = 10_000,
    calls: tuple[Usage | None, ...] = (),
    draft: Usage | None = None,
    ttl: Literal["5m", "1h"] | None = "5m",
    verify: Model = OPUS,
    prefix: str = "",
    appended: int = 0,
) -> TurnFacts:
    return TurnFacts(
        conversation="c",
        at=START + int(minute * MINUTE),
        outcome=outcome,
        verify=verify,
        ttl=ttl,
        prompt_chars=tokens * CHARS,
        verify_calls=calls,
        draft=draft,
        appended_chars=appended * CHARS,
        prefix=prefix,
    )


def price(usage: Usage, model: Model = OPUS) -> int | None:
    return TABLE.charge(model, usage, START).cost


# --- a verify-only session saves exactly nothing --------------------------------------------------------------------


@given(
    st.lists(
        st.tuples(
            any_usage,
            st.floats(0, 90),
            st.integers(0, 10**6),
            st.sampled_from(["5m", "1h", None]),
            st.sampled_from([OPUS, FLASH, NOBODY]),
            st.sampled_from(["", "tools"]),
        )
    )
)
def test_a_verify_only_session_saves_exactly_nothing(
    turns: list[tuple[Usage, float, int, Literal["5m", "1h"] | None, Model, str]],
) -> None:
    shadow, minute = Shadow(TABLE), 0.0
    for usage, gap, size, ttl, model, prefix in turns:
        minute += gap
        turn = facts(DIRECT, minute=minute, tokens=size, calls=(usage,), ttl=ttl, verify=model, prefix=prefix)
        paid = TABLE.charge(model, usage, turn.at).cost
        assert shadow.observe(turn) == Baseline(paid, False, usage)


# --- the baseline of a session does not depend on how it was routed -------------------------------------------------


@dataclass
class Provider:
    """A provider with a prompt cache, and a conversation that only grows."""

    life: int
    marked: bool
    minimum: int = 512
    tokens: int = 0
    used_at: int = -(10**18)

    def call(self, at: int, prompt: int, output: int, one_hour: bool) -> Usage:
        if not self.marked or prompt < self.minimum:
            return Usage(input=prompt, output=output)
        read = self.tokens if at - self.used_at < self.life else 0
        self.tokens, self.used_at = prompt, at
        if one_hour:
            return Usage(cache_read=read, cache_write_1h=prompt - read, output=output)
        return Usage(cache_read=read, cache_write_5m=prompt - read, output=output)


steps = st.tuples(
    st.sampled_from([DIRECT, SKIPPED, ACCEPTED, ENHANCED]),
    st.sampled_from([1, 30, 200, 299, 300, 301, 900, 3599, 3600, 4000]),  # seconds since the turn before
    st.integers(1, 3000),  # growth of the prompt
    st.integers(1, 800),  # answer
    st.integers(1, 400),  # draft and instruction behind the prompt
    st.booleans(),  # a direct turn that had a failed verification first
)


@given(st.sampled_from(["5m", "1h", None]), st.lists(steps, max_size=25), st.integers(100, 50_000))
def test_the_baseline_is_what_a_verify_only_session_would_have_been_billed(
    ttl: Literal["5m", "1h"] | None,
    turns: list[tuple[Outcome, int, int, int, int, bool]],
    first_prompt: int,
) -> None:
    life = LIFE[ttl] if ttl else 0
    real, alone = Provider(life, ttl is not None), Provider(life, ttl is not None)
    shadow, at, prompt = Shadow(TABLE), START, first_prompt
    billed, baseline = [], []
    for outcome, gap, growth, output, appended, retried in turns:
        at, prompt = at + gap * SECOND, prompt + growth
        billed.append(price(alone.call(at, prompt, output, ttl == "1h")))
        calls: list[Usage | None] = []
        appendix = 0
        if outcome in (ACCEPTED, ENHANCED) or (outcome is DIRECT and retried):
            appendix = appended
            usage = real.call(at, prompt, output, ttl == "1h")
            calls.append(replace(usage, input=usage.input + appended))
        if outcome is DIRECT:
            calls.append(real.call(at, prompt, output, ttl == "1h"))
        turn = facts(
            outcome,
            minute=(at - START) / MINUTE,
            tokens=prompt,
            calls=tuple(calls),
            draft=None if outcome is DIRECT else Usage(input=prompt, output=output),
            ttl=ttl,
            appended=appendix,
        )
        found = shadow.observe(replace(turn, at=at))
        assert found.usage is not None
        assert found.usage.prompt == prompt
        baseline.append(found.cost)
    assert baseline == billed


# --- what parts the shadow from the real session ---------------------------------------------------------------------


@pytest.mark.parametrize(("ttl", "minutes"), [("5m", 5), ("1h", 60)])
def test_a_gap_over_the_lifetime_turns_a_read_into_a_write_and_nothing_else(
    ttl: Literal["5m", "1h"], minutes: int
) -> None:
    def third_turn(gap: float) -> Baseline:
        shadow = Shadow(TABLE)
        write = "cache_write_1h" if ttl == "1h" else "cache_write_5m"
        shadow.observe(facts(DIRECT, calls=(Usage(output=9, **{write: 10_000}),), ttl=ttl))
        shadow.observe(facts(SKIPPED, minute=1, tokens=12_000, draft=Usage(input=12_000, output=50), ttl=ttl))
        back = Usage(cache_read=0, output=70, **{write: 13_000})
        return shadow.observe(facts(DIRECT, minute=1 + gap, tokens=13_000, calls=(back,), ttl=ttl))

    warm, cold = third_turn(minutes - 0.01), third_turn(minutes)
    assert warm.usage is not None
    assert warm.usage.cache_read == 12_000
    assert (warm.usage.cache_write_5m, warm.usage.cache_write_1h) == ((1000, 0) if ttl == "5m" else (0, 1000))
    assert warm.estimated
    assert cold.usage is not None
    assert cold.usage.cache_read == 0
    assert cold.usage.output == warm.usage.output == 70
    assert not cold.estimated  # both caches had lapsed: what was measured is what it would have been


def test_skipped_turns_keep_the_shadow_s_cache_alive() -> None:
    shadow = Shadow(TABLE)
    shadow.observe(facts(DIRECT, calls=(Usage(cache_write_5m=10_000),)))
    for minute in (4, 8, 12):
        found = shadow.observe(facts(SKIPPED, minute=minute, tokens=10_100, draft=Usage(input=10_100, output=5)))
        assert found.usage is not None
        assert found.usage.cache_read >= 10_000
        assert found.estimated


def test_a_return_to_the_verify_model_pays_the_debt_in_reality_but_not_in_the_shadow() -> None:
    shadow = Shadow(TABLE)
    shadow.observe(facts(DIRECT, calls=(Usage(cache_write_5m=10_000, output=10),)))
    shadow.observe(facts(SKIPPED, minute=1, tokens=40_000, draft=Usage(input=40_000, output=10)))
    paid = Usage(cache_read=10_000, cache_write_5m=31_000, output=10)
    found = shadow.observe(facts(DIRECT, minute=2, tokens=41_000, calls=(paid,)))
    assert found.usage == Usage(cache_read=40_000, cache_write_5m=1_000, output=10)
    cost = price(paid)
    assert cost is not None
    assert found.cost is not None
    assert found.cost < cost
    # From here on the caches hold the same again, and the baseline is the measured figure.
    after = Usage(cache_read=41_000, cache_write_5m=500, output=10)
    assert shadow.observe(facts(DIRECT, minute=3, tokens=41_500, calls=(after,))) == Baseline(
        price(after), False, after
    )


def test_side_calls_of_a_conversation_do_not_part_the_main_line_from_its_shadow() -> None:
    shadow = Shadow(TABLE)
    shadow.observe(facts(DIRECT, calls=(Usage(cache_write_5m=10_000),), prefix="main"))
    shadow.observe(facts(SKIPPED, minute=1, tokens=600, draft=Usage(input=600, output=9), prefix="title", ttl=None))
    main = Usage(cache_read=10_000, cache_write_5m=300)
    assert shadow.observe(facts(DIRECT, minute=2, tokens=10_300, calls=(main,), prefix="main")).usage == main
    title = shadow.observe(
        facts(SKIPPED, minute=3, tokens=600, draft=Usage(input=600, output=9), prefix="title", ttl=None)
    )
    assert title.usage == Usage(input=600, output=9)


def test_a_compacted_conversation_reads_only_what_it_began_with() -> None:
    shadow = Shadow(TABLE)
    shadow.observe(facts(DIRECT, tokens=20_000, calls=(Usage(cache_write_5m=20_000),)))
    shadow.observe(facts(SKIPPED, minute=1, tokens=150_000, draft=Usage(input=150_000, output=10)))
    short = shadow.observe(facts(SKIPPED, minute=2, tokens=30_000, draft=Usage(input=30_000, output=10)))
    assert short.usage == Usage(cache_read=20_000, cache_write_5m=10_000, output=10)


@pytest.mark.parametrize(("ttl", "tokens", "model"), [(None, 10_000, OPUS), ("5m", 511, OPUS), (None, 1_000, FLASH)])
def test_what_is_not_cached_is_plain_input(ttl: Literal["5m", "1h"] | None, tokens: int, model: Model) -> None:
    shadow = Shadow(TABLE)
    for minute in (0, 1):
        draft = Usage(input=tokens, output=10)
        found = shadow.observe(facts(SKIPPED, minute=minute, tokens=tokens, draft=draft, ttl=ttl, verify=model))
        assert found.usage == draft


def test_calls_without_markers_change_no_cache() -> None:
    shadow = Shadow(TABLE)
    shadow.observe(facts(DIRECT, calls=(Usage(cache_write_5m=10_000),)))
    shadow.observe(facts(SKIPPED, minute=1, tokens=12_000, draft=Usage(input=12_000)))
    shadow.observe(facts(DIRECT, minute=2, tokens=12_000, calls=(Usage(input=12_000),), ttl=None))
    back = Usage(cache_read=10_000, cache_write_5m=3_000)
    found = shadow.observe(facts(DIRECT, minute=3, tokens=13_000, calls=(back,)))
    assert found.usage == Usage(cache_read=12_000, cache_write_5m=1_000)


def test_automatic_caches_need_no_marker() -> None:
    shadow = Shadow(TABLE)
    shadow.observe(facts(DIRECT, calls=(Usage(input=10_000, output=5),), ttl=None, verify=FLASH))
    draft = Usage(input=12_000, output=5)
    shadow.observe(facts(SKIPPED, minute=1, tokens=12_000, draft=draft, ttl=None, verify=FLASH))
    missed = Usage(input=3_000, cache_read=10_000, output=5)
    back = shadow.observe(facts(DIRECT, minute=2, tokens=13_000, calls=(missed,), ttl=None, verify=FLASH))
    assert back.usage is not None
    assert back.usage.cache_read == 12_000
    assert back.usage.prompt == 13_000
    # A write costs plain input there.
    assert back.cost == 1_000 * per_million("0.15") + 12_000 * per_million("0.003") + 5 * per_million("0.60")


# --- sizes of turns the verify model did not see ---------------------------------------------------------------------


def test_a_skipped_prompt_is_counted_in_the_verify_model_s_tokens_once_they_are_known() -> None:
    shadow = Shadow(TABLE)
    fewer = Usage(input=700, output=20)  # the draft model's tokens are larger
    first = shadow.observe(facts(SKIPPED, tokens=1_000, draft=fewer))
    assert first.usage is not None
    assert first.usage.prompt == 700
    shadow.observe(facts(DIRECT, minute=1, tokens=1_000, calls=(Usage(cache_write_5m=1_000),)))
    later = shadow.observe(facts(SKIPPED, minute=2, tokens=1_200, draft=fewer))
    assert later.usage == Usage(cache_read=1_000, cache_write_5m=200, output=20)


def test_a_draft_without_usage_is_reckoned_from_characters_or_left_unknown() -> None:
    shadow = Shadow(TABLE)
    bare = replace(facts(SKIPPED, tokens=2_000), answer_chars=40 * CHARS)
    assert shadow.observe(bare) == Baseline(None, True, None)
    shadow.observe(facts(DIRECT, minute=1, tokens=1_000, calls=(Usage(input=1_000),), prefix="other"))
    assert shadow.observe(bare).usage == Usage(cache_write_5m=2_000, output=40)


def test_a_verification_is_counted_without_the_draft_behind_it() -> None:
    shadow = Shadow(TABLE)
    call = Usage(input=100, cache_write_5m=9_900, output=3, thinking=2)
    found = shadow.observe(
        facts(ACCEPTED, tokens=9_900, calls=(call,), appended=100, draft=Usage(input=9_900, output=400))
    )
    assert found.usage == Usage(cache_write_5m=9_900, output=400)
    assert found.estimated
    assert found.cost == 9_900 * per_million(5) + 400 * per_million(20)
    better = shadow.observe(facts(ENHANCED, minute=1, tokens=9_900, calls=(replace(call, output=333),), appended=100))
    assert better.usage is not None
    assert better.usage.output == 333


def test_a_direct_answer_after_a_failed_verification_does_not_read_for_free() -> None:
    shadow = Shadow(TABLE)
    verification = Usage(input=100, cache_write_5m=50_000, output=4)
    answer = Usage(cache_read=50_000, output=80)
    found = shadow.observe(facts(DIRECT, tokens=50_000, calls=(verification, answer), appended=100))
    assert found.usage == Usage(cache_write_5m=50_000, output=80)
    assert found.estimated


def test_refused_calls_cost_nothing_and_touch_no_cache() -> None:
    shadow = Shadow(TABLE)
    shadow.observe(facts(DIRECT, calls=(Usage(cache_write_5m=10_000),)))
    shadow.observe(facts(SKIPPED, minute=1, tokens=12_000, draft=Usage(input=12_000, output=1)))
    assert shadow.observe(facts(DIRECT, minute=2, tokens=13_000, calls=(Usage(),))) == Baseline(0, False, Usage())
    back = shadow.observe(
        facts(DIRECT, minute=3, tokens=13_000, calls=(Usage(cache_read=10_000, cache_write_5m=3_000),))
    )
    assert back.usage == Usage(cache_read=12_000, cache_write_5m=1_000)


def test_a_direct_answer_without_usage_has_no_baseline() -> None:
    assert Shadow(TABLE).observe(facts(DIRECT, calls=(None,))) == Baseline(None, True, None)
    assert Shadow(TABLE).observe(facts(DIRECT)) == Baseline(None, True, None)


def test_reckoned_usage_is_an_estimate() -> None:
    usage = Usage(input=1_000, output=7)
    found = Shadow(TABLE).observe(replace(facts(DIRECT, calls=(usage,)), measured=False))
    assert found == Baseline(price(usage), True, usage)


# --- unknown prices, bounds ------------------------------------------------------------------------------------------


@given(st.lists(st.sampled_from([OPUS, FLASH, NOBODY]), min_size=1, max_size=8), st.sampled_from([DIRECT, SKIPPED]))
def test_one_unknown_price_makes_the_session_s_baseline_unknown(models: list[Model], outcome: Outcome) -> None:
    shadow = Shadow(TABLE)
    usage = Usage(input=1_000, output=10)
    costs = [
        shadow.observe(facts(outcome, minute=n, calls=(usage,), draft=usage, verify=model)).cost
        for n, model in enumerate(models)
    ]
    assert (add(costs) is None) is (NOBODY in models)


def test_fees_without_a_price_poison_the_baseline_as_they_poison_the_cost() -> None:
    usage = Usage(input=1_000, unpriced=("web_fetch",))
    assert Shadow(TABLE).observe(facts(DIRECT, calls=(usage,))).cost is None


def test_old_conversations_are_forgotten() -> None:
    shadow = Shadow(TABLE, limit=3)
    for n in range(10):
        shadow.observe(
            replace(facts(DIRECT, calls=(Usage(cache_write_5m=10_000 + n),)), conversation=f"c{n}", prefix=f"p{n}")
        )
    assert len(shadow._lanes) == 3
    draft = Usage(input=11_000, output=1)

    def read(n: int) -> int:
        turn = replace(facts(SKIPPED, minute=1, tokens=11_000, draft=draft), conversation=f"c{n}", prefix=f"p{n}")
        found = shadow.observe(turn)
        assert found.usage is not None
        return found.usage.cache_read

    assert (read(9), read(0)) == (10_009, 0)


# --- what conversations share ----------------------------------------------------------------------------------------


def test_a_new_conversation_finds_the_beginning_it_shares_with_another() -> None:
    shadow = Shadow(TABLE)
    shadow.observe(facts(DIRECT, tokens=20_000, calls=(Usage(cache_read=15_000, cache_write_5m=5_000),)))
    draft = Usage(input=18_000, output=10)
    second = replace(facts(SKIPPED, minute=1, tokens=18_000, draft=draft), conversation="another")
    assert shadow.observe(second).usage == Usage(cache_read=15_000, cache_write_5m=3_000, output=10)
    late = replace(facts(SKIPPED, minute=6, tokens=18_000, draft=draft), conversation="third")
    assert shadow.observe(late).usage == Usage(cache_write_5m=18_000, output=10)
    other_tools = replace(second, conversation="fourth", prefix="other tools")
    assert shadow.observe(other_tools).usage == Usage(cache_write_5m=18_000, output=10)


def test_a_beginning_that_only_drafts_kept_in_use_is_cold_in_reality_but_not_in_the_shadow() -> None:
    shadow = Shadow(TABLE)
    shadow.observe(facts(DIRECT, tokens=20_000, calls=(Usage(cache_read=15_000, cache_write_5m=5_000),)))
    for minute in (3, 6):
        draft = Usage(input=20_100, output=10)
        shadow.observe(facts(SKIPPED, minute=minute, tokens=20_100, draft=draft))
    opened = Usage(cache_write_5m=16_000, output=5)
    found = shadow.observe(replace(facts(DIRECT, minute=7, tokens=16_000, calls=(opened,)), conversation="subagent"))
    assert found == Baseline(price(Usage(cache_read=15_000, cache_write_5m=1_000, output=5)), True, found.usage)


def test_skips_elsewhere_do_not_touch_a_conversation_whose_own_cache_is_warm() -> None:
    shadow = Shadow(TABLE)
    shadow.observe(facts(DIRECT, tokens=20_000, calls=(Usage(cache_write_5m=20_000),)))
    draft = Usage(input=20_100, output=10)
    shadow.observe(replace(facts(SKIPPED, minute=1, tokens=20_100, draft=draft), conversation="another"))
    missed = Usage(cache_read=12_000, cache_write_5m=9_000, output=5)  # the provider forgot a part by itself
    found = shadow.observe(facts(DIRECT, minute=2, tokens=21_000, calls=(missed,)))
    assert found == Baseline(price(missed), False, missed)
