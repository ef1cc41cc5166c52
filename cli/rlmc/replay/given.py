"""What a turn of the record gives to every policy alike: worked out once, however many policies are asked about.

Rule: nothing here depends on a policy but through the state its caches are in, and what was worked out for one state
serves every policy whose caches are in the same. In a record a prompt's sizes are tokens, and what a model alone would
have read is what its own cache, used on every turn, would have held: no policy changes either.
"""

from __future__ import annotations

from rlmc.cascade.economics import Side, Weighed, weigh_draft, weigh_verify
from rlmc.cascade.hard_gates import hard_gate
from rlmc.cascade.signals import Signals
from rlmc.domain.chat import Completion, Usage
from rlmc.domain.effect import Effect
from rlmc.domain.layout import Lifetime
from rlmc.domain.money import Picodollars
from rlmc.domain.outcome import Outcome
from rlmc.domain.outline import Outline
from rlmc.domain.turn import Model, Turn
from rlmc.pricing.cache import LIFE, CacheRule, Hit, PromptCache, Split, rule_for, split
from rlmc.pricing.catalog import PriceTable
from rlmc.replay.assumptions import Assumptions
from rlmc.replay.prompts import RecordedPrompt

VERDICT_TOKENS = 40
INSTRUCTION_TOKENS = 100


class View:
    """One model's prompt as one state of its cache sees it; `answering` is what an answer then costs."""

    __slots__ = ("answering", "outline", "parts", "weighed")

    def __init__(self, outline: Outline, parts: Split, answering: Picodollars | None) -> None:
        self.outline = outline
        self.parts = parts
        self.answering = answering
        self.weighed: tuple[Weighed | None] | None = None  # asked for by few


class Outlines:
    """Of one prompt, for caches that hold it up to a place: the places that matter to them, and their tokens."""

    __slots__ = ("_known", "_layout", "_places")

    def __init__(self, prompt: RecordedPrompt) -> None:
        self._layout, self._places = prompt.layout, prompt.places
        self._known: dict[int | None, tuple[Outline, tuple[int, ...]]] = {}

    def up_to(self, held: int | None) -> tuple[Outline, tuple[int, ...]]:
        known = self._known.get(held)
        if known is None:
            places = self._places
            wanted = {len(places) - 1, *[block for block, _ in self._layout.marks]}
            if held is not None:
                wanted.add(held)
            chosen = tuple([places[n] for n in sorted(wanted)])
            known = Outline(chosen, self._layout.markers), tuple([place.size for place in chosen])
            self._known[held] = known
        return known


class Prompted:
    """One prompt to one model. What is asked of it more than once is kept."""

    __slots__ = ("_life", "_outlines", "_prices", "_prompt", "_views", "_weigh", "at", "automatic", "model", "price")

    def __init__(
        self,
        prompt: RecordedPrompt,
        outlines: Outlines,
        model: Model,
        rule: CacheRule,
        prices: PriceTable,
        *,
        drafts: bool,
    ) -> None:
        self.model = model
        self.automatic = rule.automatic
        self.at = prompt.call.at
        self.price = prices.lookup(model, self.at, prompt.call.prompt)
        lifetime: Lifetime | None = prompt.lifetime if prompt.layout.marks else None
        self._life = rule.life if rule.automatic or lifetime is None else LIFE[lifetime]
        self._weigh = weigh_draft if drafts else weigh_verify
        self._prompt = prompt
        self._prices = prices
        self._outlines = outlines
        self._views: dict[Hit | None, View] = {}

    def view(self, cache: PromptCache) -> View:
        """What the model's cache makes of the prompt as it is now."""
        hit = cache.longest(self._prompt.layout.digests, self.at)
        view = self._views.get(hit)
        if view is None:
            outline, tokens = self._outlines.up_to(None if hit is None else hit.place)
            parts = split(cache, outline, tokens, self.at)
            answering = self.cost(parts.usage(self._prompt.call.output))
            view = self._views[hit] = View(outline, parts, answering)
        return view

    def weighed(self, view: View) -> Weighed | None:
        """What the expected costs are reckoned from; None where the price is unknown."""
        if view.weighed is None:
            view.weighed = (self._weigh(Side(view.parts, self.price, self._life)),)
        return view.weighed[0]

    def cost(self, usage: Usage) -> Picodollars | None:
        return self._prices.charge(self.model, usage, self.at).cost


class Given:
    """One turn. `blocked` is whether no policy may have it drafted, `answer` what any model says; `baseline` and
    `draft_only` are what either model alone would have paid, the second None without a draft model of its own."""

    __slots__ = (
        "_audit",
        "_brief",
        "_prices",
        "_shadows",
        "answer",
        "assumptions",
        "baseline",
        "blocked",
        "call",
        "draft",
        "draft_only",
        "effect",
        "place",
        "prompt",
        "signals",
        "turn",
        "verify",
    )

    def __init__(
        self,
        prompt: RecordedPrompt,
        signals: Signals,
        effect: Effect | None,
        place: bytes,
        turn: Turn,
        draft: Model,
        shadows: Shadows,
        assumptions: Assumptions,
        prices: PriceTable,
    ) -> None:
        self.prompt, self.call = prompt, prompt.call
        self.signals, self.effect, self.place, self.turn = signals, effect, place, turn
        self.assumptions = assumptions
        self.answer = Completion(self.call.model, (), "end_turn", None)
        self.blocked = hard_gate(turn, signals) is not None
        outlines = Outlines(prompt)
        self.verify = Prompted(prompt, outlines, turn.verify, shadows.verify_rule(turn.verify), prices, drafts=False)
        self.draft = Prompted(prompt, outlines, draft, shadows.draft_rule, prices, drafts=True)
        self._prices = prices
        self._audit: tuple[Picodollars | None] | None = None
        self._brief: tuple[Picodollars | None] | None = None
        verify_alone = shadows.verify(self.verify, prompt)
        draft_alone = None if draft == turn.verify else shadows.draft(self.draft)
        self.baseline = verify_alone.answering
        self.draft_only = None if draft_alone is None else draft_alone.answering
        self._shadows = verify_alone.parts, None if draft_alone is None else draft_alone.parts

    def baseline_beside(self, asked: View) -> Picodollars | None:
        """The same, where the verify model was asked and its cache was `asked`."""
        return self._beside(self.verify, asked.parts, self._shadows[0], self.baseline)

    def draft_only_beside(self, asked: View) -> Picodollars | None:
        return self._beside(self.draft, asked.parts, self._shadows[1], self.draft_only)

    def _beside(
        self, side: Prompted, asked: Split, shadow: Split | None, alone: Picodollars | None
    ) -> Picodollars | None:
        # Bills of automatic caches that found everything name no writes, so what the model alone would not have found
        # is plain input. Only a draft model that also verifies finds more than it would have alone.
        if shadow is None or asked.read <= shadow.read or asked.read < asked.prompt or not side.automatic:
            return alone
        return side.cost(Usage(asked.prompt - shadow.read, shadow.read, output=self.call.output))

    def verified(self, asked: View, outcome: Outcome) -> Picodollars | None:
        """What a verification on the whole prompt costs that comes to this."""
        seen = asked.parts.usage(VERDICT_TOKENS if outcome is Outcome.ACCEPTED else self.call.output)
        appended = self.call.output + INSTRUCTION_TOKENS
        return self.verify.cost(
            Usage(seen.input + appended, seen.cache_read, seen.cache_write_5m, seen.cache_write_1h, seen.output)
        )

    @property
    def brief(self) -> Picodollars | None:
        """What a brief verification costs."""
        if self._brief is None:
            usage = Usage(input=self.assumptions.brief_tokens + self.call.output, output=VERDICT_TOKENS)
            self._brief = (self.verify.cost(usage),)
        return self._brief[0]

    @property
    def audit(self) -> Picodollars | None:
        """What auditing this turn is expected to cost where it is skipped: now and then the verify model is asked after
        the fact, once its next call has the prompt in the cache again, and where the answers differ a judge is asked on
        a compact context."""
        if self._audit is None:
            self._audit = (self._audited(),)
        return self._audit[0]

    def _audited(self) -> Picodollars | None:
        call, assumed, price = self.call, self.assumptions, self.verify.price
        asked = self._prices.lookup(self.verify.model, call.at, assumed.brief_tokens)
        if price is None or asked is None:
            return None
        answer = price.cache_read * call.prompt + price.output * call.output
        judge = asked.input * assumed.brief_tokens + asked.output * VERDICT_TOKENS
        return round(assumed.audit_rate * (answer + judge))


class Caches:
    """One cache a model."""

    def __init__(self) -> None:
        self._caches: dict[tuple[str, str], PromptCache] = {}

    def of(self, model: Model) -> PromptCache:
        key = (model.provider, model.name)  # a tuple's hash is far cheaper than a model's
        cache = self._caches.get(key)
        if cache is None:
            cache = self._caches[key] = PromptCache(rule_for(model))
        return cache

    def seed(self, model: Model, prompt: RecordedPrompt) -> None:
        """What others had put into the verify model's cache before this thread began."""
        if prompt.head is not None:
            self.of(model).seed(prompt.head, prompt.call.at, LIFE[prompt.lifetime])


class Shadows:
    """Either model alone: the verify model of each turn, and the draft model on every turn it would have drafted."""

    def __init__(self, draft: Model) -> None:
        self._verify = Caches()
        self._drafting = PromptCache(rule_for(draft))
        self.draft_rule = self._drafting.rule

    def verify_rule(self, model: Model) -> CacheRule:
        return self._verify.of(model).rule

    def verify(self, prompted: Prompted, prompt: RecordedPrompt) -> View:
        self._verify.seed(prompted.model, prompt)
        return _used(self._verify.of(prompted.model), prompted)

    def draft(self, prompted: Prompted) -> View:
        return _used(self._drafting, prompted)


def _used(cache: PromptCache, prompted: Prompted) -> View:
    view = prompted.view(cache)
    cache.use(view.outline, prompted.at)
    return view
