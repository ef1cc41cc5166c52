"""What a session knows of each model's prompt caches: as they are, and as they would be had it answered everything.

Rule: bounded; models are kept apart, and of each the real cache and its shadow share one scale of tokens.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from rlmc.domain.chat import Usage
from rlmc.domain.frozen import dataclass
from rlmc.domain.layout import Layout, Lifetime
from rlmc.domain.outline import Outline, Place
from rlmc.domain.turn import Model
from rlmc.pricing.cache import Hit, PromptCache, rule_for
from rlmc.pricing.scale import DEFAULT_TOKENS_PER_CHAR, TokenScale

_MODELS = 32


@dataclass(slots=True)
class Side:
    """One model: `real` is its cache as the session uses it, `shadow` as if the model had answered every turn of which
    it was the verify model, `drafting` as if it had answered those of which it was the draft model."""

    model: Model
    real: PromptCache
    shadow: PromptCache
    drafting: PromptCache
    scale: TokenScale

    def learn(self, outline: Outline, usage: Usage, hit: Hit | None) -> None:
        """The model's provider has counted this prompt, whose real cache was expected to `hit`."""
        self.scale.learn(outline, usage, None if hit is None else hit.place, automatic=self.real.rule.automatic)


class Sides:
    def __init__(self, tokens_per_char: float = DEFAULT_TOKENS_PER_CHAR) -> None:
        self._ratio = tokens_per_char
        self._sides: OrderedDict[tuple[str, str], Side] = OrderedDict()

    def of(self, model: Model) -> Side:
        key = (model.provider, model.name)  # a tuple's hash is far cheaper than a model's
        side = self._sides.get(key)
        if side is None:
            real, shadow, drafting = (PromptCache(rule_for(model)) for _ in range(3))
            side = self._sides[key] = Side(model, real, shadow, drafting, TokenScale(self._ratio))
            while len(self._sides) > _MODELS:
                self._sides.popitem(last=False)
        self._sides.move_to_end(key)
        return side

    def outline(
        self, layout: Layout, models: tuple[Model, ...], at: int, places: Sequence[Place] | None = None
    ) -> Outline:
        """The places of a prompt that any of these models' caches may be concerned with. `places` are those of all its
        blocks, where somebody has them at hand."""
        if not layout.digests:
            return Outline()
        keys = layout.digests
        wanted: set[int | None] = {len(keys) - 1, *[block for block, _ in layout.marks]}
        for model in models:
            # Of each, the last one matters: what is longer holds all that is shorter.
            side = self.of(model)
            wanted.add(side.real.last_held(keys, at))
            wanted.add(side.shadow.last_held(keys, at))
            wanted.add(side.drafting.last_held(keys, at))
            wanted.add(side.scale.last_known(keys))
        chosen = sorted([n for n in wanted if n is not None])
        if places is not None:
            return Outline(tuple([places[n] for n in chosen]), layout.markers)
        marks = dict(layout.marks)
        return Outline(tuple([_place(layout, n, marks.get(n)) for n in chosen]), layout.markers)


def places_of(layout: Layout, before: Layout | None = None, places: Sequence[Place] = ()) -> tuple[Place, ...]:
    """The places of all blocks of a prompt. `places` are those of a prompt `before` it: what both begin with serves
    again."""
    same = 0 if before is None else _same(layout, before)
    marks = dict(layout.marks)
    return (*places[:same], *[_place(layout, n, marks.get(n)) for n in range(same, len(layout.digests))])


def _same(one: Layout, other: Layout) -> int:
    """With how many blocks both begin; a prompt that goes on from another may change what its last marker bore."""
    most = min(len(one.digests), max(0, len(other.digests) - 1), *(block for block, _ in {*one.marks} ^ {*other.marks}))
    alike = all(a[:most] == b[:most] for a, b in zip(_columns(one), _columns(other), strict=True))
    return most if alike else 0


def _columns(layout: Layout) -> tuple[tuple[object, ...], ...]:
    return layout.digests, layout.chars, layout.positions


def _place(layout: Layout, block: int, mark: Lifetime | None) -> Place:
    return Place(layout.digests[block], block, layout.positions[block], layout.chars[block], mark)
