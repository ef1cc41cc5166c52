"""Prompts as caches see them, written down as the tokens up to each place: four characters a token."""

from __future__ import annotations

from collections.abc import Mapping

from rlmc.domain.layout import Lifetime
from rlmc.domain.outline import Outline, Place
from rlmc.pricing.cache import PromptCache

CHARS = 4
RATIO = 1 / CHARS


def outline(
    *ends: int,
    marks: Mapping[int, Lifetime] | Lifetime | None = "5m",
    of: str = "c",
    markers: int | None = None,
    positions: Mapping[int, int] | None = None,
) -> Outline:
    """A prompt with places at these tokens. `marks` says what is marked up to where; one word marks the end.

    Prompts `of` the same conversation have the same beginnings. A place stands as far from the start as it has places
    before it, or where `positions` says.
    """
    if not isinstance(marks, Mapping):
        marks = {} if marks is None else {ends[-1]: marks}
    places = tuple(
        Place(
            key=f"{of} {end}".encode(),
            block=n,
            position=(positions or {}).get(end, n),
            size=end * CHARS,
            mark=marks.get(end),
        )
        for n, end in enumerate(ends)
    )
    return Outline(places, len(marks) if markers is None else markers)


def warm(cache: PromptCache, end: int, at: int, *, of: str = "c") -> bool:
    """Whether the cache holds an entry for exactly this beginning."""
    return cache.newest(outline(end, of=of), at) is not None


def tokens(of: Outline) -> tuple[int, ...]:
    return tuple(place.size // CHARS for place in of.places)
