"""The always-verify-model session beside the real one, turn by turn.

Rule: while the verify model's cache is what a verify-only session would have left behind, the baseline of a direct
turn *is* what was measured, so a verify-only session saves exactly nothing. A skipped turn parts the two: the shadow
session goes on using the verify model's cache, the real one lets it fall behind. Until the verify model has read the
conversation again (or both caches have lapsed), reads and writes are the shadow's. Whatever is not measured is said to
be estimated. An unknown price gives None.

Known limits: what conversations share in a cache is counted only as far as it was measured, and the shadow answers in
the words of the real session, so that prompts stay the same.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace

from rlmc.domain.chat import Usage
from rlmc.domain.money import Picodollars
from rlmc.domain.turn import Model, Outcome
from rlmc.pricing.cache import LIFE, CacheEntry, CacheRule, Ttl, rule_for
from rlmc.pricing.catalog import PriceTable

_LANES = 512


@dataclass(frozen=True, slots=True)
class TurnFacts:
    """One finished turn, as far as its baseline needs it. Enough to replay a session from a ledger, without content.

    `conversation` is what a prompt cache belongs to, `prefix` the part of it that shares a beginning (see
    `cache.prefix_of`). `at` is the start of the request in unix microseconds, `ttl` the longest lifetime among its
    cache markers. `verify_calls` are the verify model's own calls of this turn in order (None: it sent no usage); a
    call the provider refused bills nothing and is an empty `Usage`. Of a direct or enhanced turn the last one is the
    answer; of an accepted one, or before the last one of a direct turn, they carry `appended_chars` of draft and
    instruction behind the prompt. `draft` is the usage of the drafted answer, `answer_chars` the size of the answer
    the client received. `measured` is false when any usage here was reckoned because an answer broke off.
    """

    conversation: str
    at: int
    outcome: Outcome
    verify: Model
    ttl: Ttl | None
    prompt_chars: int
    verify_calls: tuple[Usage | None, ...] = ()
    draft: Usage | None = None
    appended_chars: int = 0
    answer_chars: int = 0
    measured: bool = True
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What the verify model alone would have cost on one turn. `usage` is None when its tokens cannot be told."""

    cost: Picodollars | None
    estimated: bool
    usage: Usage | None


@dataclass(frozen=True, slots=True)
class _Density:
    """Tokens and characters of one prompt the verify model read: turns characters into its tokens."""

    tokens: int
    chars: int

    def __call__(self, chars: int) -> int:
        return (chars * self.tokens + self.chars // 2) // self.chars


@dataclass(slots=True)
class _Lane:
    """The shadow's state for one beginning of one conversation. `head` is the shortest prompt seen: what a shortened
    prompt still has in common with the cache."""

    entry: CacheEntry | None = None
    parted: bool = False
    chars: int = 0
    head: int | None = None
    density: _Density | None = None


class Shadow:
    """The bounded state of verify-only sessions. Turns of one conversation are observed in the order they end."""

    def __init__(self, prices: PriceTable, lanes: int = _LANES) -> None:
        self._prices = prices
        self._limit = lanes
        self._lanes: OrderedDict[tuple[str, str, Model], _Lane] = OrderedDict()
        self._densities: OrderedDict[Model, _Density] = OrderedDict()

    def observe(self, facts: TurnFacts) -> Baseline:
        lane = self._lane(facts)
        if facts.outcome is Outcome.SKIPPED:
            usage, estimated = self._skipped(lane, facts), True
        else:
            usage, estimated = self._verified(lane, facts)
        if usage is None:
            return Baseline(None, True, None)
        return Baseline(self._prices.charge(facts.verify, usage, facts.at).cost, estimated, usage)

    # --- turns the verify model saw -------------------------------------------------------------------------------

    def _verified(self, lane: _Lane, facts: TurnFacts) -> tuple[Usage | None, bool]:
        last = facts.verify_calls[-1] if facts.verify_calls else None
        if last is None:
            # The verify model ran but nobody knows what it read: keep the shadow's clock, claim no figure.
            self._simulate(lane, facts, self._prompt(lane, facts))
            lane.parted = False
            return None, True
        direct = facts.outcome is Outcome.DIRECT
        asked = last if direct else _without_appendix(last, facts)
        if asked.prompt == 0:
            return asked, not facts.measured  # refused: nothing was billed and no cache was touched
        self._learn(lane, facts, asked)
        first = next((u for u in facts.verify_calls if u is not None and u.prompt > 0), asked)
        usage = self._split(lane, facts, asked, first)
        self._remember(lane, facts, usage)
        lane.parted = False
        if facts.outcome is Outcome.ACCEPTED:
            output = self._drafted_output(lane, facts)
            return (None if output is None else replace(usage, output=output, thinking=0)), True
        return usage, not (direct and facts.measured and usage == asked)

    def _split(self, lane: _Lane, facts: TurnFacts, asked: Usage, first: Usage) -> Usage:
        """The real prompt, with the cache reads and writes of the shadow.

        The shadow's cache holds at least what the real one does. A second call of the same turn reads what the first
        one wrote, so it is the first that shows what the cache held.
        """
        rule = rule_for(facts.verify)
        cacheable = _cacheable(asked, rule)
        warm = self._warm(lane, facts) if lane.parted else 0
        read = min(max(warm, first.cache_read), cacheable)
        if cacheable == 0 or read == asked.cache_read:
            return asked
        one_hour = facts.ttl == "1h" or (facts.ttl is None and asked.cache_write_1h > 0)
        written = cacheable - read
        return replace(
            asked,
            input=asked.prompt - cacheable,
            cache_read=read,
            cache_write_5m=0 if one_hour else written,
            cache_write_1h=written if one_hour else 0,
        )

    # --- turns it did not see -------------------------------------------------------------------------------------

    def _skipped(self, lane: _Lane, facts: TurnFacts) -> Usage | None:
        prompt = self._prompt(lane, facts)
        output = self._drafted_output(lane, facts)
        lane.parted = True
        usage = self._simulate(lane, facts, prompt)
        if usage is None or output is None:
            return None
        return replace(usage, output=output)

    def _simulate(self, lane: _Lane, facts: TurnFacts, prompt: int | None) -> Usage | None:
        if prompt is None:
            return None
        rule = rule_for(facts.verify)
        caches = (facts.ttl is not None or rule.automatic) and prompt >= rule.minimum
        read = min(self._warm(lane, facts), prompt) if caches else 0
        written = prompt - read if caches else 0
        one_hour = facts.ttl == "1h"
        usage = Usage(
            input=prompt - read - written,
            cache_read=read,
            cache_write_5m=0 if one_hour else written,
            cache_write_1h=written if one_hour else 0,
        )
        self._remember(lane, facts, usage)
        return usage

    def _prompt(self, lane: _Lane, facts: TurnFacts) -> int | None:
        """The prompt in the verify model's tokens. Its own count of this conversation tells best; then the draft's."""
        if lane.density is not None:
            return lane.density(facts.prompt_chars)
        if facts.draft is not None and facts.draft.prompt > 0:
            return facts.draft.prompt
        other = self._densities.get(facts.verify)
        return None if other is None else other(facts.prompt_chars)

    def _drafted_output(self, lane: _Lane, facts: TurnFacts) -> int | None:
        if facts.draft is not None:
            return facts.draft.output
        density = lane.density or self._densities.get(facts.verify)
        return None if density is None or facts.answer_chars == 0 else density(facts.answer_chars)

    # --- state ----------------------------------------------------------------------------------------------------

    def _warm(self, lane: _Lane, facts: TurnFacts) -> int:
        if lane.entry is None:
            return 0
        warm = lane.entry.warm(facts.at)
        if facts.prompt_chars < lane.chars and lane.head is not None:
            return min(warm, lane.head)  # compacted or rewound: only the beginning is still the same
        return warm

    def _remember(self, lane: _Lane, facts: TurnFacts, usage: Usage) -> None:
        lane.chars = facts.prompt_chars
        lane.head = usage.prompt if lane.head is None else min(lane.head, usage.prompt)
        rule = rule_for(facts.verify)
        tokens = _cacheable(usage, rule)
        if tokens > 0:
            life = rule.life if facts.ttl is None else LIFE[facts.ttl]
            used_at = facts.at if lane.entry is None else max(facts.at, lane.entry.used_at)
            lane.entry = CacheEntry(tokens, used_at, life)

    def _learn(self, lane: _Lane, facts: TurnFacts, asked: Usage) -> None:
        if facts.prompt_chars <= 0:
            return
        lane.density = _Density(asked.prompt, facts.prompt_chars)
        self._densities[facts.verify] = lane.density
        self._densities.move_to_end(facts.verify)
        if len(self._densities) > self._limit:
            self._densities.popitem(last=False)

    def _lane(self, facts: TurnFacts) -> _Lane:
        key = (facts.conversation, facts.prefix, facts.verify)
        lane = self._lanes.setdefault(key, _Lane())
        self._lanes.move_to_end(key)
        if len(self._lanes) > self._limit:
            self._lanes.popitem(last=False)
        return lane


def _cacheable(usage: Usage, rule: CacheRule) -> int:
    """How much of a prompt went through the cache. With automatic caches that is all of it, unless it is too short."""
    if rule.automatic:
        return usage.prompt if usage.prompt >= rule.minimum else 0
    return usage.prompt - usage.input


def _without_appendix(usage: Usage, facts: TurnFacts) -> Usage:
    """A verification's prompt without the draft behind it, which stands after the last cache marker."""
    chars = facts.prompt_chars + facts.appended_chars
    if facts.appended_chars <= 0 or chars <= 0:
        return usage
    appended = _Density(usage.prompt, chars)(facts.appended_chars)
    from_input = min(appended, usage.input)
    from_write = min(appended - from_input, usage.cache_write_5m)
    return replace(usage, input=usage.input - from_input, cache_write_5m=usage.cache_write_5m - from_write)
