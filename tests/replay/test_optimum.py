"""The best possible choice is never dearer than what a policy chose, and never breaks the policy's rules."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.prices import FLASH, HAIKU, NOBODY, OPUS, START, TABLE
from tests.support.recorded import conversations, task

from rlmc.cascade.policies import find
from rlmc.domain.effect import Effect
from rlmc.domain.turn import Model
from rlmc.replay.assumptions import Assumptions, assume
from rlmc.replay.optimum import optimum
from rlmc.replay.prices import PricesOn
from rlmc.replay.recorded import RecordedCall
from rlmc.replay.run import Pair, prepare, replay

PRICES = PricesOn(TABLE, START, clock=True)
CERTAIN = assume(["brief-accept=1", "verify-accept=1"])


def best(calls: list[RecordedCall], name: str, draft: Model = FLASH, assumptions: Assumptions = CERTAIN) -> float:
    policy = find(name)
    assert policy is not None
    found = optimum(prepare(calls, assumptions), policy, Pair(OPUS, draft), assumptions, PRICES)
    assert found is not None
    return found


def paid(calls: list[RecordedCall], name: str, draft: Model = FLASH, assumptions: Assumptions = CERTAIN) -> int:
    policy = find(name)
    assert policy is not None
    turns = replay(prepare(calls, assumptions), policy, Pair(OPUS, draft), assumptions, PRICES)
    return sum(turn.paid or 0 for turn in turns)


@settings(max_examples=150)
@given(conversations(), st.sampled_from(("balanced", "economy", "careful")), st.sampled_from((FLASH, HAIKU)))
def test_no_policy_does_better_than_the_best_choice_under_its_own_rules(
    calls: list[RecordedCall], name: str, draft: Model
) -> None:
    # Each amount is rounded by itself, so a picodollar a call may be missing.
    assert best(calls, name, draft) <= paid(calls, name, draft) + len(calls)


def test_a_session_that_must_go_direct_costs_what_verify_only_costs() -> None:
    calls = [replace(one, effect=Effect.UNSAFE) for one in task(5)]
    assert best(calls, "balanced") == paid(calls, "verify-only")


def test_a_session_of_reads_is_drafted_after_its_first_turn() -> None:
    calls = task(5)
    assert best(calls, "balanced") == paid(calls, "balanced") < paid(calls, "verify-only")


def test_it_never_wastes_a_draft() -> None:
    calls = task(6)
    calls[3] = replace(calls[3], effect=Effect.UNSAFE)
    assert best(calls, "balanced") < paid(calls, "balanced")


@pytest.mark.parametrize("draft", [FLASH, NOBODY])
def test_without_a_price_of_the_verify_model_there_is_none(draft: Model) -> None:
    policy = find("balanced")
    assert policy is not None
    assert optimum(prepare(task(3), CERTAIN), policy, Pair(NOBODY, draft), CERTAIN, PRICES) is None
