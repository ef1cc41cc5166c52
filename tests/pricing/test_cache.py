"""What is known of the providers' caches: what stays warm how long, what a request finds, what it writes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.billing import CachingBiller, count
from tests.support.billing import _lay_out as billed
from tests.support.outlines import outline, tokens, warm
from tests.support.prices import FLASH, HOUR, MINUTE, OPUS, SECOND, START

from rlmc.domain.chat import Usage
from rlmc.domain.layout import Layout, Lifetime
from rlmc.domain.outline import Outline, Place
from rlmc.domain.turn import Model
from rlmc.pricing.cache import LIFE, MOST_MARKERS, PromptCache, Split, marker_for, rule_for, split
from rlmc.pricing.sides import Sides
from rlmc.wire.anthropic.request import decode_request

Json = dict[str, Any]
lifetimes: list[Lifetime] = ["5m", "1h"]


def opus() -> PromptCache:
    return PromptCache(rule_for(OPUS))


def asked(cache: PromptCache, of: Outline, at: int, *, lost: bool = False) -> Split:
    """What the request reads and writes; then it has been sent."""
    found = split(cache, of, tokens(of), at)
    cache.use(of, at, lost=lost)
    return found


def read(found: Split) -> tuple[int, int, int, int]:
    return found.read, found.write_5m, found.write_1h, found.input


@pytest.mark.parametrize(
    ("model", "minimum"),
    [
        ("anthropic/claude-opus-5-5", 512),
        ("anthropic/claude-opus-5", 512),
        ("anthropic/claude-opus-4-8", 1024),
        ("anthropic/claude-opus-4-7", 2048),
        ("anthropic/claude-opus-4-6", 4096),
        ("anthropic/claude-opus-4-5-20251101", 4096),
        ("anthropic/claude-sonnet-5-5", 512),
        ("anthropic/claude-sonnet-5", 1024),
        ("anthropic/claude-sonnet-4-6", 1024),
        ("anthropic/claude-haiku-5-5", 512),
        ("anthropic/claude-haiku-4-5", 4096),
        ("anthropic/claude-fable-5-2", 512),
        ("anthropic/claude-unheard-of", 1024),
        ("openrouter/anthropic/claude-opus-5.5", 512),
        ("sim/verify", 512),
    ],
)
def test_claude_caches_what_is_marked_from_a_least_length_on(model: str, minimum: int) -> None:
    rule = rule_for(Model(*model.split("/", 1)))
    assert (rule.minimum, rule.automatic) == (minimum, False)


@pytest.mark.parametrize("model", ["deepseek/deepseek-flash", "openai/gpt-6-luna", "moonshot/kimi-k3"])
def test_other_providers_cache_by_themselves(model: str) -> None:
    assert rule_for(Model(*model.split("/", 1))).automatic


# --- how long an entry lives -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("lifetime", lifetimes)
def test_an_entry_lives_from_the_start_of_its_last_use(lifetime: Lifetime) -> None:
    life = 5 * MINUTE if lifetime == "5m" else HOUR
    assert LIFE[lifetime] == life
    first = outline(10_000, marks=lifetime)
    for gap, alive in ((-1, True), (0, True), (life - 1, True), (life, False)):
        cache = opus()
        asked(cache, first, START)
        assert (split(cache, first, tokens(first), START + gap).read == 10_000) is alive


@pytest.mark.parametrize("lifetime", lifetimes)
def test_a_read_starts_an_entry_s_life_anew(lifetime: Lifetime) -> None:
    cache, first, life = opus(), outline(10_000, marks=lifetime), LIFE[lifetime]
    asked(cache, first, START)
    for n in range(1, 5):
        assert asked(cache, first, START + n * (life - 1)).read == 10_000
    assert asked(cache, first, START + 4 * (life - 1) + life).read == 0


def test_a_request_that_is_booked_late_makes_no_entry_older() -> None:
    cache, first = opus(), outline(10_000)
    asked(cache, first, START + 4 * MINUTE)
    asked(cache, first, START)
    assert cache.find(first, START + 8 * MINUTE) is not None


def test_a_clock_that_is_set_back_finds_no_entry_of_the_time_ahead() -> None:
    """It would be warm for as long as the clock was ahead."""
    cache, first = opus(), outline(10_000)
    asked(cache, first, START + 87_600 * HOUR)
    assert asked(cache, first, START).read == 0
    assert asked(cache, first, START + MINUTE).read == 10_000


def test_each_marker_writes_with_its_own_lifetime() -> None:
    cache = opus()
    mixed = outline(4_000, 10_000, marks={4_000: "1h", 10_000: "5m"})
    assert read(asked(cache, mixed, START)) == (0, 6_000, 4_000, 0)
    later = START + 6 * MINUTE
    assert read(asked(cache, mixed, later)) == (4_000, 6_000, 0, 0), "the shorter one has lapsed, the longer has not"
    assert asked(cache, mixed, later + HOUR).read == 0


def test_a_hit_says_how_long_it_still_lives() -> None:
    cache, first = opus(), outline(10_000, marks="1h")
    asked(cache, first, START)
    hit = cache.find(first, START + 10 * MINUTE)
    assert hit is not None
    assert (hit.place, hit.left, hit.life) == (0, 50 * MINUTE, HOUR)


# --- what a request finds and writes ---------------------------------------------------------------------------------


def test_a_longer_prompt_reads_what_an_earlier_one_wrote_and_writes_the_rest() -> None:
    cache = opus()
    assert read(asked(cache, outline(10_000), START)) == (0, 10_000, 0, 0)
    assert read(asked(cache, outline(10_000, 13_000), START + SECOND)) == (10_000, 3_000, 0, 0)
    assert read(asked(cache, outline(10_000, of="other"), START + SECOND)) == (0, 10_000, 0, 0)


def test_entries_are_written_at_marks_only() -> None:
    cache = opus()
    asked(cache, outline(4_000, 10_000, 12_000, marks={10_000: "5m"}), START)
    assert [warm(cache, end, START) for end in (4_000, 10_000, 12_000)] == [False, True, False]
    behind = outline(4_000, 10_000, 12_000, marks={10_000: "5m"})
    assert split(cache, behind, tokens(behind), START).input == 2_000, "what stands behind the last mark is plain input"


def test_without_a_marker_nothing_is_read_or_written() -> None:
    cache = opus()
    asked(cache, outline(10_000), START)
    assert read(asked(cache, outline(10_000, marks=None), START + SECOND)) == (0, 0, 0, 10_000)
    assert len(cache) == 1


@pytest.mark.parametrize(("size", "read_again"), [(511, 0), (512, 512)])
def test_a_prompt_below_the_least_length_is_not_cached(size: int, read_again: int) -> None:
    cache, short = opus(), outline(size)
    first = asked(cache, short, START)
    assert (first.write_5m, first.input) == ((size, 0) if read_again else (0, size))
    assert asked(cache, short, START + SECOND).read == read_again


def test_a_marker_below_the_least_length_is_passed_over_and_the_next_one_writes_it_all() -> None:
    both = outline(300, 2_000, marks={300: "1h", 2_000: "5m"})
    assert read(asked(opus(), both, START)) == (0, 2_000, 0, 0)


@pytest.mark.parametrize(("behind", "found"), [(19, True), (20, False)])
def test_a_marker_looks_back_over_twenty_places_itself_included(behind: int, found: bool) -> None:
    cache = opus()
    asked(cache, outline(10_000), START)
    longer = outline(10_000, 30_000, positions={10_000: 5, 30_000: 5 + behind})
    assert (asked(cache, longer, START + SECOND).read == 10_000) is found


def test_a_marker_in_between_reaches_what_the_last_one_does_not() -> None:
    cache = opus()
    asked(cache, outline(10_000), START)
    helped = outline(
        10_000,
        20_000,
        30_000,
        marks={20_000: "5m", 30_000: "5m"},
        positions={10_000: 5, 20_000: 20, 30_000: 40},
    )
    assert read(asked(cache, helped, START + SECOND)) == (10_000, 20_000, 0, 0)


def test_an_entry_that_only_an_earlier_marker_finds_is_kept_alive_too() -> None:
    cache = opus()
    both = outline(4_000, 10_000, marks={4_000: "5m", 10_000: "5m"})
    asked(cache, both, START)
    asked(cache, both, START + 4 * MINUTE)
    rewound = outline(4_000, 9_000, marks={9_000: "5m"})
    assert asked(cache, rewound, START + 8 * MINUTE).read == 4_000


def test_automatic_caches_need_no_markers_and_look_back_all_the_way() -> None:
    cache = PromptCache(rule_for(FLASH))
    bare = outline(10_000, marks=None)
    assert read(asked(cache, bare, START)) == (0, 10_000, 0, 0)
    far = outline(10_000, 30_000, marks=None, positions={10_000: 5, 30_000: 500})
    assert read(asked(cache, far, START + 50 * MINUTE)) == (10_000, 20_000, 0, 0)
    assert asked(cache, far, START + 110 * MINUTE).read == 0
    short = outline(1_023, marks=None, of="short")
    assert read(asked(cache, short, START)) == read(asked(cache, short, START)) == (0, 0, 0, 1_023)


def test_a_break_takes_the_entry_that_was_expected_and_no_other() -> None:
    cache = opus()
    asked(cache, outline(4_000, 10_000, marks={4_000: "5m", 10_000: "5m"}), START)
    longer = outline(4_000, 10_000, 13_000, marks={4_000: "5m", 13_000: "5m"})
    asked(cache, longer, START + SECOND, lost=True)
    assert not warm(cache, 10_000, START + SECOND)
    assert warm(cache, 4_000, START + SECOND) and warm(cache, 13_000, START + SECOND)


def test_a_break_is_one_also_where_two_markers_expected_the_same_entry() -> None:
    cache = opus()
    asked(cache, outline(10_000), START)
    longer = outline(10_000, 12_000, 13_000, marks={12_000: "5m", 13_000: "5m"})
    asked(cache, longer, START + SECOND, lost=True)
    assert not warm(cache, 10_000, START + SECOND)


def test_an_empty_prompt_is_nothing() -> None:
    assert read(asked(opus(), Outline(), START)) == (0, 0, 0, 0)


def test_an_entry_of_somebody_else_s_is_found_like_an_own_one() -> None:
    cache = opus()
    cache.seed(b"c 10000", START, LIFE["1h"])
    assert asked(cache, outline(10_000, 11_000), START + 30 * MINUTE).read == 10_000


def test_a_cache_is_bounded() -> None:
    cache = opus()
    for n in range(5_000):
        asked(cache, outline(10_000, of=str(n)), START)
    assert len(cache) == 4096
    assert not warm(cache, 10_000, START, of="0") and warm(cache, 10_000, START, of="4999")


# --- the marker without which nothing is found -----------------------------------------------------------------------


def far(marks: Mapping[int, Lifetime] | Lifetime | None = "5m", markers: int | None = None) -> Outline:
    """A prompt that has grown out of its last marker's reach of what it once was."""
    positions = {2_000: 0, 10_000: 5, 30_000: 40}
    return outline(2_000, 10_000, 30_000, marks=marks, markers=markers, positions=positions)


def grown(lifetime: Lifetime = "5m") -> PromptCache:
    cache = opus()
    asked(cache, outline(2_000, 10_000, marks=lifetime), START)
    return cache


def test_what_is_out_of_reach_gets_a_marker_and_is_then_found() -> None:
    cache = grown()
    assert split(cache, far(), tokens(far()), START).read == 0
    marker = marker_for(cache, far(), START)
    assert marker == (1, "5m")
    sent = far().marked(*marker)
    assert sent.markers == 2
    assert read(split(cache, sent, tokens(sent), START)) == (10_000, 20_000, 0, 0)
    assert marker_for(cache, sent, START) is None


def test_what_is_in_reach_or_not_there_gets_none() -> None:
    near = outline(2_000, 10_000, 13_000)
    assert marker_for(grown(), near, START) is None
    assert marker_for(opus(), far(), START) is None
    assert marker_for(grown(), far(), START + 5 * MINUTE) is None, "it has lapsed"
    assert marker_for(grown(), far(None), START) is None, "a request that caches nothing is left alone"
    assert marker_for(PromptCache(rule_for(FLASH)), far(), START) is None


@pytest.mark.parametrize(("spent", "possible"), [(1, True), (3, True), (4, False), (5, False)])
def test_a_request_never_gets_a_fifth_marker(spent: int, possible: bool) -> None:
    assert (marker_for(grown(), far(markers=spent), START) is not None) is possible


def test_a_marker_lives_as_long_as_what_it_finds_and_as_what_stands_behind_it() -> None:
    assert marker_for(grown("1h"), far(), START) == (1, "1h")
    assert marker_for(grown("5m"), far("1h"), START) == (1, "1h"), "a shorter life may not stand before a longer one"
    assert marker_for(grown("5m"), far({2_000: "1h", 30_000: "5m"}), START) == (1, "5m")
    assert marker_for(grown("1h"), far({2_000: "5m", 30_000: "5m"}), START) is None, "nor a longer one behind a shorter"


ends = st.lists(st.integers(1, 60), min_size=1, max_size=12, unique=True).map(lambda n: sorted(e * 600 for e in n))
anything: list[Lifetime | None] = [None, "5m", "1h"]
marks_of = st.lists(st.sampled_from(anything), min_size=12, max_size=12)


@st.composite
def outlines(draw: st.DrawFn, ordered: bool = False) -> Outline:
    """Any prompt; `ordered`: as a provider takes it, at most four markers, longer lives before shorter ones."""
    places = draw(ends)
    marks: dict[int, Lifetime | None] = dict(zip(places, draw(marks_of), strict=False))
    if ordered:
        kept = [end for end in places if marks[end]][:MOST_MARKERS]
        long = sum(marks[end] == "1h" for end in kept)
        marks = {end: "1h" if n < long else "5m" for n, end in enumerate(kept)}
    steps = draw(st.lists(st.integers(1, 15), min_size=len(places), max_size=len(places)))
    positions = {end: sum(steps[:n]) for n, end in enumerate(places)}
    said = {end: mark for end, mark in marks.items() if mark is not None}
    return outline(*places, marks=said, of=draw(st.sampled_from("ab")), positions=positions)


@given(st.lists(outlines(ordered=True), max_size=5), outlines(ordered=True), st.integers(0, 90))
def test_a_marker_never_breaks_the_provider_s_rules_and_never_makes_less_be_found(
    before: list[Outline], now: Outline, minutes: int
) -> None:
    cache, at = opus(), START + minutes * MINUTE
    for one in before:
        cache.use(one, START)
    marker = marker_for(cache, now, at)
    if marker is None:
        return
    sent = now.marked(*marker)
    lives = [place.mark for place in sent.places if place.mark is not None]
    assert sent.markers == len(lives) <= MOST_MARKERS
    assert lives == sorted(lives, key=("1h", "5m").index)
    plain, helped = (split(cache, one, tokens(one), at) for one in (now, sent))
    assert helped.read >= plain.read
    newest = cache.newest(now, at)
    assert newest is not None and helped.read == tokens(now)[newest.place]


@given(st.lists(outlines(), max_size=6), outlines(), st.integers(0, 90), st.sampled_from([OPUS, FLASH]))
def test_a_prompt_is_divided_without_rest_and_never_negatively(
    before: list[Outline], now: Outline, minutes: int, model: Model
) -> None:
    cache = PromptCache(rule_for(model))
    for one in before:
        cache.use(one, START)
    found = split(cache, now, tokens(now), START + minutes * MINUTE)
    assert min(read(found)) >= 0
    assert sum(read(found)) == found.prompt == tokens(now)[-1]
    assert found.usage(7) == Usage(found.input, found.read, found.write_5m, found.write_1h, 7)


# --- beside a provider that was written apart ------------------------------------------------------------------------

MARK: dict[str, Json] = {
    "5m": {"cache_control": {"type": "ephemeral"}},
    "1h": {"cache_control": {"type": "ephemeral", "ttl": "1h"}},
}
steps = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 100, 299, 300, 301, 1_000, 3_599, 3_600, 4_000]),  # seconds since the request before
        st.lists(st.integers(1, 4), min_size=1, max_size=14),  # rounds of so many tool calls
        st.integers(0, 4_000),  # characters of each result
        st.booleans(),  # the user speaks once more
        st.booleans(),  # another model, with a cache of its own
    ),
    min_size=1,
    max_size=7,
)


def body(messages: list[Json], lives: tuple[Lifetime, Lifetime], second: int | None) -> Json:
    """A request as an agent sends it: markers behind the system text and at the end, and one where it last ended."""
    sent = [json.loads(json.dumps(m)) for m in messages]
    for n in {len(sent) - 1} if second is None else {len(sent) - 1, second}:
        sent[n]["content"][-1] |= MARK[lives[1]]
    rules = {"type": "text", "text": "You are an agent. " * 150, **MARK[lives[0]]}
    return {"model": "m", "max_tokens": 9, "system": [rules], "messages": sent}


def as_billed(sent: Json) -> tuple[Layout, dict[bytes, int]]:
    """The product's layout of a request, and the provider's count of tokens up to each of its blocks."""
    blocks, _, _ = billed(sent)
    counts = [sum(count(b) for b in blocks[: n + 1]) for n in range(len(blocks))]
    # The provider's model counts the choice of tools as a block of its own, behind the system text.
    ends = [*counts[:1], *counts[2:]]
    layout = decode_request(json.dumps(sent).encode()).layout
    assert len(layout.digests) == len(ends)
    return layout, dict(zip(layout.digests, ends, strict=True))


@pytest.mark.parametrize("whole", [True, False], ids=["all places", "only those that matter"])
@given(conversation=steps, lives=st.sampled_from([("5m", "5m"), ("1h", "5m"), ("1h", "1h")]), twice=st.booleans())
@settings(max_examples=80, deadline=None)
def test_reads_and_writes_are_those_of_an_independent_provider(
    whole: bool, conversation: list[Any], lives: tuple[Lifetime, Lifetime], twice: bool
) -> None:
    now = [0]
    biller, sides = CachingBiller(clock=lambda: now[0]), Sides()
    messages: list[Json] = [{"role": "user", "content": [{"type": "text", "text": "Look at the project."}]}]
    ended: int | None = None
    for seconds, rounds, size, speaks, other in conversation:
        now[0] += seconds
        for calls in rounds:
            made = [f"t{len(messages)}_{n}" for n in range(calls)]
            asked_for = [{"type": "tool_use", "id": i, "name": "Read", "input": {"path": i}} for i in made]
            came = [{"type": "tool_result", "tool_use_id": i, "content": "x" * size} for i in made]
            messages += [{"role": "assistant", "content": asked_for}, {"role": "user", "content": came}]
        if speaks:
            messages[-1]["content"].append({"type": "text", "text": "And now the next one."})
        sent = body(messages, lives, ended if twice else None)
        sent["model"] = "claude-opus-5-5" if not other else "claude-haiku-5-5"
        ended = len(messages) - 1
        model, at = Model("anthropic", sent["model"]), START + now[0] * SECOND
        layout, counts = as_billed(sent)
        # The block apart takes a place, too.
        layout = replace(layout, positions=tuple(p + (n > 0) for n, p in enumerate(layout.positions)))
        seen = sides.outline(layout, (model,), at) if not whole else every_place(layout)
        bill, begun = biller.open(sent)
        cache = sides.of(model).real
        found = split(cache, seen, tuple(counts[place.key] for place in seen.places), at)
        assert read(found) == (bill.cache_read, bill.cache_write_5m, bill.cache_write_1h, bill.input)
        begun()
        cache.use(seen, at)


def every_place(layout: Layout) -> Outline:
    marks = dict(layout.marks)
    rows = zip(layout.digests, layout.positions, layout.chars, strict=True)
    return Outline(tuple(Place(key, n, at, size, marks.get(n)) for n, (key, at, size) in enumerate(rows)), len(marks))


used = st.lists(
    st.tuples(
        st.integers(0, 70 * MINUTE),
        st.lists(st.sampled_from([None, "5m", "1h"]), min_size=1, max_size=4),
        st.sampled_from(["use", "lost", "seed"]),
    ),
    max_size=6,
)


@given(used, st.sampled_from([OPUS, FLASH]), st.integers(-10 * MINUTE, 70 * MINUTE))
def test_the_last_entry_that_lives_is_found_however_long_the_pause(
    uses: list[tuple[int, list[Lifetime | None], str]], model: Model, later: int
) -> None:
    cache, at, keys = PromptCache(rule_for(model)), START, [b"%d" % n for n in range(4)]
    for gap, marks, what in uses:
        at += gap
        if what == "seed":
            cache.seed(keys[len(marks) - 1], at, LIFE[marks[-1] or "5m"])
        else:
            places = tuple(Place(keys[n], n, n, 9_000 * (n + 1), mark) for n, mark in enumerate(marks))
            cache.use(Outline(places, len(marks)), at, lost=what == "lost")
        for moment in (at, at + later, at + 5 * MINUTE, at + 60 * MINUTE):
            alive = [n for n, key in enumerate(keys) if cache.holds(key, moment)]
            assert cache.last_held(keys, moment) == (alive[-1] if alive else None)
