"""What a session knows of each model's caches, and which places of a prompt that makes worth keeping."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.support.outlines import RATIO
from tests.support.prices import FLASH, HAIKU, MINUTE, OPUS, START

from rlmc.domain.chat import Usage
from rlmc.domain.layout import Layout, Mark
from rlmc.domain.outline import Outline, Place
from rlmc.domain.turn import Model
from rlmc.pricing.cache import PromptCache, split
from rlmc.pricing.sides import Sides

BLOCKS = 40
MODELS = (OPUS, FLASH)


def layout(blocks: int = BLOCKS, *marks: Mark, markers: int | None = None) -> Layout:
    return Layout(
        digests=tuple(b"%d" % n for n in range(blocks)),
        chars=tuple((n + 1) * 4_000 for n in range(blocks)),
        positions=tuple(range(blocks)),
        marks=marks,
        messages=(0,),
        markers=len(marks) if markers is None else markers,
    )


def blocks_of(of: Outline) -> list[int]:
    return [place.block for place in of.places]


def test_each_model_has_its_own_caches_and_one_scale() -> None:
    sides = Sides(RATIO)
    side = sides.of(OPUS)
    assert sides.of(OPUS) is side
    assert len({id(cache) for cache in (side.real, side.shadow, side.drafting)}) == 3
    assert (side.scale.ratio, side.real.rule) == (RATIO, side.shadow.rule)
    assert sides.of(FLASH).real.rule.automatic and not side.real.rule.automatic


def test_models_are_bounded_and_the_one_used_last_stays() -> None:
    sides = Sides()
    kept = sides.of(OPUS)
    for n in range(60):
        sides.of(Model("p", str(n)))
        assert sides.of(OPUS) is kept
    first = sides.of(Model("p", "59"))
    for n in range(100, 140):
        sides.of(Model("p", str(n)))
    assert sides.of(Model("p", "59")) is not first


def test_of_a_prompt_nobody_knows_only_the_marks_and_the_end_matter() -> None:
    found = Sides().outline(layout(BLOCKS, (3, "1h"), (20, "5m"), markers=3), MODELS, START)
    assert blocks_of(found) == [3, 20, 39]
    assert [place.mark for place in found.places] == ["1h", "5m", None]
    assert (found.markers, found.size) == (3, BLOCKS * 4_000)
    assert Sides().outline(Layout(), MODELS, START) == Outline()


def test_the_longest_beginning_any_cache_holds_is_a_place() -> None:
    sides = Sides()
    for number, cache in enumerate((sides.of(OPUS).real, sides.of(OPUS).shadow, sides.of(FLASH).drafting)):
        cache.seed(b"%d" % (10 + number), START, 5 * MINUTE)
        cache.seed(b"5", START, 5 * MINUTE)
    assert blocks_of(sides.outline(layout(), MODELS, START)) == [10, 11, 12, 39]
    assert blocks_of(sides.outline(layout(), (FLASH,), START)) == [12, 39], "of the models that are asked for"
    assert blocks_of(sides.outline(layout(), MODELS, START + 5 * MINUTE)) == [39], "what has lapsed is no place"


def test_the_longest_beginning_that_was_counted_is_a_place_even_when_it_is_cold() -> None:
    sides = Sides()
    sides.of(OPUS).real.use(sides.outline(layout(8, (7, "5m")), MODELS, START), START)
    sides.of(OPUS).learn(sides.outline(layout(8, (7, "5m")), MODELS, START), Usage(cache_write_5m=8_000), None)
    assert blocks_of(sides.outline(layout(), MODELS, START + 9 * MINUTE)) == [7, 39]


@given(
    st.lists(st.tuples(st.integers(1, BLOCKS), st.integers(0, 9), st.sampled_from([OPUS, HAIKU, FLASH])), max_size=8),
    st.integers(1, BLOCKS),
)
def test_the_places_kept_are_enough_for_what_the_newest_entry_decides(
    asked: list[tuple[int, int, Model]], blocks: int
) -> None:
    """A prompt that bears one marker, at its end, reads the same by its outline as by all of its blocks."""
    sides, at = Sides(RATIO), START
    for length, minutes, model in asked:
        at += minutes * MINUTE
        for cache in (sides.of(model).real, sides.of(model).shadow):
            cache.use(sides.outline(layout(length, (length - 1, "5m")), (model,), at), at)
    now = layout(blocks, (blocks - 1, "5m"))
    for model in (OPUS, HAIKU, FLASH):
        side = sides.of(model)
        found = sides.outline(now, (OPUS, HAIKU, FLASH), at)
        hit = split(side.real, found, side.scale.tokens(found), at).hit
        warm = [n for n in range(blocks) if _alive(side.real, n, at)]
        reach = [n for n in warm if side.real.rule.automatic or blocks - 1 - n < 20]
        assert (None if hit is None else found.places[hit.place].block) == (max(reach) if reach else None)


def _alive(cache: PromptCache, block: int, at: int) -> bool:
    return cache.newest(Outline((Place(b"%d" % block, block, block, 1),)), at) is not None
