"""What two neighbouring prompts had in common, told from counts alone."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from tests.support.prices import MINUTE, SECOND
from tests.support.recorded import call, sessions, task

from rlmc.pricing.sides import places_of
from rlmc.replay.prompts import lay_out
from rlmc.replay.recorded import RecordedCall


def kinds(calls: list[RecordedCall]) -> list[str]:
    return [prompt.expected for prompt in lay_out(calls, b"t")]


def test_a_conversation_that_grows_is_first_and_then_warm() -> None:
    prompts = lay_out(task(4), b"t")
    assert [prompt.expected for prompt in prompts] == ["first", "warm", "warm", "warm"]
    assert [prompt.found for prompt in prompts] == [0, 20_000, 21_000, 22_000]
    assert [prompt.given for prompt in prompts] == [True, False, False, False]
    for one, next in pairwise(prompts):
        assert next.layout.digests[: len(one.layout.digests)] == one.layout.digests


def test_the_cache_lapses_with_its_lifetime_and_not_before() -> None:
    assert kinds(task(2, gap=5 * MINUTE - 1)) == ["first", "warm"]
    assert kinds(task(2, gap=5 * MINUTE)) == ["first", "lapsed"]
    long = [replace(one, cache_write_5m=0, cache_write_1h=one.cache_write_5m) for one in task(2, gap=59 * MINUTE)]
    assert kinds(long) == ["first", "warm"]


def test_a_lapsed_prompt_still_begins_like_the_one_before() -> None:
    lapsed = lay_out(task(2, gap=6 * MINUTE), b"t")[1]
    assert (lapsed.common, lapsed.found, lapsed.open_found) == (20_000, 0, 0)


def test_where_less_was_found_than_was_warm_the_prompts_part() -> None:
    calls = task(3)
    calls[2] = replace(calls[2], cache_read=8_000, cache_write_5m=14_000)
    parted = lay_out(calls, b"t")[2]
    assert (parted.expected, parted.given, parted.common, parted.found) == ("broken", True, 8_000, 8_000)
    assert parted.open_found == 21_000
    # The beginning both share has the same name in both, and bears a marker in the earlier one, too.
    earlier = lay_out(calls, b"t")[1]
    shared = set(earlier.layout.digests) & set(parted.layout.digests)
    assert {earlier.layout.chars[earlier.layout.digests.index(key)] for key in shared} == {8_000}
    assert {earlier.layout.digests[block] for block, _ in earlier.layout.marks} >= shared


def test_a_call_that_writes_nothing_leaves_the_lifetime_as_it_was() -> None:
    first = call(follows="user", cache_read=0, cache_write_5m=0, cache_write_1h=20_000)
    second = call(at=first.at + SECOND, cache_read=20_000, cache_write_5m=0)
    third = call(at=first.at + 30 * MINUTE, cache_read=20_000, cache_write_5m=0)
    assert [prompt.lifetime for prompt in lay_out([first, second, third], b"t")] == ["1h", "1h", "1h"]
    assert kinds([first, second, third])[2] == "warm"


def test_what_stands_behind_the_last_marker_is_each_prompts_own() -> None:
    first = call(follows="user", input=2, cache_read=0, cache_write_5m=20_000)
    second = call(at=first.at + SECOND, input=1, cache_read=20_000, cache_write_5m=0)
    one, next = lay_out([first, second], b"t")
    assert one.layout.digests[:-1] == next.layout.digests[:-1]
    assert one.layout.digests[-1] != next.layout.digests[-1]


def test_what_others_had_cached_is_named() -> None:
    prompt = lay_out([call(cache_read=5_000, cache_write_5m=1_000)], b"t")[0]
    assert prompt.head is not None and prompt.head in prompt.layout.digests
    assert lay_out([call(cache_read=0, cache_write_5m=1_000)], b"t")[0].head is None


@given(sessions())
def test_a_layout_is_a_prompt_with_ascending_places_and_known_ends(calls: list[RecordedCall]) -> None:
    for prompt in lay_out(calls, b"t"):
        layout = prompt.layout
        assert len(layout.digests) == len(layout.chars) == len(layout.positions) == len(set(layout.digests))
        assert list(layout.chars) == sorted(layout.chars)
        assert layout.chars[-1] == prompt.call.prompt
        assert [place.key for place in prompt.places] == list(layout.digests)
        assert 0 <= prompt.found <= prompt.through <= prompt.call.prompt


@given(sessions())
def test_places_taken_over_from_the_prompt_before_are_those_of_the_prompt(calls: list[RecordedCall]) -> None:
    prompts = lay_out(calls, b"t")
    assert [prompt.places for prompt in prompts] == [places_of(prompt.layout) for prompt in prompts]


def test_a_prompt_that_grows_takes_over_the_places_it_has_in_common() -> None:
    one, next = lay_out(task(6), b"t")[4:]
    assert [a is b for a, b in zip(one.places, next.places, strict=False)].count(True) >= 4
