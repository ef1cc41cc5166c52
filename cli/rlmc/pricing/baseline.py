"""The always-verify-model session beside the real one, turn by turn.

Rule: while the verify model's cache is what a verify-only session would have left behind, the baseline of a direct
turn *is* what was measured, so a verify-only session saves exactly nothing. A skipped turn parts the two: the shadow
session goes on using the verify model's cache, the real one lets it fall behind. Until the verify model has read the
conversation again (or both caches have lapsed), reads and writes are the shadow's. Whatever is not measured is said to
be estimated. An unknown price gives None.

Known limit: the shadow answers in the words of the real session, so that prompts stay the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from rlmc.domain.chat import Usage
from rlmc.domain.money import Picodollars
from rlmc.domain.turn import Outcome
from rlmc.pricing.cache import rule_for
from rlmc.pricing.catalog import PriceTable
from rlmc.pricing.facts import TurnFacts
from rlmc.pricing.lanes import Density, Lane, Lanes, cacheable

__all__ = ["Baseline", "Shadow", "TurnFacts"]

_LANES = 512


@dataclass(frozen=True, slots=True)
class Baseline:
    """What the verify model alone would have cost on one turn. `usage` is None when its tokens cannot be told."""

    cost: Picodollars | None
    estimated: bool
    usage: Usage | None


class Shadow:
    """The bounded state of verify-only sessions. Turns of one conversation are observed in the order they end."""

    def __init__(self, prices: PriceTable, limit: int = _LANES) -> None:
        self._prices = prices
        self._lanes = Lanes(limit)

    def observe(self, facts: TurnFacts) -> Baseline:
        lane = self._lanes.of(facts)
        if facts.outcome is Outcome.SKIPPED:
            usage, estimated = self._skipped(lane, facts), True
        else:
            usage, estimated = self._verified(lane, facts)
        if usage is None:
            return Baseline(None, True, None)
        return Baseline(self._prices.charge(facts.verify, usage, facts.at).cost, estimated, usage)

    # --- turns the verify model saw -------------------------------------------------------------------------------

    def _verified(self, lane: Lane, facts: TurnFacts) -> tuple[Usage | None, bool]:
        last = facts.verify_calls[-1] if facts.verify_calls else None
        if last is None:
            # The verify model ran but nobody knows what it read: keep the shadow's clock, claim no figure.
            self._simulate(lane, facts, skipped=False)
            return None, True
        direct = facts.outcome is Outcome.DIRECT
        asked = last if direct else _without_appendix(last, facts)
        if asked.prompt == 0:
            return asked, not facts.measured  # refused: nothing was billed and no cache was touched
        self._lanes.learn(lane, facts, asked.prompt)
        first = next((u for u in facts.verify_calls if u is not None and u.prompt > 0), asked)
        usage = self._split(lane, facts, asked, first)
        self._lanes.remember(lane, facts, usage, skipped=False, found=first.cache_read)
        if facts.outcome is Outcome.ACCEPTED:
            output = self._drafted_output(lane, facts)
            return (None if output is None else replace(usage, output=output, thinking=0)), True
        return usage, not (direct and facts.measured and usage == asked)

    def _split(self, lane: Lane, facts: TurnFacts, asked: Usage, first: Usage) -> Usage:
        """The real prompt, with the cache reads and writes of the shadow.

        The shadow's cache holds at least what the real one does. A second call of the same turn reads what the first
        one wrote, so it is the first that shows what the cache held.
        """
        through_cache = cacheable(asked, rule_for(facts.verify))
        warm = self._lanes.warm(lane, facts) if self._lanes.parted(lane, facts) else 0
        read = min(max(warm, first.cache_read), through_cache)
        if through_cache == 0 or read == asked.cache_read:
            return asked
        one_hour = facts.ttl == "1h" or (facts.ttl is None and asked.cache_write_1h > 0)
        written = through_cache - read
        return replace(
            asked,
            input=asked.prompt - through_cache,
            cache_read=read,
            cache_write_5m=0 if one_hour else written,
            cache_write_1h=written if one_hour else 0,
        )

    # --- turns it did not see -------------------------------------------------------------------------------------

    def _skipped(self, lane: Lane, facts: TurnFacts) -> Usage | None:
        output = self._drafted_output(lane, facts)
        usage = self._simulate(lane, facts, skipped=True)
        return None if usage is None or output is None else replace(usage, output=output)

    def _simulate(self, lane: Lane, facts: TurnFacts, *, skipped: bool) -> Usage | None:
        prompt = self._prompt(lane, facts)
        if prompt is None:
            lane.parted = skipped
            return None
        rule = rule_for(facts.verify)
        caches = (facts.ttl is not None or rule.automatic) and prompt >= rule.minimum
        read = min(self._lanes.warm(lane, facts), prompt) if caches else 0
        written = prompt - read if caches else 0
        one_hour = facts.ttl == "1h"
        usage = Usage(
            input=prompt - read - written,
            cache_read=read,
            cache_write_5m=0 if one_hour else written,
            cache_write_1h=written if one_hour else 0,
        )
        self._lanes.remember(lane, facts, usage, skipped=skipped)
        return usage

    def _prompt(self, lane: Lane, facts: TurnFacts) -> int | None:
        """The prompt in the verify model's tokens. Its own count of this conversation tells best; then the draft's."""
        if lane.density is None and facts.draft is not None and facts.draft.prompt > 0:
            return facts.draft.prompt
        density = self._lanes.density(lane, facts)
        return None if density is None else density(facts.prompt_chars)

    def _drafted_output(self, lane: Lane, facts: TurnFacts) -> int | None:
        if facts.draft is not None:
            return facts.draft.output
        density = self._lanes.density(lane, facts)
        return None if density is None or facts.answer_chars == 0 else density(facts.answer_chars)


def _without_appendix(usage: Usage, facts: TurnFacts) -> Usage:
    """A verification's prompt without the draft behind it, which stands after the last cache marker."""
    chars = facts.prompt_chars + facts.appended_chars
    if facts.appended_chars <= 0 or chars <= 0:
        return usage
    appended = Density(usage.prompt, chars)(facts.appended_chars)
    from_input = min(appended, usage.input)
    from_write = min(appended - from_input, usage.cache_write_5m)
    return replace(usage, input=usage.input - from_input, cache_write_5m=usage.cache_write_5m - from_write)
