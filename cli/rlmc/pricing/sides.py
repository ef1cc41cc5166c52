"""What a session knows of each model's prompt caches: as they are, and as they would be had it answered everything.

Rule: bounded; models are kept apart, and of each the real cache and its shadow share one scale of tokens.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from rlmc.domain.chat import Usage
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
        self._sides: OrderedDict[Model, Side] = OrderedDict()

    def of(self, model: Model) -> Side:
        side = self._sides.get(model)
        if side is None:
            real, shadow, drafting = (PromptCache(rule_for(model)) for _ in range(3))
            side = self._sides[model] = Side(model, real, shadow, drafting, TokenScale(self._ratio))
            while len(self._sides) > _MODELS:
                self._sides.popitem(last=False)
        self._sides.move_to_end(model)
        return side

    def outline(
        self, layout: Layout, models: tuple[Model, ...], at: int, places: Sequence[Place] | None = None
    ) -> Outline:
        """The places of a prompt that any of these models' caches may be concerned with. `places` are those of all its
        blocks, where somebody has them at hand."""
        if not layout.digests:
            return Outline()
        keys = layout.digests
        wanted: set[int | None] = {len(keys) - 1, *(block for block, _ in layout.marks)}
        for model in models:
            # Of each, the last one matters: what is longer holds all that is shorter.
            side = self.of(model)
            wanted.update(cache.last_held(keys, at) for cache in (side.real, side.shadow, side.drafting) if len(cache))
            wanted.add(side.scale.last_known(keys))
        chosen = sorted(n for n in wanted if n is not None)
        if places is not None:
            return Outline(tuple([places[n] for n in chosen]), layout.markers)
        marks = dict(layout.marks)
        return Outline(tuple([_place(layout, n, marks.get(n)) for n in chosen]), layout.markers)


def places_of(layout: Layout, before: Sequence[Place] = ()) -> tuple[Place, ...]:
    """The places of all blocks of a prompt. Those `before`, of another prompt, serve again where they are the same."""
    marks, known, found = dict(layout.marks), {place.key: place for place in before}, []
    for n, (key, size, position) in enumerate(zip(layout.digests, layout.chars, layout.positions, strict=True)):
        mark, old = marks.get(n), known.get(key)
        same = old is not None and (old.block, old.position, old.size, old.mark) == (n, position, size, mark)
        found.append(old if old is not None and same else Place(key, n, position, size, mark))
    return tuple(found)


def _place(layout: Layout, block: int, mark: Lifetime | None) -> Place:
    return Place(layout.digests[block], block, layout.positions[block], layout.chars[block], mark)
