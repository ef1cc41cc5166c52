"""The simulated cache beside bills: exact where a record goes by the rules, and what is not tested is not called so."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support.prices import HAIKU, MINUTE, NOBODY, OPUS, START, TABLE
from tests.support.recorded import call, task

from rlmc.domain.chat import Usage
from rlmc.replay.accuracy import ENOUGH, Accuracy
from rlmc.replay.prices import PricesOn
from rlmc.replay.prompts import lay_out
from rlmc.replay.recorded import RecordedCall

PRICES = PricesOn(TABLE, START, clock=True)


def measured(*sessions: list[RecordedCall], accuracy: Accuracy | None = None) -> Accuracy:
    found = accuracy or Accuracy()
    for number, calls in enumerate(sessions):
        found.add(lay_out(calls, b"%d" % number), PRICES)
    return found


def test_a_session_that_was_billed_by_the_rules_is_predicted_exactly() -> None:
    found = measured(task(10), task(4, gap=4 * MINUTE))
    assert (found.calls, found.sessions) == (14, 2)
    assert found.error == found.open_error == found.median_error == found.first_open_error == 0.0
    assert dict(found.kinds) == {"first": 2, "warm": 12}


def test_a_prefix_that_was_lost_is_given_and_counted() -> None:
    calls = task(4)
    calls[2] = replace(calls[2], cache_read=0, cache_write_5m=22_000)
    found = measured(calls)
    assert found.kinds["broken"] == 1
    assert found.error == 0.0
    assert found.open_error is not None and found.open_error < 0  # it did not see the loss coming


def test_a_cache_that_outlived_its_time_is_an_error() -> None:
    calls = task(2, gap=6 * MINUTE)  # billed as if it had been warm
    found = measured(calls)
    billed = TABLE.charge(OPUS, Usage(cache_read=20_000, cache_write_5m=20_000 + 1_000), START).cost
    wrong = TABLE.charge(OPUS, Usage(cache_write_5m=20_000 + 21_000), START).cost
    assert billed and wrong and found.error == pytest.approx(wrong / billed - 1)
    assert found.kinds["lapsed"] == 1


def test_what_others_had_cached_is_unknown_to_the_open_loop_alone() -> None:
    found = measured([call(follows="user", cache_read=15_000, cache_write_5m=5_000)])
    assert found.error == 0.0
    assert found.first_open_error is not None and found.first_open_error > 0


def test_the_session_in_the_middle_is_no_mean() -> None:
    odd = task(2, gap=6 * MINUTE)
    found = measured(task(3), task(3), odd)
    assert found.median_error == 0.0 and found.error is not None and found.error > 0


def test_only_billed_caches_and_known_prices_count() -> None:
    found = measured(task(3, cache="derived"), task(2, provider=NOBODY.provider, model=NOBODY.name))
    assert (found.calls, found.sessions, found.unpriced) == (0, 0, 2)
    assert found.error is None and found.median_error is None


def test_prices_may_be_those_of_one_model() -> None:
    own, given = measured(task(3)), measured(task(3), accuracy=Accuracy(HAIKU))
    bill = Usage(cache_read=20_000 + 21_000, cache_write_5m=20_000 + 2_000)
    assert own.billed == TABLE.charge(OPUS, bill, START).cost
    assert given.billed == TABLE.charge(HAIKU, bill, START).cost


def test_fewer_than_a_thousand_is_not_tested() -> None:
    found = measured(task(ENOUGH, grow=10))
    assert not found.tested("warm") and not found.tested("first")
    assert measured(task(2), accuracy=found).tested("warm")


def test_an_automatic_cache_that_is_short_by_a_block_has_lost_nothing() -> None:
    common = {"provider": "deepseek", "model": "deepseek-flash", "cache_write_5m": 0}
    first = call(**common, follows="user", input=20_000, cache_read=0)
    block = call(**common, at=START + MINUTE, input=1_300, cache_read=19_700)
    lost = call(**common, at=START + 2 * MINUTE, input=17_000, cache_read=5_000)
    found = measured([first, block, lost])
    assert dict(found.kinds) == {"first": 1, "warm": 1, "broken": 1}
    assert found.error == 0.0
