"""What audits have taught on the way of a turn: a draft that saves less than its risk is worth goes direct."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st
from tests.support.playbook import VERIFY, Play, after, calls, pays, pays_briefly, request, says, turn, user, with_hints

from rlmc.cascade.bucket import BUCKETS, CHECKED, bucket_of
from rlmc.cascade.caution import FREE, Caution
from rlmc.cascade.plan import Original, Relay
from rlmc.domain.effect import Effect
from rlmc.domain.outcome import Outcome, Reason

# One regression is worth fifty direct turns; a read is wrong once in a hundred times.
CARE = Caution(price=50.0, usual_cost=1_000_000, risks={"read": 0.01}, usual_risk=0.05)


def reading(caution: Caution, policy: str = "balanced", **expected: int) -> Play:
    return Play(turn(after("Read")), policy, prospect=pays(**expected), caution=caution)


def test_a_draft_is_served_where_it_saves_more_than_its_risk_is_worth() -> None:
    play = reading(CARE, debt=400_000)
    play.reply(calls("Read"))
    assert play.plan is not None
    assert play.plan.outcome is Outcome.SKIPPED


def test_and_goes_direct_where_it_saves_less() -> None:
    play = reading(CARE, debt=600_000)
    play.reply(calls("Read"))
    assert isinstance(play.plan, Relay)
    assert (play.plan.outcome, play.plan.reason, play.plan.target) == (Outcome.DIRECT, Reason.REGRESSION, VERIFY)
    assert isinstance(play.plan.request, Original)


def test_the_kind_of_the_draft_decides_what_risk_it_is() -> None:
    play = reading(CARE, debt=400_000)
    play.reply(says("Done."))
    assert play.plan is not None
    assert play.plan.reason is Reason.REGRESSION


def test_drafts_of_a_shut_bucket_are_not_served_whatever_they_save() -> None:
    play = reading(Caution(shut=frozenset({"read"})))
    play.reply(calls("Read"))
    assert play.plan is not None
    assert play.plan.reason is Reason.REGRESSION


def test_no_draft_is_paid_for_that_could_not_be_served() -> None:
    for caution in (Caution(shut=frozenset(BUCKETS)), Caution(price=400.0, usual_cost=10**9, usual_risk=0.5)):
        play = reading(caution)
        assert play.ask is None
        play.ends("direct", "regression")
    reading(Caution(shut=frozenset(BUCKETS) - {"plan"})).expect("draft")


def test_a_closed_controller_asks_for_no_draft_at_all() -> None:
    for closed in (Reason.REGRESSION, Reason.QUALITY_STOP):
        play = reading(Caution(closed=closed))
        assert play.ask is None
        assert play.plan is not None
        assert (play.plan.outcome, play.plan.reason) == (Outcome.DIRECT, closed)


def test_policies_of_fixed_rules_are_only_watched() -> None:
    play = Play(turn(after("Read")), "draft-only", prospect=pays(), caution=Caution(closed=Reason.REGRESSION))
    play.reply(calls("Read"))
    assert play.plan is not None
    assert play.plan.outcome is Outcome.SKIPPED


def test_a_side_call_is_held_against_it_before_its_draft_is_asked_for() -> None:
    say = request(user("Say hi."), tools=())
    for price in (0.0, 40_000.0):
        caution = Caution(price=price, usual_cost=1_000_000, usual_risk=0.05)
        Play(turn(say), "draft-only", prospect=pays(), caution=caution).expect("draft")  # which is only watched
        auxiliary = Play(with_hints(say, request_class="auxiliary"), prospect=pays(), caution=caution)
        assert auxiliary.expect("draft") if price == 0.0 else auxiliary.ends("direct", "regression")


def test_a_side_call_is_held_against_what_it_costs_itself() -> None:
    caution = Caution(price=5.0, usual_cost=10**12, usual_risk=0.1)
    assert caution.threshold("side", 1000) == 500
    assert caution.lets("side", 600, 1000)
    assert not caution.lets("read", 600, 1000)


def test_what_is_unknown_lets_a_draft_through() -> None:
    assert FREE.lets("edit", None, None)
    assert CARE.lets("edit", None, None)
    assert Caution(price=5.0, usual_risk=0.1).lets("edit", -1, None)


def test_every_kind_of_draft_has_a_bucket() -> None:
    found = {bucket_of(auxiliary=False, effect=effect) for effect in (None, *Effect)}
    assert found | {bucket_of(auxiliary=True, effect=Effect.EDIT), CHECKED} == set(BUCKETS)


def test_a_draft_that_the_verify_model_is_to_see_is_not_held_against_its_risk() -> None:
    careful = Caution(400.0, 10**9, {"read": 0.0}, 0.5)
    play = Play(turn(after("Read")), prospect=pays_briefly(), caution=careful)
    play.reply(says("word " * 400)).expect("verify")


@given(
    st.builds(
        Caution,
        price=st.floats(0, 1e6),
        usual_cost=st.none() | st.integers(0, 10**15),
        risks=st.dictionaries(st.sampled_from(BUCKETS), st.floats(0, 1)),
        usual_risk=st.floats(0, 1),
        shut=st.frozensets(st.sampled_from(BUCKETS)),
        closed=st.sampled_from([None, Reason.REGRESSION, Reason.QUALITY_STOP]),
    )
)
def test_it_comes_back_from_its_record(caution: Caution) -> None:
    assert Caution.from_record(json.loads(json.dumps(caution.record()))) == caution
