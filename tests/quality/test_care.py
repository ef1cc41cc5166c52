"""What an epoch's keeper learns from turns and audits, and that it forgets nothing."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlmc.quality.care import Care
from rlmc.quality.controller import LOW, TOP
from rlmc.quality.posterior import Posterior

TARGET = 0.02


def audited(care: Care, loss: float, *, bucket: str = "read", probability: float = 0.04, judged: bool = True) -> None:
    care.turn(1000)
    care.served(drawn=probability)
    care.ended(bucket, probability, loss, judged=judged)


def test_a_drawn_audit_counts_as_lost_until_it_has_ended() -> None:
    care, quiet = Care.begin(TARGET), Care.begin(TARGET)
    for one in (care, quiet):
        one.turn(1000)
    care.served(drawn=0.04)
    quiet.served(drawn=None)
    assert care.price > 3 * quiet.price
    care.ended("read", 0.04, 0.0, judged=True)
    assert care.price == pytest.approx(quiet.price)


def test_an_audit_without_a_verdict_is_a_loss_and_teaches_nothing_of_its_bucket() -> None:
    care = Care.begin(TARGET)
    for _ in range(5):
        audited(care, 1.0, judged=False)
    assert care.controller.log_price > LOW
    assert care.risks == {}
    assert not care.stopped, "an outage is no proof of bad drafts"


def test_audits_are_drawn_more_often_for_a_while_after_a_loss_and_never_less_than_wanted() -> None:
    care = Care.begin(TARGET)
    assert care.probability(0.04) == 0.04
    audited(care, 0.25)
    assert care.probability(0.04) == 0.10
    assert care.probability(0.25) == 0.25
    for _ in range(60):
        care.served(drawn=None)
    assert care.probability(0.04) == 0.04


def test_three_material_losses_in_a_row_stop_it_until_somebody_has_looked() -> None:
    care = Care.begin(TARGET)
    for loss in (1.0, 1.0, 0.25, 1.0, 1.0):
        audited(care, loss)
    assert not care.stopped
    audited(care, 1.0)
    assert care.stopped
    care.look()
    assert not care.stopped
    audited(care, 1.0)
    assert not care.stopped, "it takes three more"


def test_the_usual_cost_is_the_lower_middle_of_the_last_ones() -> None:
    care = Care.begin(TARGET)
    assert care.usual_cost is None
    for cost in (100_000, 7_000, None, 8_000, 9_000):
        care.turn(cost)
    assert care.usual_cost is None, "the first of a session is a dear one"
    care.turn(90_000)
    assert care.usual_cost == 9_000
    for _ in range(30):
        care.turn(500)
    assert care.usual_cost == 500


def test_what_is_known_of_a_bucket_moves_its_risk_and_no_other() -> None:
    care = Care.begin(TARGET)
    usual = care.usual_risk
    for _ in range(10):
        audited(care, 0.25, bucket="edit")
        audited(care, 0.0, bucket="read")
    assert care.risks["edit"] > usual > care.risks["read"]
    assert care.usual_risk == usual


def test_an_alarm_raises_the_price_and_makes_it_learn_anew() -> None:
    care, chance = Care.begin(TARGET), random.Random(2)
    for _ in range(3000):
        audited(care, 0.0, probability=1.0)
    assert care.alarm.times == 0
    before = care.posteriors["read"]
    while not care.alarm.times:
        audited(care, float(chance.random() < 0.5), probability=1.0)
    assert care.posteriors["read"].good < before.good / 1.5


def test_another_target_holds_from_then_on_and_keeps_what_was_learnt() -> None:
    care = Care.begin(TARGET)
    audited(care, 0.25, bucket="edit")
    care.aim(0.01)
    assert care.controller.target == care.alarm.target == 0.01
    assert care.posteriors["edit"] == Posterior(0.01, 0.25, 0.75, 1)
    assert care.usual_risk == Posterior(0.01).risk


_EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["read", "edit", "text"]),
        st.floats(0.04, 1),
        st.sampled_from([None, 0.0, 0.25, 0.5, 1.0]),
        st.booleans(),
    ),
    max_size=60,
)


@given(_EVENTS)
def test_nothing_is_forgotten_when_it_is_written_and_read(events: list[tuple[str, float, float | None, bool]]) -> None:
    care = Care.begin(TARGET)
    for bucket, probability, loss, judged in events:
        care.turn(1000)
        care.served(drawn=probability if loss is not None else None)
        if loss is not None:
            care.ended(bucket, probability, loss, judged=judged)
        assert LOW <= care.controller.log_price < TOP + 200
        again = Care.from_record(json.loads(json.dumps(care.record())))
        assert again.record() == care.record()
        assert (again.price, again.risks, again.usual_cost, again.closed, again.stopped) == (
            care.price, care.risks, care.usual_cost, care.closed, care.stopped,
        )  # fmt: skip


@pytest.mark.parametrize("kept", [{}, {"target": 2.0}, {"target": "x"}])
def test_what_it_did_not_write_is_refused(kept: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        Care.from_record(kept)
