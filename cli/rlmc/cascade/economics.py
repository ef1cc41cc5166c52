"""What a turn is expected to cost if it is skipped, verified, or sent to the verify model directly.

Rules: expected costs decide, both models' caches included; they are decision values and never summed up as a saving. A
skipped turn leaves a debt: what the verify model did not read it must write when it is asked again, and its cache may
lapse meanwhile. A turn the draft model reads is a credit of the same kind: it need not write that later. A draft may
turn out to be wasted; that is paid for. Anything with an unknown price has no expectation.

All amounts are picodollars, tokens are counts, times are seconds.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from rlmc.domain.frozen import dataclass
from rlmc.domain.price import Price
from rlmc.pricing.cache import Split
from rlmc.pricing.gaps import outlives

# Chances that a model is asked again in the same conversation: nearly every session goes on, and every task begins with
# the verify model. On recorded sessions the result hardly depends on either between 0.7 and 1.
AGAIN_VERIFY = 0.9
AGAIN_DRAFT = 0.9
# What a verification adds to a prompt beside the draft, and what its verdict takes, thinking included.
INSTRUCTION_TOKENS = 120
VERDICT_TOKENS = 60
_SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Side:
    """One model's view of the turn: how its prompt divides, its price at this moment and length (None: unknown), and
    how long the cache entry it finds, or would write, lives."""

    split: Split
    price: Price | None
    life: int


@dataclass(frozen=True, slots=True)
class Expectations:
    """`waste` is the chance that the draft may not be released and `unsafe` that it is a call only the verify model may
    make; `output` and `draft_output` are tokens; `accept` and `accept_brief` the chances that a verification lets the
    draft stand. `brief_tokens` is how long a brief verification may be."""

    waste: float
    unsafe: float
    output: float
    draft_output: float
    accept: float
    accept_brief: float
    brief_tokens: int


@dataclass(frozen=True, slots=True)
class Prospect:
    """Expected costs of the turn; None where a price is unknown.

    `direct`: the verify model alone. `skipped`: try a draft and serve it, go direct where it may not be served.
    `verified`: try a draft and have it verified. `draft` is the draft call alone, `debt` what skipping leaves to pay,
    `credit` what the draft's reading spares later, `brief` a brief verification. `warm` is whether the verify model
    still finds its cache, or has none to find. `waste` is the chance the draft is for nothing. With a draft at hand its
    length is known: an answer of the verify model's own would hardly be shorter.
    """

    direct: int | None = None
    skipped: int | None = None
    verified: int | None = None
    draft: int = 0
    debt: int = 0
    credit: int = 0
    brief: int = 0
    verify_input: int = 0
    output: float = 0.0
    warm: bool = False
    accept: float = 0.0
    accept_brief: float = 0.0
    waste: float = 0.0
    verify_price: Price | None = None

    @property
    def known(self) -> bool:
        return self.direct is not None and self.skipped is not None

    @property
    def pays(self) -> bool:
        """Whether a draft is expected to cost less than it saves."""
        return self.direct is not None and self.skipped is not None and self.skipped < self.direct

    @property
    def gain(self) -> int | None:
        """What trying a draft and serving it is expected to save."""
        return None if self.direct is None or self.skipped is None else self.direct - self.skipped

    def gain_of(self, draft_tokens: int) -> int | None:
        """With a draft of this length at hand and paid: what serving it is expected to save against a direct turn."""
        direct = self.answering(draft_tokens)
        return None if direct is None else direct - self.debt

    def answering(self, draft_tokens: int) -> int | None:
        """With a draft of this length at hand: what a direct answer is expected to cost."""
        price = self.verify_price
        return None if price is None else round(self.verify_input + price.output * max(self.output, draft_tokens))

    def verification(self, draft_tokens: int) -> int | None:
        """With a draft of this length at hand: what having it verified on the whole prompt is expected to cost."""
        price = self.verify_price
        if price is None:
            return None
        reading = price.input * (draft_tokens + INSTRUCTION_TOKENS) + price.output * VERDICT_TOKENS
        own = price.output * max(self.output, draft_tokens)
        return round(self.verify_input + reading + (1 - self.accept) * own)

    def brief_verification(self, draft_tokens: int) -> int | None:
        """With a draft of this length at hand: what having it verified on a compact context is expected to cost."""
        direct = self.answering(draft_tokens)
        if direct is None:
            return None
        return round(self.brief + self.accept_brief * self.debt + (1 - self.accept_brief) * direct)


class Weighed(NamedTuple):
    """A side as far as no chance decides: what reading the prompt costs, and what that leaves for `later`: a debt where
    the verify model does not read it, a credit where the draft model does. `warm` is as in `Prospect`."""

    price: Price
    input: int
    later: float
    warm: bool


def weigh_verify(side: Side) -> Weighed | None:
    """None where the price is unknown."""
    price, split = side.price, side.split
    if price is None:
        return None
    return Weighed(price, _input(split, price), _debt(side, price), split.read > 0 or split.through == 0)


def weigh_draft(side: Side) -> Weighed | None:
    price, split = side.price, side.split
    return None if price is None else Weighed(price, _input(split, price), _credit(side, price), split.read > 0)


def prospect(verify: Side, draft: Side | None, expect: Expectations, *, waste_is_verified: bool = False) -> Prospect:
    weighed = None if draft is None else weigh_draft(draft)
    return expected(weigh_verify(verify), weighed, expect, waste_is_verified=waste_is_verified)


def expected(
    verify: Weighed | None, draft: Weighed | None, expect: Expectations, *, waste_is_verified: bool
) -> Prospect:
    """`waste_is_verified`: the policy has unsafe drafts verified on a compact context instead of throwing them away."""
    if verify is None:
        return Prospect()
    price, verify_input, debt, warm = verify
    answer = price.output * expect.output
    direct = verify_input + answer
    brief = price.input * (expect.brief_tokens + expect.draft_output) + price.output * VERDICT_TOKENS
    if draft is None:
        return Prospect(
            direct=round(direct),
            brief=round(brief),
            verify_input=verify_input,
            output=expect.output,
            warm=warm,
            accept=expect.accept,
            accept_brief=expect.accept_brief,
            waste=expect.waste,
            verify_price=price,
        )
    drafting, credit = draft.input + draft.price.output * expect.draft_output, draft.later
    trying = drafting - credit
    lost = max(0.0, expect.waste - (expect.unsafe if waste_is_verified else 0.0))
    judged = expect.waste - lost
    by_brief = brief + expect.accept_brief * debt + (1 - expect.accept_brief) * direct
    skipped = trying + (1 - expect.waste) * debt + judged * min(by_brief, direct) + lost * direct
    reading = price.input * (expect.draft_output + INSTRUCTION_TOKENS) + price.output * VERDICT_TOKENS
    verified = trying + verify_input + reading + (1 - expect.accept) * answer
    return Prospect(
        direct=round(direct),
        skipped=round(skipped),
        verified=round(verified),
        draft=round(drafting),
        debt=round(debt),
        credit=round(credit),
        brief=round(brief),
        verify_input=verify_input,
        output=expect.output,
        warm=warm,
        accept=expect.accept,
        accept_brief=expect.accept_brief,
        waste=expect.waste,
        verify_price=price,
    )


def _input(split: Split, price: Price) -> int:
    cached = (
        split.read * price.cache_read + split.write_5m * price.cache_write_5m + split.write_1h * price.cache_write_1h
    )
    return split.input * price.input + cached


def _write_price(side: Side, price: Price) -> int:
    return price.cache_write_1h if side.split.write_1h > side.split.write_5m else price.cache_write_5m


@lru_cache(maxsize=16)
def _lapses(life: float) -> float:
    """The chance that the next pause is longer than an entry lives; there are but a few lifetimes."""
    return outlives("tool-results", life)


def _debt(side: Side, price: Price) -> float:
    """What is paid later because the verify model does not read this turn: the new part is written then instead of
    read, and the old part as well if its entry lapses only because nobody refreshed it now."""
    split = side.split
    life = side.life / _SECOND
    left = split.hit.left / _SECOND if split.hit is not None and split.read else 0.0
    lapses_anyway = _lapses(life)
    lapses_skipped = outlives("tool-results", left) if left else 1.0
    new = split.through - split.read
    dearer = max(0, _write_price(side, price) - price.cache_read)
    return AGAIN_VERIFY * dearer * ((1 - lapses_anyway) * new + max(0.0, lapses_skipped - lapses_anyway) * split.read)


def _credit(side: Side, price: Price) -> float:
    split = side.split
    dearer = max(0, _write_price(side, price) - price.cache_read)
    return AGAIN_DRAFT * dearer * (split.through - split.read)
