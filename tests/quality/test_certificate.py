"""The bound on the mean loss: what moves it, and that it holds while somebody keeps looking."""

from __future__ import annotations

import random
from math import exp, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlmc.quality.certificate import BETS, Certificate

PROBABILITY = st.floats(0.04, 1.0)
LOSS = st.floats(0.0, 1.0)


def audited(turns: int, losses: list[float], probability: float = 0.04, delta: float = 0.05) -> Certificate:
    certificate = Certificate(0.04, delta)
    certificate.served(turns)
    for loss in losses:
        certificate.drawn(probability)
        certificate.settled(probability, loss)
    return certificate


def test_nothing_is_known_without_turns() -> None:
    assert Certificate(0.04, 0.05).bound == 1.0


def test_the_worked_example() -> None:
    """512 audits at 4 %, two of them materially and four a little worse: 2.1 % of the turns a draft answered."""
    assert audited(12_800, [1.0, 1.0, 0.25, 0.25, 0.25, 0.25]).bound == pytest.approx(0.021, abs=0.0005)


def test_the_bound_is_what_the_formula_says() -> None:
    turns, losses = 700, [1.0, 0.25, 0.0]
    certificate = audited(turns, losses, probability=0.1)

    def evidence(mean: float) -> float:
        parts = []
        for bet in BETS:
            kappa = 0.04 * (1 - exp(-bet))
            value = 1.0
            for loss in losses:
                value *= (1 - kappa / 0.1) ** loss
            parts.append(value / (1 - kappa * mean) ** turns)
        return sum(parts) / len(parts)

    bound = certificate.bound
    assert log(evidence(bound)) == pytest.approx(log(20), abs=1e-6)
    assert certificate.covers(bound - 1e-6)
    assert not certificate.covers(bound + 1e-6)


@given(st.integers(0, 5_000), st.lists(LOSS, max_size=30), PROBABILITY)
def test_more_clean_turns_lower_it_and_losses_raise_it(turns: int, losses: list[float], probability: float) -> None:
    before = audited(turns, losses, probability).bound
    more = audited(turns + 100, losses, probability).bound
    worse = audited(turns, [*losses, 1.0], probability).bound
    assert 0 <= more <= before <= worse <= 1


@given(st.integers(1, 5_000), LOSS, PROBABILITY)
def test_an_audit_counts_as_lost_until_it_is_settled(turns: int, loss: float, probability: float) -> None:
    waiting = Certificate(0.04, 0.05)
    waiting.served(turns)
    waiting.drawn(probability)
    assert waiting.bound == pytest.approx(audited(turns, [1.0], probability).bound)
    waiting.settled(probability, loss)
    assert waiting.bound == pytest.approx(audited(turns, [loss], probability).bound)


@pytest.mark.parametrize("probability", [0.039, 1.1])
def test_a_coin_outside_what_was_promised_is_refused(probability: float) -> None:
    with pytest.raises(ValueError, match="probability"):
        Certificate(0.04, 0.05).drawn(probability)


def test_a_loss_above_one_is_refused() -> None:
    certificate = Certificate(0.04, 0.05)
    with pytest.raises(ValueError, match="loss"):
        certificate.settled(0.04, 1.5)


def test_it_is_missed_less_often_than_promised_by_somebody_who_looks_after_every_turn() -> None:
    """A smaller run of `python -m tests.studies.certificate`, with room for chance."""
    chance, missed, runs = random.Random(5), 0, 200
    for _ in range(runs):
        certificate, rate, probability = Certificate(0.05, 0.05), 0.05, 0.25
        for _ in range(800):
            certificate.served()
            if chance.random() < probability:
                certificate.drawn(probability)
                certificate.settled(probability, float(chance.random() < rate))
            if not certificate.covers(rate):
                missed += 1
                break
    assert missed <= runs * 0.09
