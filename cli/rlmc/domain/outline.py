"""What remains of a prompt's layout once only the places that matter to its caches are kept.

Rule: everything a cache decision needs and nothing a prompt could be told from, so that it can be kept in the ledger
and a session's decisions be made again from there.
"""

from __future__ import annotations

from dataclasses import replace

from rlmc.domain.frozen import dataclass
from rlmc.domain.layout import Lifetime


@dataclass(frozen=True, slots=True)
class Place:
    """A block's end. `key` names the prompt's beginning up to here, `block` is the block's number, `position` where it
    stands for a cache that looks back, `size` the beginning's length in characters, `mark` the marker it bears."""

    key: bytes
    block: int
    position: int
    size: int
    mark: Lifetime | None = None


@dataclass(frozen=True, slots=True)
class Outline:
    """Places in the order of the prompt; the last is its end. `markers` counts those the request spends, also on blocks
    that are no places here."""

    places: tuple[Place, ...] = ()
    markers: int = 0

    @property
    def size(self) -> int:
        return self.places[-1].size if self.places else 0

    @property
    def lifetime(self) -> Lifetime | None:
        """The longest lifetime among the markers, None without any."""
        marks = {p.mark for p in self.places}
        return "1h" if "1h" in marks else "5m" if "5m" in marks else None

    def marked(self, block: int, lifetime: Lifetime) -> Outline:
        """The same with one more marker."""
        places = tuple(replace(p, mark=lifetime) if p.block == block else p for p in self.places)
        return Outline(places, self.markers + 1)
