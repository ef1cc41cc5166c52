"""How long an answer of the verify model is expected to be, and how far that may be off."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlmc.pricing.lengths import PRIOR_TOKENS, Lengths

kinds = st.sampled_from(["text", "read", "edit"])
answers = st.lists(st.tuples(kinds, st.integers(0, 20_000)), max_size=30)


def learnt(seen: list[tuple[str, int]]) -> Lengths:
    lengths = Lengths()
    for kind, tokens in seen:
        lengths.learn(kind, tokens)
    return lengths


def test_before_anything_is_known_the_hint_is_the_guess() -> None:
    assert learnt([]).usual() == PRIOR_TOKENS
    assert learnt([]).predict("text", None).tokens == PRIOR_TOKENS
    assert learnt([]).predict("text", 900).tokens == 900


def test_what_is_learnt_of_a_kind_outweighs_the_hint_in_the_end() -> None:
    lengths = learnt([("edit", 1_000)] * 100 + [("text", 50)] * 100)
    assert lengths.predict("edit", 10).tokens == pytest.approx(1_000, rel=0.05)
    assert lengths.predict("text", 10).tokens == pytest.approx(50, abs=5)


def test_a_kind_never_seen_is_taken_for_a_usual_answer() -> None:
    lengths = learnt([("text", 1_000)] * 10)
    assert lengths.predict("edit", None).tokens == round(lengths.usual()) == round((3 * 250 + 10_000) / 13)


def test_a_prediction_gets_surer_with_every_answer_like_the_last() -> None:
    widths = [learnt([("text", 250)] * n).predict("text", 250).bias for n in range(0, 60, 6)]
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] < widths[0] / 3


def test_answers_that_vary_leave_noise_even_when_their_mean_is_known() -> None:
    even = learnt([("text", 500)] * 200).predict("text", 500)
    uneven = learnt([("text", 100), ("text", 900)] * 100).predict("text", 500)
    assert uneven.tokens == pytest.approx(even.tokens, abs=10)
    assert uneven.noise**0.5 == pytest.approx(400, rel=0.1)
    assert even.noise < uneven.noise / 50


@given(answers, kinds, st.one_of(st.none(), st.integers(0, 20_000)))
def test_a_prediction_stands_between_all_that_speaks_for_it(
    seen: list[tuple[str, int]], kind: str, hint: int | None
) -> None:
    lengths = learnt(seen)
    found = lengths.predict(kind, hint)
    voices = [tokens for name, tokens in seen if name == kind] + [lengths.usual() if hint is None else hint]
    assert round(min(voices)) - 1 <= found.tokens <= round(max(voices)) + 1
    assert found.bias >= 0 and found.noise >= 0


@given(answers)
def test_the_order_of_the_answers_hardly_matters(seen: list[tuple[str, int]]) -> None:
    one, other = learnt(seen).predict("text", 300), learnt(seen[::-1]).predict("text", 300)
    assert abs(one.tokens - other.tokens) <= 1
    assert (one.bias, one.noise) == pytest.approx((other.bias, other.noise))
