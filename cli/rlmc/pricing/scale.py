"""How many tokens of a model the beginnings of a prompt are: exact where its provider has counted them, else reckoned.

Rule: a count the provider has billed is never doubted; what lies between two counts is reckoned by the newest ratio of
tokens to characters.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from rlmc.domain.chat import Usage
from rlmc.domain.outline import Outline

DEFAULT_TOKENS_PER_CHAR = 1 / 3.4
_SIZES = 4096


class TokenScale:
    """One model's. `learnt` is false until the provider has counted a prompt."""

    def __init__(self, ratio: float = DEFAULT_TOKENS_PER_CHAR) -> None:
        self.ratio = ratio
        self.learnt = False
        self._sizes: OrderedDict[bytes, int] = OrderedDict()
        self._last: tuple[Outline, tuple[int, ...]] | None = None  # a turn asks several times

    def knows(self, key: bytes) -> bool:
        return key in self._sizes

    def last_known(self, keys: Sequence[bytes]) -> int | None:
        """Which of these is the last one whose tokens the provider has counted."""
        sizes = self._sizes
        if not sizes:
            return None
        for n in range(len(keys) - 1, -1, -1):
            if keys[n] in sizes:
                return n
        return None

    def tokens(self, outline: Outline) -> tuple[int, ...]:
        """The tokens up to each place, never falling."""
        last = self._last
        if last is not None and last[0] is outline:
            return last[1]
        counts: list[int] = []
        base, size, floor = 0, 0, 0
        sizes, ratio = self._sizes, self.ratio
        for place in outline.places:
            count = sizes.get(place.key)
            if count is None:
                count = base + round((place.size - size) * ratio)
            else:
                base, size = count, place.size
            if count > floor:
                floor = count
            counts.append(floor)
        found = tuple(counts)
        self._last = (outline, found)
        return found

    def learn(self, outline: Outline, usage: Usage, hit: int | None, *, automatic: bool) -> None:
        """The provider has counted this prompt; `hit` is the place up to which it was expected to be cached. What goes
        through an `automatic` cache ends at the prompt's end, whatever markers the prompt bears for another model."""
        prompt = usage.prompt
        if not outline.places or prompt <= 0 or outline.size <= 0:
            return
        ratio = min(2.0, max(0.05, prompt / outline.size))
        if ratio != self.ratio:
            self.ratio, self._last = ratio, None
        self.learnt = True
        through = prompt - usage.input
        marked = None
        if not automatic:
            for place in reversed(outline.places):
                if place.mark is not None:
                    marked = place
                    break
        if through > 0 and marked is not None:
            self._put(marked.key, through)
        if hit is not None:
            key, counted = outline.places[hit].key, usage.cache_read
            # Mostly it is what was counted when this beginning was written.
            if self._sizes.get(key) == counted or _near(counted, self.tokens(outline)[hit]):
                self._put(key, counted)
        if through <= 0 or marked is None or marked.key != outline.places[-1].key:
            self._put(outline.places[-1].key, prompt)

    def _put(self, key: bytes, tokens: int) -> None:
        if self._sizes.get(key) != tokens:
            self._last = None
        self._sizes[key] = tokens
        self._sizes.move_to_end(key)
        while len(self._sizes) > _SIZES:
            self._sizes.popitem(last=False)


def _near(counted: int, expected: int) -> bool:
    """Whether a count can be that of the expected place, rather than of a shorter one."""
    return counted > 0 and abs(counted - expected) <= max(256, expected // 5)
