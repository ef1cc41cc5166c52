"""Which kinds open: the exact bound, the order, what is passed over, and how often a bad kind opens at all."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlmc.quality.chances import upper_rate
from rlmc.quality.opening import Labels, limit_of, needed, openings

ORDER = ("plan", "read", "shell-safe", "text", "edit")


def verdicts(*found: tuple[int, int], limit: float = 0.05) -> list[str]:
    """Of kinds with so many labels and worse ones."""
    labels = [Labels(f"kind-{n}", count, worse, float(worse)) for n, (count, worse) in enumerate(found)]
    return [one.verdict for one in openings(labels, limit, 0.95)]


def test_the_limit_is_wider_than_the_target() -> None:
    assert limit_of(0.02) == pytest.approx(0.05)
    assert limit_of(0.5) == 1.0


def test_59_labels_without_a_loss_open_5_percent() -> None:
    assert needed(0.05, 0.95) == 59
    assert verdicts((59, 0)) == ["open"]
    assert verdicts((58, 0)) == ["few"]
    assert verdicts((93, 1), (92, 1)) == ["open", "shut"]
    assert (needed(0.025, 0.95), needed(1.0, 0.95)) == (119, 1)


def test_the_first_failure_ends_the_test() -> None:
    assert verdicts((100, 0), (100, 9), (100, 0), (9, 0)) == ["open", "shut", "unreached", "few"]


def test_too_few_labels_are_passed_over_and_stay_shut() -> None:
    assert verdicts((0, 0), (40, 0), (100, 0)) == ["few", "few", "open"]
    # However many of them are losses: that has no part in whether a kind is tested.
    assert verdicts((40, 40), (100, 0)) == ["few", "open"]


def test_a_minor_loss_is_a_whole_one_to_the_test() -> None:
    (one,) = openings([Labels("edit", 60, 3, 0.75)], 0.05, 0.95)
    assert (one.verdict, one.labels.loss) == ("shut", 0.75)
    assert one.bound == upper_rate(3, 60, 0.95)


@given(st.floats(0.001, 0.9), st.floats(0.5, 0.999))
def test_as_many_as_needed_and_no_fewer(limit: float, confidence: float) -> None:
    enough = needed(limit, confidence)
    assert upper_rate(0, enough, confidence) <= limit
    assert enough == 1 or upper_rate(0, enough - 1, confidence) > limit


counts = st.integers(0, 300).flatmap(lambda count: st.tuples(st.just(count), st.integers(0, count)))


@given(st.lists(counts, max_size=6), st.floats(0.01, 0.5))
def test_nothing_opens_above_the_limit_or_behind_a_failure(found: list[tuple[int, int]], limit: float) -> None:
    labels = [Labels(f"{n}", count, worse, worse / 4) for n, (count, worse) in enumerate(found)]
    said = openings(labels, limit, 0.95)
    assert [one.labels for one in said] == labels
    assert all(one.bound <= limit for one in said if one.opened)
    ended = [n for n, one in enumerate(said) if one.verdict == "shut"]
    assert len(ended) <= 1
    assert not any(one.opened for one in said[(ended or [len(said)])[0] :])


@pytest.mark.parametrize("seed", range(4))
def test_a_bad_kind_opens_in_at_most_5_of_100_worlds(seed: int) -> None:
    """Worlds as unkind as can be: any kind may be just over the limit, sizes are anything, some are too small."""
    chance = Random(seed)
    limit, worlds, wrong = 0.05, 2_000, 0
    for _ in range(worlds):
        rates = [chance.choice((0.0, 0.01, 0.0501, 0.0501, 0.08)) for _ in ORDER]
        sizes = [chance.choice((20, 59, 93, 150, 200)) for _ in ORDER]
        found = [
            Labels(bucket, size, sum(chance.random() < rate for _ in range(size)), 0.0)
            for bucket, rate, size in zip(ORDER, rates, sizes, strict=True)
        ]
        said = openings(found, limit, 0.95)
        wrong += any(one.opened and rate > limit for one, rate in zip(said, rates, strict=True))
    # 5 % of so many, and three standard deviations: what holds is the rate, not the count of one simulation.
    assert wrong <= 0.05 * worlds + 3 * (worlds * 0.05 * 0.95) ** 0.5
    assert wrong > 0, "worlds in which nothing can go wrong test nothing"


def test_testing_every_kind_at_once_would_not_hold() -> None:
    """The simulation can fail: without an end at the first failure far more than 5 of 100 worlds have a bad kind."""
    chance = Random(1)
    wrong = 0
    for _ in range(1_000):
        worse = [sum(chance.random() < 0.0501 for _ in range(93)) for _ in ORDER]
        wrong += any(upper_rate(one, 93, 0.95) <= 0.05 for one in worse)
    assert wrong > 130
