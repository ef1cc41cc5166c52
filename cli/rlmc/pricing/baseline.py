"""The always-verify-model session beside the real one, turn by turn, and the draft-only session beside both.

Rule: while the verify model's cache is what a verify-only session would have left behind, the baseline of a direct
turn *is* what was measured, so a verify-only session saves exactly nothing. A turn the verify model did not see parts
the two: the shadow session goes on using its cache, the real one lets it fall behind. Reads and writes are then the
shadow's until both find the same again. Whatever is not measured is said to be estimated, and how far it may be off.

Known limit: the shadow answers in the words of the real session, so that prompts stay the same.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from rlmc.domain.chat import Usage
from rlmc.domain.outcome import Outcome
from rlmc.pricing.cache import Split
from rlmc.pricing.facts import TurnFacts
from rlmc.pricing.lengths import Length, Lengths
from rlmc.pricing.sides import Side, Sides

__all__ = ["Alone", "Shadows", "TurnFacts"]


class Alone(NamedTuple):
    """What one model alone would have used on a turn. `usage` is None when its tokens cannot be told.

    `bias` and `noise` say how far the output may be off, in tokens: the first adds up over turns, of the second (a
    variance) the root is taken of the sum.
    """

    usage: Usage | None
    estimated: bool
    bias: float = 0.0
    noise: float = 0.0


class Shadows(NamedTuple):
    verify: Alone
    draft: Alone


def observe(facts: TurnFacts, sides: Sides, lengths: Lengths) -> Shadows:
    """Book one finished turn into the caches, real and shadow. Turns are observed in the order they end."""
    verify = _verify(facts, sides.of(facts.verify), lengths)
    draft = Alone(None, True)
    if facts.draft_model is not None and facts.draft_model != facts.verify:
        draft = _draft(facts, sides.of(facts.draft_model), verify.usage)
    return Shadows(verify, draft)


# --- the verify model -------------------------------------------------------------------------------------------------


def _verify(facts: TurnFacts, side: Side, lengths: Lengths) -> Alone:
    tokens = side.scale.tokens(facts.outline)
    real, shadow = (
        side.real.split(facts.outline, tokens, facts.at),
        side.shadow.split(facts.outline, tokens, facts.at),
    )
    if not facts.verify_calls:
        if facts.outcome is Outcome.DIRECT:
            return Alone(None, True)  # the client went before anything was asked: nobody knows what would have been
        return _unseen(facts, side, shadow, lengths)
    last = facts.verify_calls[-1]
    if last is None:
        # The verify model ran but nobody knows what it read: keep the caches' clocks, claim no figure.
        side.real.use(facts.outline, facts.at)
        side.shadow.use(facts.outline, facts.at)
        return Alone(None, True)
    own = facts.outcome in (Outcome.DIRECT, Outcome.ENHANCED)
    asked = last if facts.outcome is Outcome.DIRECT else _without_appendix(last, facts)
    if asked.prompt == 0:
        return Alone(asked, not facts.measured)  # refused: nothing was billed and no cache was touched
    # A second call of the same turn reads what the first one wrote, so it is the first that shows what there was.
    first = next((u for u in facts.verify_calls if u is not None and u.prompt > 0), asked)
    same = (real.hit is None) == (shadow.hit is None) and real.read == shadow.read
    usage = _shadowed(asked, first.cache_read, None if same else real, shadow, side)
    lost = real.hit is not None and first.cache_read < real.read - max(256, real.read // 20)
    # What a second call read was written by the first, and is no count of what the cache held before.
    side.learn(facts.outline, asked, real.hit if asked.cache_read == first.cache_read else None)
    side.real.use(facts.outline, facts.at, lost=lost)
    side.shadow.use(facts.outline, facts.at, lost=lost and same)
    if own:
        measured = facts.outcome is Outcome.DIRECT and facts.measured and (usage is asked or usage == asked)
        return Alone(usage, not measured)
    length = _length(facts, lengths)
    return Alone(replace(usage, output=length.tokens, thinking=0), True, length.bias, length.noise)


def _unseen(facts: TurnFacts, side: Side, shadow: Split, lengths: Lengths) -> Alone:
    """A turn the verify model did not see: the shadow answers it all the same."""
    if not facts.outline.places:
        return Alone(None, True)
    length = _length(facts, lengths)
    usage = shadow.usage(length.tokens)
    if not side.scale.learnt and facts.draft is not None and facts.draft.prompt > 0:
        usage = _resized(usage, facts.draft.prompt)  # the draft's count is a better guess than none
    side.shadow.use(facts.outline, facts.at)
    return Alone(usage, True, length.bias, length.noise)


def _length(facts: TurnFacts, lengths: Lengths) -> Length:
    if facts.known_output is not None:
        return Length(facts.known_output, 0.0, 0.0)
    hint = None if facts.draft is None else facts.draft.output
    return lengths.predict(facts.kind or "text", hint)


def _shadowed(asked: Usage, found: int, real: Split | None, shadow: Split, side: Side) -> Usage:
    """The real prompt with the reads and writes the shadow would have had. `real` is what the real cache was expected
    to hold, None where both hold the same. The shadow holds more, but for what was only kept warm for the real one."""
    # An automatic cache takes the whole prompt, and mostly reports what it did not find as plain input.
    plain = side.real.rule.automatic and asked.cache_write_5m == asked.cache_write_1h == 0
    through = asked.prompt if plain else asked.prompt - asked.input
    if real is not None:
        found = max(shadow.read, found) if real.read <= shadow.read else shadow.read + max(0, found - real.read)
    read = min(found, through)
    if through == 0 or read == asked.cache_read:
        return asked
    if plain:
        return replace(asked, input=asked.prompt - read, cache_read=read)
    more = read - asked.cache_read
    # What lives longer stands first, so it is the first to be read and the first to be missed.
    long = min(more, asked.cache_write_1h) if more > 0 else -min(-more, shadow.write_1h)
    return replace(
        asked,
        cache_read=read,
        cache_write_5m=asked.cache_write_5m - (more - long),
        cache_write_1h=asked.cache_write_1h - long,
    )


def _resized(usage: Usage, prompt: int) -> Usage:
    """The same division of a prompt of another length."""
    whole = usage.prompt
    if whole == 0:
        return Usage(prompt, output=usage.output)
    read = usage.cache_read * prompt // whole
    short = usage.cache_write_5m * prompt // whole
    long = usage.cache_write_1h * prompt // whole
    return Usage(prompt - read - short - long, read, short, long, usage.output)


def _without_appendix(usage: Usage, facts: TurnFacts) -> Usage:
    """A verification's prompt without the draft behind it, which stands after the last cache marker."""
    chars = facts.outline.size + facts.appended_chars
    if facts.appended_chars <= 0 or chars <= 0:
        return usage
    appended = (facts.appended_chars * usage.prompt + chars // 2) // chars
    from_input = min(appended, usage.input)
    from_write = min(appended - from_input, usage.cache_write_5m)
    return replace(usage, input=usage.input - from_input, cache_write_5m=usage.cache_write_5m - from_write)


# --- the draft model --------------------------------------------------------------------------------------------------


def _draft(facts: TurnFacts, side: Side, verify: Usage | None) -> Alone:
    """The draft-only session. Its own measured figures serve where it was asked; elsewhere it answers in as many tokens
    as the verify model did."""
    if not facts.outline.places:
        return Alone(None, True)
    tokens = side.scale.tokens(facts.outline)
    shadow = side.drafting.split(facts.outline, tokens, facts.at)
    asked = facts.draft if facts.draft is not None and facts.draft.prompt > 0 else None
    if asked is not None:
        real = side.real.split(facts.outline, tokens, facts.at)
        same = real.read == shadow.read
        lost = real.hit is not None and asked.cache_read < real.read - max(256, real.read // 20)
        usage = _shadowed(asked, asked.cache_read, None if same else real, shadow, side)
        side.learn(facts.outline, asked, real.hit)
        side.real.use(facts.outline, facts.at, lost=lost)
        side.drafting.use(facts.outline, facts.at, lost=lost and same)
        return Alone(usage, usage != asked)
    if facts.asked_draft and facts.draft is None:
        side.real.use(facts.outline, facts.at)  # it may well have read the prompt before it fell silent
    side.drafting.use(facts.outline, facts.at)
    if verify is None:
        return Alone(None, True)
    usage = shadow.usage(verify.output)
    if not side.scale.learnt and verify.prompt > 0:
        usage = _resized(usage, verify.prompt)
    return Alone(usage, True)
