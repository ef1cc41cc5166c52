"""What the verify model's cache would hold in a verify-only session, by conversation and beginning of the prompt.

Rule: a lane is one such beginning in one conversation; lanes with the same tools share a head. A skipped turn parts a
lane from the real session, a call of the verify model brings the two together again. Everything here is bounded.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from rlmc.domain.chat import Usage
from rlmc.domain.turn import Model
from rlmc.pricing.cache import LIFE, CacheEntry, CacheRule, rule_for
from rlmc.pricing.facts import TurnFacts


@dataclass(frozen=True, slots=True)
class Density:
    """Tokens and characters of one prompt the verify model read: turns characters into its tokens."""

    tokens: int
    chars: int

    def __call__(self, chars: int) -> int:
        return (chars * self.tokens + self.chars // 2) // self.chars


@dataclass(slots=True)
class Lane:
    """`shortest` is the shortest prompt seen: what a shortened prompt still has in common with the cache."""

    entry: CacheEntry | None = None
    parted: bool = False
    chars: int = 0
    shortest: int | None = None
    density: Density | None = None


@dataclass(slots=True)
class _Head:
    """What lanes have in common. `parted`: the shadow has used it since the real session last did."""

    entry: CacheEntry
    parted: bool = False


class Lanes:
    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lanes: OrderedDict[tuple[str, str, Model], Lane] = OrderedDict()
        self._heads: OrderedDict[tuple[str, Model], _Head] = OrderedDict()
        self._densities: OrderedDict[Model, Density] = OrderedDict()

    def __len__(self) -> int:
        return len(self._lanes)

    def of(self, facts: TurnFacts) -> Lane:
        key = (facts.conversation, facts.prefix, facts.verify)
        lane = self._lanes.setdefault(key, Lane())
        _keep(self._lanes, key, self._limit)
        return lane

    def density(self, lane: Lane, facts: TurnFacts) -> Density | None:
        """The conversation's own, else the newest of any conversation with this model."""
        return lane.density or self._densities.get(facts.verify)

    def learn(self, lane: Lane, facts: TurnFacts, prompt: int) -> None:
        if facts.prompt_chars > 0:
            lane.density = self._densities[facts.verify] = Density(prompt, facts.prompt_chars)
            _keep(self._densities, facts.verify, self._limit)

    def warm(self, lane: Lane, facts: TurnFacts) -> int:
        """How many tokens of this prompt the shadow finds cached."""
        head = self._head(facts)
        shared = 0 if head is None else head.entry.warm(facts.at)
        if lane.entry is None:
            return shared
        own = lane.entry.warm(facts.at)
        if facts.prompt_chars < lane.chars and lane.shortest is not None:
            own = min(own, lane.shortest)  # compacted or rewound: only the beginning is still the same
        return max(own, shared)

    def parted(self, lane: Lane, facts: TurnFacts) -> bool:
        """Whether the real session may find less than the shadow does."""
        if lane.parted or (lane.entry is not None and lane.entry.warm(facts.at)):
            return lane.parted
        head = self._head(facts)
        return head is not None and head.parted

    def remember(self, lane: Lane, facts: TurnFacts, usage: Usage, *, skipped: bool, found: int = 0) -> None:
        """The shadow has made this call. `found` is what the real call read from the cache: where it opened a lane,
        that is how long the head is; where nobody called, the shortest prompt stands for it."""
        rule = rule_for(facts.verify)
        tokens = cacheable(usage, rule)
        if tokens == 0:
            return  # nothing went through a cache, here or there
        life = rule.life if facts.ttl is None else LIFE[facts.ttl]
        self._share(facts, life, (found or usage.prompt) if lane.entry is None else None)
        used_at = facts.at if lane.entry is None else max(facts.at, lane.entry.used_at)
        lane.entry = CacheEntry(tokens, used_at, life)
        lane.chars = facts.prompt_chars
        lane.shortest = usage.prompt if lane.shortest is None else min(lane.shortest, usage.prompt)
        lane.parted = skipped
        head = self._head(facts)
        if head is not None:
            head.parted = skipped

    def _head(self, facts: TurnFacts) -> _Head | None:
        return self._heads.get((facts.prefix, facts.verify))

    def _share(self, facts: TurnFacts, life: int, common: int | None) -> None:
        head = self._head(facts)
        if head is not None:
            tokens = head.entry.tokens if common is None else min(common, head.entry.tokens)
            head.entry = CacheEntry(tokens, max(facts.at, head.entry.used_at), life)
        elif common is not None:
            self._heads[facts.prefix, facts.verify] = _Head(CacheEntry(common, facts.at, life))
        else:
            return
        _keep(self._heads, (facts.prefix, facts.verify), self._limit)


def cacheable(usage: Usage, rule: CacheRule) -> int:
    """How much of a prompt went through the cache. With automatic caches that is all of it, unless it is too short."""
    if rule.automatic:
        return usage.prompt if usage.prompt >= rule.minimum else 0
    return usage.prompt - usage.input


def _keep(kept: OrderedDict[Any, Any], newest: object, limit: int) -> None:
    kept.move_to_end(newest)
    while len(kept) > limit:
        kept.popitem(last=False)
