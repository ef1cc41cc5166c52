"""The price of a regression and what it is told by."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from rlmc.quality.alarm import Alarm
from rlmc.quality.controller import AIM, LOW, RATE, TOP, Controller
from rlmc.quality.posterior import Posterior

TARGET = 0.02


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0.04, 1)), max_size=400))
def test_the_mean_loss_it_lets_through_is_bounded_whatever_happens(audits: list[tuple[float, float]]) -> None:
    """Each audit ends as badly as it may; a turn is drafted whenever the controller lets it."""
    controller, total, turns = Controller(TARGET), 0.0, 0
    for loss, probability in audits:
        turns += 1
        controller = controller.turn()
        if not controller.closed:
            total += loss / probability
            controller = controller.lost(loss, probability)
    overshoot = RATE / 0.04
    assert total <= AIM * TARGET * turns + (TOP - LOW + overshoot) / RATE + 1e-9


def test_when_every_audit_is_a_loss_hardly_anything_is_drafted() -> None:
    chance, controller, lost, turns = random.Random(1), Controller(TARGET), 0, 30_000
    for _ in range(turns):
        controller = controller.turn()
        if not controller.closed:
            lost += 1
            if chance.random() < 0.04:
                controller = controller.lost(1.0, 0.04)
    assert lost / turns < TARGET


def test_a_price_that_nobody_obeys_stays_a_number() -> None:
    controller = Controller(TARGET, log_price=5000.0)
    assert controller.closed
    assert controller.price == Controller(TARGET, log_price=TOP).price


def test_it_opens_again_after_a_time_without_losses() -> None:
    controller = Controller(TARGET)
    while not controller.closed:
        controller = controller.lost(1.0, 0.04)
    assert not controller.turn(round(1 / 0.04 / TARGET / AIM)).closed


def test_a_loss_that_was_not_one_is_given_back() -> None:
    controller = Controller(TARGET, log_price=0.0)
    assert controller.lost(1.0, 0.04).lost(-1.0, 0.04).log_price < 1e-9


def test_a_posterior_begins_at_its_target_and_follows_the_verdicts() -> None:
    fresh = Posterior(TARGET)
    assert TARGET < fresh.risk < 2 * TARGET
    good, bad = fresh, fresh
    for _ in range(300):
        good, bad = good.learn(0.0), bad.learn(1.0)
    assert good.risk < TARGET / 2
    assert bad.risk > 0.8
    assert fresh.learn(1.0).risk > fresh.risk > fresh.learn(0.0).risk


def test_old_verdicts_fade() -> None:
    changed = Posterior(TARGET)
    for loss in [1.0] * 50 + [0.0] * 2_000:
        changed = changed.learn(loss)
    assert changed.risk < 0.03


def alarms(rate: float, turns: int, seed: int) -> int:
    chance, alarm = random.Random(seed), Alarm(TARGET)
    for _ in range(turns):
        audited = chance.random() < 0.1
        alarm = alarm.turn(float(audited and chance.random() < rate) / 0.1)
    return alarm.times


def test_the_alarm_is_quiet_at_the_target_and_loud_after_a_change() -> None:
    assert sum(alarms(TARGET, 5_000, seed) for seed in range(20)) <= 1
    assert all(alarms(0.3, 1_500, seed) for seed in range(20))
