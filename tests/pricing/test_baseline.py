"""The shadow of a verify-only session: exact while nothing was skipped, honest about what it estimates afterwards."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.support.outlines import CHARS, RATIO, outline, tokens, warm
from tests.support.prices import FLASH, HAIKU, MINUTE, NOBODY, OPUS, SECOND, START, TABLE

from rlmc.domain.chat import Usage
from rlmc.domain.layout import Lifetime
from rlmc.domain.money import add, per_million
from rlmc.domain.outcome import Outcome
from rlmc.domain.outline import Outline
from rlmc.domain.turn import Model
from rlmc.pricing.baseline import Alone, Shadows, TurnFacts, observe
from rlmc.pricing.cache import PromptCache, rule_for, split
from rlmc.pricing.lengths import Lengths
from rlmc.pricing.sides import Sides

DIRECT, SKIPPED, ACCEPTED, ENHANCED = Outcome.DIRECT, Outcome.SKIPPED, Outcome.ACCEPTED, Outcome.ENHANCED
LIVES: list[Lifetime] = ["5m", "1h"]


class Session:
    """The books of one session, beginning with a provider that counts four characters a token."""

    def __init__(self) -> None:
        self.sides = Sides(RATIO)
        self.lengths = Lengths()

    def observe(self, facts: TurnFacts) -> Shadows:
        return observe(facts, self.sides, self.lengths)

    def turn(
        self,
        outcome: Outcome,
        of: Outline,
        *calls: Usage | None,
        minute: float = 0,
        draft: Usage | None = None,
        verify: Model = OPUS,
        appended: int = 0,
        **more: Any,
    ) -> Alone:
        """One turn, and what the verify model alone would have used on it."""
        facts = TurnFacts(
            at=START + round(minute * MINUTE),
            outcome=outcome,
            verify=verify,
            draft_model=FLASH,
            outline=of,
            verify_calls=calls,
            asked_draft=draft is not None,
            draft=draft,
            appended_chars=appended * CHARS,
            **more,
        )
        return self.observe(facts).verify

    def direct(self, of: Outline, usage: Usage, *, minute: float = 0) -> Alone:
        return self.turn(DIRECT, of, usage, minute=minute)

    def skipped(self, of: Outline, *, minute: float = 0, output: int = 50) -> Alone:
        draft = Usage(input=tokens(of)[-1], output=output)
        return self.turn(SKIPPED, of, minute=minute, draft=draft, known_output=output)


def measured(usage: Usage) -> Alone:
    return Alone(usage, False)


def cached(life: Lifetime, read: int, written: int, output: int) -> Usage:
    """A prompt of which nothing is plain input."""
    if life == "1h":
        return Usage(cache_read=read, cache_write_1h=written, output=output)
    return Usage(cache_read=read, cache_write_5m=written, output=output)


def price(usage: Usage | None, model: Model = OPUS) -> int | None:
    return None if usage is None else TABLE.charge(model, usage, START).cost


# --- a verify-only session saves exactly nothing --------------------------------------------------------------------

count = st.integers(0, 200_000)
any_usage = st.builds(
    Usage,
    input=count,
    cache_read=count,
    cache_write_5m=count,
    cache_write_1h=count,
    output=count,
    web_searches=st.integers(0, 1),
    unpriced=st.sampled_from([(), (), (), ("web_fetch",)]),
)
ends = st.lists(st.integers(1, 60), min_size=1, max_size=6, unique=True).map(lambda n: sorted(e * 500 for e in n))
any_outline = st.builds(
    lambda places, marks, of, stretch: outline(
        *places,
        marks={end: mark for end, mark in zip(places, marks, strict=False) if mark},
        of=of,
        positions={end: n * stretch for n, end in enumerate(places)},
    ),
    ends,
    st.lists(st.sampled_from([None, "5m", "1h"]), min_size=6, max_size=6),
    st.sampled_from(["a", "b"]),
    st.integers(1, 25),
) | st.just(Outline())
models = st.sampled_from([OPUS, HAIKU, FLASH, NOBODY])
direct_turns = st.lists(st.tuples(any_outline, any_usage, st.floats(0, 90), models), max_size=12)


@given(direct_turns)
def test_a_verify_only_session_saves_exactly_nothing(turns: list[tuple[Outline, Usage, float, Model]]) -> None:
    session, minute = Session(), 0.0
    for of, usage, gap, model in turns:
        minute += gap
        assert session.turn(DIRECT, of, usage, minute=minute, verify=model) == measured(usage)


@given(direct_turns, st.randoms(use_true_random=False))
def test_the_books_of_a_session_are_the_sum_of_its_calls_in_any_order(
    turns: list[tuple[Outline, Usage, float, Model]], order: random.Random
) -> None:
    session = Session()
    paid = [price(usage, model) for _, usage, _, model in turns]
    alone = [session.turn(DIRECT, of, usage, verify=model).usage for of, usage, _, model in turns]
    baseline = [price(usage, turn[3]) for usage, turn in zip(alone, turns, strict=True)]
    shuffled = list(paid)
    order.shuffle(shuffled)
    assert add(baseline) == add(paid) == add(shuffled)
    assert (add(paid) is None) is (None in paid), "one unknown price, and the total is unknown"


# --- the baseline of a session does not depend on how it was routed -------------------------------------------------


@dataclass
class Provider:
    """Its cache follows the product's own rules; test_cache.py holds them against others."""

    model: Model
    cache: PromptCache

    @classmethod
    def of(cls, model: Model) -> Provider:
        return cls(model, PromptCache(rule_for(model)))

    def call(self, of: Outline, at: int, output: int, appended: int = 0) -> Usage:
        usage = split(self.cache, of, tokens(of), at).usage(output)
        self.cache.use(of, at)
        return replace(usage, input=usage.input + appended)


steps = st.lists(
    st.tuples(
        st.sampled_from([DIRECT, SKIPPED, ACCEPTED, ENHANCED]),
        st.sampled_from([1, 30, 200, 299, 300, 301, 900, 3599, 3600, 4000]),  # seconds since the turn before
        st.integers(1, 3000),  # growth of the prompt
        st.integers(1, 800),  # answer
        st.integers(1, 400),  # draft and instruction behind the prompt
        st.booleans(),  # a direct turn that had a failed verification first
    ),
    max_size=20,
)


@given(st.sampled_from(["5m", "1h", None]), steps, st.integers(100, 50_000))
@example(  # what the second call of a direct turn reads is more than the cache had before the turn
    "5m",
    [
        *([(DIRECT, 1, 1, 1, 1, False)] * 9),
        *((DIRECT, 1, growth, 1, 1, False) for growth in (105, 105, 191)),
        (SKIPPED, 1, 1, 1, 1, False),
        (DIRECT, 1, 1, 1, 1, True),
        (SKIPPED, 1, 1, 1, 1, False),
    ],
    100,
)
@settings(deadline=None)
def test_the_baseline_is_what_a_verify_only_session_would_have_been_billed(
    life: Lifetime | None, turns: list[tuple[Outcome, int, int, int, int, bool]], first: int
) -> None:
    real, alone, session = Provider.of(OPUS), Provider.of(OPUS), Session()
    at, known, billed, baseline = START, [first], [], []
    for outcome, gap, growth, output, appended, retried in turns:
        at += gap * SECOND
        known.append(known[-1] + growth)
        now = outline(*known[-19:], marks=life)
        billed.append(price(alone.call(now, at, output)))
        calls: list[Usage] = []
        seen = outcome in (ACCEPTED, ENHANCED) or (outcome is DIRECT and retried)
        if seen:
            calls.append(real.call(now, at, output, appended))
        if outcome is DIRECT:
            calls.append(real.call(now, at, output))
        found = session.turn(
            outcome,
            now,
            *calls,
            minute=(at - START) / MINUTE,
            draft=None if outcome is DIRECT else Usage(input=known[-1], output=output),
            appended=appended if seen else 0,
            known_output=output,
        )
        baseline.append(price(found.usage))
    assert baseline == billed


# --- what parts the shadow from the real session ---------------------------------------------------------------------


@pytest.mark.parametrize("life", LIVES)
def test_skipping_then_returning_the_shadow_reads_what_the_real_session_has_to_write(life: Lifetime) -> None:
    session = Session()
    session.direct(outline(10_000, marks=life), cached(life, 0, 10_000, 10))
    session.skipped(outline(10_000, 40_000, marks=life), minute=1)
    paid = cached(life, 10_000, 31_000, 10)
    found = session.direct(outline(10_000, 40_000, 41_000, marks=life), paid, minute=2)
    assert found == Alone(cached(life, 40_000, 1_000, 10), True)
    # From here on the caches hold the same again, and the baseline is the measured figure.
    after = cached(life, 41_000, 500, 10)
    assert session.direct(outline(41_000, 41_500, marks=life), after, minute=3) == measured(after)


def test_the_same_holds_where_a_cache_is_automatic_and_reports_no_writes() -> None:
    session = Session()
    session.turn(DIRECT, outline(10_000, marks=None), Usage(input=10_000, output=5), verify=FLASH)
    session.turn(SKIPPED, outline(10_000, 12_000, marks=None), minute=1, verify=FLASH, known_output=5)
    paid = Usage(input=3_000, cache_read=10_000, output=5)
    found = session.turn(DIRECT, outline(10_000, 12_000, 13_000, marks=None), paid, minute=2, verify=FLASH)
    assert found == Alone(Usage(input=1_000, cache_read=12_000, output=5), True)


@pytest.mark.parametrize(("life", "minutes"), [("5m", 5), ("1h", 60)])
def test_a_gap_over_the_lifetime_turns_a_read_into_a_write_and_nothing_else(life: Lifetime, minutes: int) -> None:
    def third_turn(gap: float) -> Alone:
        session = Session()
        session.direct(outline(10_000, marks=life), cached(life, 0, 10_000, 9))
        session.skipped(outline(10_000, 12_000, marks=life), minute=1)
        back = cached(life, 0, 13_000, 70)
        return session.direct(outline(10_000, 12_000, 13_000, marks=life), back, minute=1 + gap)

    kept, cold = third_turn(minutes - 0.01), third_turn(minutes)
    assert kept.usage is not None and cold.usage is not None
    assert kept.usage.cache_read == 12_000
    assert (kept.usage.cache_write_5m, kept.usage.cache_write_1h) == ((1_000, 0) if life == "5m" else (0, 1_000))
    assert kept.estimated
    assert cold.usage.cache_read == 0
    assert cold.usage.output == kept.usage.output == 70
    assert not cold.estimated  # both caches had lapsed: what was measured is what it would have been


@given(st.lists(st.sampled_from([60, 200, 299, 300, 400, 3_000, 3_600]), min_size=1, max_size=10))
def test_a_gap_across_the_lifetime_flips_exactly_the_turns_it_should(gaps: list[int]) -> None:
    """Skipped turns only: the shadow reads the turn before, unless the pause to it was too long."""
    session, at, ends_at = Session(), 0, [10_000]
    session.skipped(outline(10_000))
    for gap in gaps:
        at += gap
        ends_at.append(ends_at[-1] + 1_000)
        found = session.skipped(outline(*ends_at), minute=at / 60)
        assert found.usage is not None
        assert found.usage.cache_read == (ends_at[-2] if gap < 300 else 0)
        assert found.usage.prompt == ends_at[-1]


def test_skipped_turns_keep_the_shadow_s_cache_alive() -> None:
    session = Session()
    session.direct(outline(10_000), Usage(cache_write_5m=10_000))
    for minute in (4, 8, 12):
        found = session.skipped(outline(10_000, 10_100), minute=minute)
        assert found.usage is not None
        assert found.usage.cache_read >= 10_000
        assert found.estimated


def test_a_break_hits_the_real_and_the_shadow_alike() -> None:
    """The provider found less than both caches were to hold: that is none of the session's doing."""
    session = Session()
    session.direct(outline(10_000), Usage(cache_write_5m=10_000))
    broken = Usage(cache_write_5m=11_000, output=3)
    assert session.direct(outline(10_000, 11_000), broken, minute=1) == measured(broken)
    again = Usage(cache_read=11_000, cache_write_5m=1_000)
    assert session.direct(outline(10_000, 11_000, 12_000), again, minute=2) == measured(again)
    side = session.sides.of(OPUS)
    for cache in (side.real, side.shadow):
        assert not warm(cache, 10_000, START + 2 * MINUTE), "what was not there is not believed to be"
        assert warm(cache, 12_000, START + 2 * MINUTE)


def test_a_provider_that_finds_more_than_the_real_cache_was_to_hold_gives_as_much_to_the_shadow() -> None:
    session = Session()
    found = Usage(cache_read=9_000, cache_write_5m=1_000)
    assert session.direct(outline(10_000), found) == measured(found)
    session.skipped(outline(10_000, 12_000), minute=1)
    generous = Usage(cache_read=12_900, cache_write_5m=100)
    assert session.direct(outline(10_000, 12_000, 13_000), generous, minute=2).usage == generous


def test_what_a_model_would_have_drafted_does_not_warm_its_shadow_as_a_verify_model() -> None:
    """The user switches to the model that is the draft model, too: a verify-only session had not used it before."""
    session = Session()
    session.direct(outline(10_000), Usage(cache_write_5m=10_000))
    cold = Usage(input=12_000, output=4)
    assert session.turn(DIRECT, outline(10_000, 12_000), cold, minute=1, verify=FLASH) == measured(cold)


def test_the_books_of_other_conversations_are_not_touched() -> None:
    session = Session()
    session.direct(outline(10_000), Usage(cache_write_5m=10_000))
    session.skipped(outline(600, of="title", marks=None), minute=1)
    main = Usage(cache_read=10_000, cache_write_5m=300)
    assert session.direct(outline(10_000, 10_300), main, minute=2) == measured(main)
    title = session.skipped(outline(600, of="title", marks=None), minute=3)
    assert title.usage == Usage(input=600, output=50)


def test_a_new_conversation_finds_the_beginning_it_shares_with_another() -> None:
    session = Session()
    rules = outline(4_000, 20_000, marks={4_000: "5m", 20_000: "5m"})
    session.direct(rules, Usage(cache_write_5m=20_000))
    second = outline(4_000, 18_000, marks={4_000: "5m", 18_000: "5m"})
    found = session.skipped(second, minute=1)
    assert found.usage == Usage(cache_read=4_000, cache_write_5m=14_000, output=50)


def test_a_compacted_conversation_reads_only_what_it_began_with() -> None:
    session = Session()
    marks: dict[int, Lifetime] = {4_000: "5m"}
    session.direct(outline(4_000, 20_000, marks=marks | {20_000: "5m"}), Usage(cache_write_5m=20_000))
    session.skipped(outline(4_000, 20_000, 150_000, marks=marks | {150_000: "5m"}), minute=1)
    short = session.skipped(outline(4_000, 30_000, marks=marks | {30_000: "5m"}), minute=2)
    assert short.usage == Usage(cache_read=4_000, cache_write_5m=26_000, output=50)


@pytest.mark.parametrize(
    ("of", "model"),
    [(outline(10_000, marks=None), OPUS), (outline(511), OPUS), (outline(1_000, marks=None), FLASH)],
)
def test_what_is_not_cached_is_plain_input(of: Outline, model: Model) -> None:
    session = Session()
    for minute in (0, 1):
        found = session.turn(SKIPPED, of, minute=minute, verify=model, known_output=10)
        assert found.usage == Usage(input=tokens(of)[-1], output=10)


# --- verifications ---------------------------------------------------------------------------------------------------


def test_a_verification_is_counted_without_the_draft_behind_it() -> None:
    session, of = Session(), outline(9_900)
    call = Usage(input=100, cache_write_5m=9_900, output=3, thinking=2)
    draft = Usage(input=9_900, output=400)
    found = session.turn(ACCEPTED, of, call, draft=draft, appended=100, known_output=400)
    assert found == Alone(Usage(cache_write_5m=9_900, output=400), True)
    assert price(found.usage) == 9_900 * per_million(5) + 400 * per_million(20)
    better = session.turn(ENHANCED, of, replace(call, output=333), minute=1, draft=draft, appended=100)
    assert better.usage is not None
    assert (better.usage.output, better.estimated) == (333, True)


def test_a_direct_answer_after_a_failed_verification_does_not_read_for_free() -> None:
    verification = Usage(input=100, cache_write_5m=50_000, output=4)
    answer = Usage(cache_read=50_000, output=80)
    found = Session().turn(DIRECT, outline(50_000), verification, answer, appended=100)
    assert found == Alone(Usage(cache_write_5m=50_000, output=80), True)


def test_what_a_brief_verification_accepted_the_verify_model_has_not_read() -> None:
    session = Session()
    session.direct(outline(10_000), Usage(cache_write_5m=10_000))
    draft = Usage(input=12_000, output=30)
    found = session.turn(ACCEPTED, outline(10_000, 12_000), minute=1, draft=draft, known_output=44, brief_prompt=900)
    assert found.usage == Usage(cache_read=10_000, cache_write_5m=2_000, output=44)
    side = session.sides.of(OPUS)
    assert not warm(side.real, 12_000, START + MINUTE) and warm(side.shadow, 12_000, START + MINUTE)


# --- what cannot be known ---------------------------------------------------------------------------------------------


def test_refused_calls_cost_nothing_and_touch_no_cache() -> None:
    session = Session()
    session.direct(outline(10_000), Usage(cache_write_5m=10_000))
    session.skipped(outline(10_000, 12_000), minute=1)
    assert session.direct(outline(10_000, 12_000, 13_000), Usage(), minute=2) == measured(Usage())
    paid = Usage(cache_read=10_000, cache_write_5m=3_000)
    back = session.direct(outline(10_000, 12_000, 13_000), paid, minute=3)
    assert back.usage == Usage(cache_read=12_000, cache_write_5m=1_000)


def test_a_direct_answer_without_usage_has_no_baseline_but_has_been_read() -> None:
    session = Session()
    assert session.turn(DIRECT, outline(10_000), None) == Alone(None, True)
    side = session.sides.of(OPUS)
    assert warm(side.real, 10_000, START) and warm(side.shadow, 10_000, START)


def test_a_skipped_turn_of_an_unreadable_prompt_has_no_baseline() -> None:
    assert Session().turn(SKIPPED, Outline(), draft=Usage(input=9, output=9)) == Alone(None, True)


def test_reckoned_usage_is_an_estimate() -> None:
    usage = Usage(input=1_000, output=7)
    assert Session().turn(DIRECT, outline(1_000, marks=None), usage, measured=False) == Alone(usage, True)


def test_an_answer_nobody_gave_is_of_a_predicted_length_and_says_how_far_that_may_be_off() -> None:
    session = Session()
    draft = Usage(input=10_000, output=120)
    early = session.turn(SKIPPED, outline(10_000), draft=draft, kind="read")
    assert early.usage is not None
    assert early.usage.output == 120, "the draft's own length is the first guess"
    assert early.bias > 0 and early.noise > 0
    for _ in range(200):
        session.lengths.learn("read", 300)
    late = session.turn(SKIPPED, outline(10_000), minute=1, draft=draft, kind="read")
    assert late.usage is not None
    assert late.usage.output == pytest.approx(300, abs=5)
    assert late.bias < early.bias / 5


def test_while_the_verify_model_has_counted_nothing_the_draft_s_count_is_the_better_guess() -> None:
    found = Session().turn(SKIPPED, outline(10_000), draft=Usage(input=12_345, output=5), known_output=5)
    assert found.usage == Usage(cache_write_5m=12_345, output=5)


@given(st.lists(st.sampled_from([OPUS, FLASH, NOBODY]), min_size=1, max_size=8), st.sampled_from([DIRECT, SKIPPED]))
def test_one_unknown_price_makes_the_session_s_baseline_unknown(verifiers: list[Model], outcome: Outcome) -> None:
    session, usage = Session(), Usage(input=1_000, output=10)
    alone = [
        session.turn(outcome, outline(1_000), *([usage] if outcome is DIRECT else []), minute=n, verify=model)
        for n, model in enumerate(verifiers)
    ]
    costs = [price(found.usage, model) for found, model in zip(alone, verifiers, strict=True)]
    assert (add(costs) is None) is (NOBODY in verifiers)


# --- any session at all -----------------------------------------------------------------------------------------------

any_facts = st.builds(
    TurnFacts,
    at=st.integers(START, START + 90 * MINUTE),
    outcome=st.sampled_from(list(Outcome)),
    verify=models,
    draft_model=st.sampled_from([None, FLASH, HAIKU, OPUS]),
    outline=any_outline,
    verify_calls=st.lists(st.none() | any_usage, max_size=2).map(tuple),
    asked_draft=st.booleans(),
    draft=st.none() | any_usage,
    appended_chars=st.integers(0, 10**6),
    kind=st.sampled_from([None, "text", "edit"]),
    measured=st.booleans(),
    known_output=st.none() | st.integers(0, 9_000),
)


def classes(usage: Usage) -> Iterable[int]:
    return (usage.input, usage.cache_read, usage.cache_write_5m, usage.cache_write_1h, usage.output, usage.thinking)


@given(st.lists(any_facts, max_size=8))
@settings(max_examples=300)
def test_no_count_is_ever_negative_and_no_call_that_was_seen_loses_or_gains_a_token(turns: list[TurnFacts]) -> None:
    session = Session()
    for facts in turns:
        found = session.observe(facts)
        for alone in (found.verify, found.draft):
            assert alone.bias >= 0 and alone.noise >= 0
            assert alone.usage is None or min(classes(alone.usage)) >= 0
        last = facts.verify_calls[-1] if facts.verify_calls else None
        if last is not None and facts.outcome is DIRECT:
            assert found.verify.usage is not None
            assert found.verify.usage.prompt == last.prompt
            assert found.verify.usage.output == last.output


@given(st.lists(any_facts, max_size=8))
def test_the_same_turns_in_the_same_order_give_the_same_books(turns: list[TurnFacts]) -> None:
    one, other = Session(), Session()
    assert [one.observe(facts) for facts in turns] == [other.observe(facts) for facts in turns]


# --- the draft-only session -------------------------------------------------------------------------------------------


def drafted(session: Session, of: Outline, usage: Usage | None, minute: float, *calls: Usage) -> Alone:
    outcome = DIRECT if calls else SKIPPED
    at = START + round(minute * MINUTE)
    facts = TurnFacts(at, outcome, OPUS, FLASH, of, calls, usage is not None, usage, known_output=50)
    return session.observe(facts).draft


def test_a_draft_only_session_is_what_the_draft_model_used() -> None:
    session = Session()
    for minute, usage in enumerate((Usage(input=10_000, output=9), Usage(input=1_000, cache_read=10_000, output=9))):
        of = outline(*(10_000, 11_000)[: minute + 1])
        assert drafted(session, of, usage, minute) == measured(usage)


def test_a_turn_the_draft_model_did_not_see_it_would_have_answered_as_long_as_the_verify_model_did() -> None:
    session = Session()
    drafted(session, outline(10_000), Usage(input=10_000, output=9), 0)
    found = drafted(session, outline(10_000, 12_000), None, 1, Usage(cache_write_5m=12_000, output=70))
    assert found.usage is not None
    assert found.estimated
    assert (found.usage.prompt, found.usage.cache_read, found.usage.output) == (12_000, 10_000, 70)
    back = drafted(session, outline(10_000, 12_000, 13_000), Usage(input=3_000, cache_read=10_000, output=9), 2)
    assert back == Alone(Usage(input=1_000, cache_read=12_000, output=9), True)


@pytest.mark.parametrize("draft_model", [None, OPUS])
def test_without_a_draft_model_of_its_own_there_is_no_draft_only_session(draft_model: Model | None) -> None:
    facts = TurnFacts(START, DIRECT, OPUS, draft_model, outline(1_000), (Usage(input=1_000),))
    assert Session().observe(facts).draft == Alone(None, True)


def test_what_was_only_kept_warm_is_written_anew_by_the_shadow() -> None:
    session = Session()
    session.direct(outline(50_000, marks="5m"), cached("5m", 0, 50_000, 10))
    session.sides.of(OPUS).real.use(outline(50_000, marks="5m"), START + round(4.5 * MINUTE))
    paid = cached("5m", 50_000, 1_000, 10)
    found = session.direct(outline(50_000, 51_000, marks="5m"), paid, minute=8)
    assert found == Alone(cached("5m", 0, 51_000, 10), True)


def test_a_client_that_went_before_anything_was_asked_leaves_no_figure() -> None:
    session = Session()
    session.direct(outline(10_000, marks="5m"), cached("5m", 0, 10_000, 10))
    assert session.turn(DIRECT, outline(10_000, 11_000, marks="5m"), minute=1).usage is None
    after = cached("5m", 10_000, 1_500, 10)
    assert session.direct(outline(10_000, 11_500, marks="5m"), after, minute=2) == measured(after)
