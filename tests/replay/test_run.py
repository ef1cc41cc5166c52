"""A policy over a recorded session: what is paid, what the verify model alone would have cost, and what parts them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.prices import FLASH, HAIKU, MINUTE, NOBODY, OPUS, SECOND, START, TABLE
from tests.support.recorded import call, sessions, task

from rlmc.cascade.policies import POLICIES, find
from rlmc.cascade.policies.policy import Policy
from rlmc.domain.chat import Usage
from rlmc.domain.effect import Effect
from rlmc.domain.outcome import Outcome, Reason
from rlmc.domain.turn import Model
from rlmc.pricing.catalog import PriceTable
from rlmc.replay.assumptions import Assumptions, assume
from rlmc.replay.prices import PricesOn
from rlmc.replay.recorded import RecordedCall
from rlmc.replay.run import Pair, ReplayedTurn, draw, never_drafts, prepare, replay

PRICES = PricesOn(TABLE, START, clock=True)
DEFAULT = Assumptions()
MODELS = (OPUS.name, HAIKU.name)


def policy(name: str) -> Policy:
    found = find(name)
    assert found is not None
    return found


def played(
    calls: list[RecordedCall],
    name: str,
    *,
    draft: Model = FLASH,
    verify: Model | None = None,
    assumptions: Assumptions = DEFAULT,
    prices: PriceTable = PRICES,
) -> list[ReplayedTurn]:
    return replay(prepare(calls, assumptions), policy(name), Pair(verify, draft), assumptions, prices)


def direct_cost(usage: Usage) -> int | None:
    return TABLE.charge(OPUS, usage, START).cost


@given(sessions(MODELS), st.sampled_from((FLASH, HAIKU)), st.sampled_from((None, OPUS)))
def test_verify_only_saves_exactly_nothing(calls: list[RecordedCall], draft: Model, verify: Model | None) -> None:
    for turn in played(calls, "verify-only", draft=draft, verify=verify):
        assert turn.outcome is Outcome.DIRECT
        assert turn.paid == turn.baseline
        assert turn.audit == 0 and not turn.wasted and not turn.brief
        assert turn.latency_s == turn.call.latency_s


@settings(max_examples=60)
@given(sessions(), st.sampled_from((FLASH, HAIKU)))
def test_what_the_verify_model_alone_would_have_cost_does_not_depend_on_the_policy(
    calls: list[RecordedCall], draft: Model
) -> None:
    baselines = {one.name: [turn.baseline for turn in played(calls, one.name, draft=draft)] for one in POLICIES}
    for name, found in baselines.items():
        assert found == baselines["verify-only"], name


def test_a_token_behind_the_last_marker_is_no_tokens_before_it_to_an_automatic_cache() -> None:
    """Claude Code leaves a token uncached; the draft model's count of such prompts once crept into the baseline."""
    calls = [replace(one, input=1, cache_write_5m=one.cache_write_5m - 1, cache_read=one.cache_read) for one in task(6)]
    alone = played(calls, "verify-only")
    drafted = played(calls, "draft-only")
    assert all(turn.outcome is Outcome.SKIPPED for turn in drafted)
    assert [turn.baseline for turn in drafted] == [turn.baseline for turn in alone]
    assert [turn.draft_only for turn in drafted] == [turn.draft_only for turn in alone]


@given(sessions(MODELS), st.sampled_from(POLICIES))
def test_the_same_replay_gives_the_same_figures(calls: list[RecordedCall], one: Policy) -> None:
    assert played(calls, one.name) == played(calls, one.name)


@given(sessions(MODELS), st.sampled_from(POLICIES))
def test_a_policy_that_never_drafts_comes_to_what_verify_only_comes_to(calls: list[RecordedCall], one: Policy) -> None:
    if never_drafts(prepare(calls, DEFAULT), one):
        alone = [turn._replace(reason=Reason.POLICY) for turn in played(calls, "verify-only")]
        assert [turn._replace(reason=Reason.POLICY) for turn in played(calls, one.name)] == alone


def test_policies_for_requests_without_tools_never_draft_a_coding_session() -> None:
    session = prepare(task(5), DEFAULT)
    assert never_drafts(session, policy("paper")) and never_drafts(session, policy("verify-only"))
    assert not never_drafts(session, policy("balanced")) and not never_drafts(session, policy("draft-only"))


# --- caches ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["verify-only", "balanced", "draft-only"])
def test_a_pause_longer_than_the_cache_lives_flips_the_turn_after_it_and_no_other(name: str) -> None:
    before = task(4)

    def with_pause(pause: int) -> list[RecordedCall]:
        found = list(before)
        at = before[-1].at
        for number in range(4, 8):
            at += pause if number == 4 else 20 * SECOND
            prompt = 20_000 + number * 1_000
            found.append(call(at=at, cache_read=prompt - 1_000, cache_write_5m=1_000))
        return found

    warm, cold = (played(with_pause(pause), name) for pause in (5 * MINUTE - SECOND, 5 * MINUTE + SECOND))
    flipped = [n for n, (one, other) in enumerate(zip(warm, cold, strict=True)) if one.baseline != other.baseline]
    assert flipped == [4]
    assert warm[4].baseline == direct_cost(Usage(cache_read=23_000, cache_write_5m=1_000, output=200))
    assert cold[4].baseline == direct_cost(Usage(cache_write_5m=24_000, output=200))
    assert warm[0].baseline == cold[0].baseline == direct_cost(Usage(cache_write_5m=20_000, output=200))


def test_an_hours_cache_is_still_warm_after_six_minutes() -> None:
    calls = [replace(one, cache_write_5m=0, cache_write_1h=one.cache_write_5m) for one in task(3, gap=6 * MINUTE)]
    costs = [turn.baseline for turn in played(calls, "verify-only")]
    assert costs[1] == direct_cost(Usage(cache_read=20_000, cache_write_1h=1_000, output=200))


def test_what_skipped_turns_did_not_read_the_next_direct_one_writes() -> None:
    calls = task(4)
    calls.append(call(at=calls[-1].at + 20 * SECOND, follows="user", first_of_task=True, previous=None,
                      cache_read=23_000, cache_write_5m=1_000))  # fmt: skip
    turns = played(calls, "balanced")
    assert [turn.outcome for turn in turns] == [Outcome.DIRECT, *[Outcome.SKIPPED] * 3, Outcome.DIRECT]
    assert turns[-1].baseline == direct_cost(Usage(cache_read=23_000, cache_write_5m=1_000, output=200))
    assert turns[-1].paid == direct_cost(Usage(cache_read=20_000, cache_write_5m=4_000, output=200))


def test_what_others_had_cached_before_a_session_is_found_by_its_first_call() -> None:
    first = call(follows="user", first_of_task=True, previous=None, cache_read=15_000, cache_write_5m=5_000)
    (turn,) = played([first], "verify-only")
    assert turn.baseline == direct_cost(Usage(cache_read=15_000, cache_write_5m=5_000, output=200))


def test_threads_have_prompts_of_their_own() -> None:
    main, side = task(3), [replace(one, thread="side-1", at=one.at + SECOND) for one in task(3)]
    mixed = sorted(main + side, key=lambda one: one.at)
    alone = [turn.baseline for turn in played(main, "verify-only")]
    both = played(mixed, "verify-only")
    for thread in ("", "side-1"):
        assert [turn.baseline for turn in both if turn.call.thread == thread] == alone


# --- drafts ---------------------------------------------------------------------------------------------------------


def test_a_draft_that_may_not_be_released_is_paid_for_and_wasted() -> None:
    calls = task(3)
    calls[2] = replace(calls[2], effect=Effect.UNSAFE)
    turn = played(calls, "balanced")[2]
    assert (turn.outcome, turn.reason, turn.wasted) == (Outcome.DIRECT, Reason.GATE, True)
    assert turn.paid is not None and turn.baseline is not None and turn.paid > turn.baseline
    assert turn.latency_s == 6.0 / 2 + 6.0


def test_an_answer_nobody_knows_counts_as_unsafe() -> None:
    calls = task(3)
    calls[2] = replace(calls[2], known=False)
    assert played(calls, "balanced")[2].outcome is Outcome.DIRECT
    assert played(calls, "draft-only")[2].outcome is Outcome.DIRECT


@pytest.mark.parametrize(("edits", "outcome"), [("pass", Outcome.SKIPPED), ("direct", Outcome.DIRECT)])
def test_drafted_edits_pass_only_where_that_is_assumed(edits: str, outcome: Outcome) -> None:
    calls = task(3)
    calls[2] = replace(calls[2], effect=Effect.EDIT)
    assert played(calls, "balanced", assumptions=assume([f"edits={edits}"]))[2].outcome is outcome


def test_brief_verifications_let_as_many_drafts_stand_as_assumed() -> None:
    calls = [replace(one, effect=Effect.UNSAFE) if n else one for n, one in enumerate(task(400, grow=10))]
    turns = played(calls, "economy", assumptions=assume(["brief-accept=0.7", "brief-tokens=200"]))
    asked = [turn for turn in turns if turn.brief]
    assert len(asked) > 300
    assert 0.6 < sum(turn.outcome is Outcome.ACCEPTED for turn in asked) / len(asked) < 0.8
    for turn in asked:
        assert turn.wasted is (turn.outcome is Outcome.DIRECT)


def test_skipped_turns_alone_are_audited() -> None:
    for turn in played(task(4), "balanced"):
        assert turn.audit is not None and (turn.audit > 0) is (turn.outcome is Outcome.SKIPPED)
    assert all(turn.audit == 0 for turn in played(task(4), "balanced", assumptions=assume(["audit-rate=0"])))


def test_a_price_that_is_not_known_is_not_zero() -> None:
    turns = played(task(3), "draft-only", draft=NOBODY)
    assert [turn.paid for turn in turns] == [None] * 3
    assert [turn.draft_only for turn in turns] == [None] * 3
    assert all(turn.baseline for turn in turns)
    unknown = played(task(3), "verify-only", verify=NOBODY)
    assert [(turn.paid, turn.baseline) for turn in unknown] == [(None, None)] * 3


def test_a_call_of_the_draft_model_itself_goes_direct() -> None:
    turns = played(task(3, model=HAIKU.name), "draft-only", draft=HAIKU)
    assert {turn.reason for turn in turns} == {Reason.SAME_MODEL}


@given(st.binary(max_size=20))
def test_draws_are_fixed_and_spread(place: bytes) -> None:
    assert 0 <= draw(place, b"verify") < 1
    assert draw(place, b"verify") == draw(place, b"verify") != draw(place, b"brief")
