"""What is remembered of a session between turns: caches, lengths, what follows what. It foresees a turn and learns from
its end.

Rule: no clock, no content, bounded; the same arrivals and endings in the same order give the same state, so that a
session can be replayed from its ledger. Prices are handed in with each turn.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import field, replace

from rlmc.cascade.economics import Expectations, Prospect, Side, prospect
from rlmc.cascade.learning import Learning, kind_of
from rlmc.cascade.policies.policy import Policy
from rlmc.cascade.signals import Past, Signals
from rlmc.domain.chat import Usage
from rlmc.domain.effect import Effect
from rlmc.domain.frozen import dataclass
from rlmc.domain.layout import Layout, Lifetime
from rlmc.domain.outcome import Outcome, Reason
from rlmc.domain.outline import Outline, Place
from rlmc.domain.turn import Model
from rlmc.pricing import baseline
from rlmc.pricing.baseline import Shadows, TurnFacts
from rlmc.pricing.cache import LIFE, Split, marker_for
from rlmc.pricing.catalog import PriceTable
from rlmc.pricing.lengths import Lengths
from rlmc.pricing.scale import DEFAULT_TOKENS_PER_CHAR
from rlmc.pricing.sides import Side as ModelSide
from rlmc.pricing.sides import Sides

_CONVERSATIONS = 512
Plain = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Arrival:
    """A turn as it comes in, without content. `at` is wall time in unix microseconds."""

    conversation: str
    at: int
    signals: Signals
    outline: Outline
    verify: Model
    draft: Model | None
    policy: Policy
    brief_tokens: int = 4000


@dataclass(frozen=True, slots=True)
class Foresight:
    """What is expected of a turn before anything is asked.

    `marker` is the cache marker a call of the verify model needs to find its cache: at which block, and its lifetime.
    `told` is the usage a drafted answer reports for the prompt: the verify model's tokens, because clients steer their
    context by them. `verify` and `draft` are how either model's prompt divides.
    """

    prospect: Prospect
    marker: tuple[int, Lifetime] | None
    told: Usage
    verify: Split
    draft: Split | None
    usual_output: float

    def record(self) -> dict[str, Plain]:
        """For the ledger: expected costs in picodollars, cache states in tokens."""
        p = self.prospect
        facts: dict[str, Plain] = {
            "direct": p.direct,
            "skipped": p.skipped,
            "verified": p.verified,
            "draft": p.draft,
            "debt": p.debt,
            "credit": p.credit,
            "brief": p.brief,
            "waste": round(p.waste, 6),
            "accept": round(p.accept, 6),
            "accept_brief": round(p.accept_brief, 6),
            "output": round(self.usual_output, 3),
            "verify_prompt": self.verify.prompt,
            "verify_warm": self.verify.read,
            "verify_left_s": None if self.verify.hit is None else self.verify.hit.left / 1e6,
        }
        if self.draft is not None:
            facts |= {"draft_prompt": self.draft.prompt, "draft_warm": self.draft.read}
        return facts


@dataclass(slots=True)
class _Conversation:
    """`previous` and `output` wait for the next turn, which shows what the answer to the last one did."""

    past: Past = field(default_factory=Past)
    open: bool = False
    previous: Effect | None = None
    output: int | None = None


class Memory:
    """One session's. Turns may overlap; each arrives once and is finished at most once."""

    def __init__(self, tokens_per_char: float = DEFAULT_TOKENS_PER_CHAR) -> None:
        self.sides = Sides(tokens_per_char)
        self.lengths = Lengths()
        self.learning = Learning()
        self._conversations: OrderedDict[str, _Conversation] = OrderedDict()

    def past(self, conversation: str) -> Past:
        known = self._conversations.get(conversation)
        return Past() if known is None else known.past

    def remember(self, conversation: str, past: Past) -> None:
        self._of(conversation).past = past

    def outline(
        self, layout: Layout, models: tuple[Model, ...], at: int, places: Sequence[Place] | None = None
    ) -> Outline:
        return self.sides.outline(layout, models, at, places)

    def arrive(self, turn: Arrival, prices: PriceTable | None) -> Foresight:
        """What the turn before did shows in this one; then what this one may cost. Without a table no cost is known."""
        self.learn(turn.conversation, turn.signals)
        verify = self.sides.of(turn.verify)
        draft = None if turn.draft is None else self.sides.of(turn.draft)
        verify_split, marker = _verify_split(turn, verify)
        draft_split = None if draft is None else _draft_split(turn, draft, verify)
        usual = self.lengths.usual()
        told = _told(turn, verify)
        found = Prospect()
        if prices is not None:
            lifetime = turn.outline.lifetime
            found = prospect(
                _side(turn, verify, verify_split, lifetime, prices),
                None if draft is None or draft_split is None else _side(turn, draft, draft_split, lifetime, prices),
                self.expect(turn.signals, turn.policy, turn.brief_tokens),
                waste_is_verified=Effect.UNSAFE in turn.policy.brief,
            )
        return Foresight(found, marker, told, verify_split, draft_split, usual)

    def finish(self, turn: Arrival, facts: TurnFacts, reason: Reason) -> Shadows:
        """The turn is over: what either model alone would have used, and everything learnt."""
        last = facts.verify_calls[-1] if facts.verify_calls else None
        measured = facts.outcome is Outcome.DIRECT and facts.measured and last is not None
        self.ended(
            turn.conversation,
            turn.signals,
            facts.outcome,
            reason,
            output=last.output if measured and last is not None else 0,
            drafted=0 if facts.draft is None else facts.draft.output,
            brief=facts.brief_prompt,
        )
        return baseline.observe(facts, self.sides, self.lengths)

    def refresh(self, verify: Model, outline: Outline, at: int) -> None:
        """A call that answers nothing has read the prompt: the real cache lives on, the shadow's would not have."""
        self.sides.of(verify).real.use(outline, at)

    # --- foreseeing -------------------------------------------------------------------------------------------------

    def expect(self, signals: Signals, policy: Policy, brief_tokens: int) -> Expectations:
        edit, unsafe = self.learning.next_effects(signals.previous_effect)
        waste = unsafe + (0.0 if Effect.EDIT in policy.releases else edit)
        if signals.auxiliary or not signals.has_tools:
            waste = unsafe = 0.0
        return Expectations(
            waste=min(1.0, waste),
            unsafe=unsafe,
            output=self.lengths.usual(),
            draft_output=self.learning.draft_output,
            accept=self.learning.accept.value,
            accept_brief=self.learning.accept_brief.value,
            brief_tokens=self.learning.brief_tokens(brief_tokens),
        )

    # --- learning ---------------------------------------------------------------------------------------------------

    def learn(self, of: str, signals: Signals) -> None:
        """What the arriving turn of this conversation shows of the one before."""
        conversation = self._of(of)
        if not conversation.open or signals.follows == "other":
            return
        answer = signals.previous_effect
        if signals.follows == "user" or answer is not None:
            self.learning.saw(conversation.previous, answer)
            if conversation.output is not None:
                self.lengths.learn(kind_of(answer), conversation.output)
        conversation.open = False

    def ended(
        self, of: str, signals: Signals, outcome: Outcome, reason: Reason, *, output: int, drafted: int, brief: int
    ) -> None:
        """A turn of this conversation is over. In tokens, 0 where there was none: `output` of a direct answer that was
        measured, `drafted` of a draft, `brief` what a brief verification took to read."""
        conversation = self._of(of)
        if not signals.auxiliary:
            conversation.open = True
            conversation.previous = signals.previous_effect
            conversation.output = output if output > 0 else None
        if drafted > 0:
            self.learning.saw_draft(drafted)
        if brief:
            self.learning.saw_brief(brief)
        if outcome is Outcome.ENHANCED:
            self.learning.accept.add(False)
        elif outcome is Outcome.ACCEPTED and reason is Reason.VERDICT:
            self.learning.accept.add(True)
        elif outcome is Outcome.ACCEPTED and reason is Reason.BRIEF:
            self.learning.accept_brief.add(True)
        elif reason is Reason.BRIEF_REFUSED and brief:  # it answered, and did not accept
            self.learning.accept_brief.add(False)

    def _of(self, conversation: str) -> _Conversation:
        known = self._conversations.get(conversation)
        if known is None:
            known = self._conversations[conversation] = _Conversation()
        self._conversations.move_to_end(conversation)
        while len(self._conversations) > _CONVERSATIONS:
            self._conversations.popitem(last=False)
        return known


def _verify_split(turn: Arrival, side: ModelSide) -> tuple[Split, tuple[int, Lifetime] | None]:
    outline = turn.outline
    marker = marker_for(side.real, outline, turn.at)
    if marker is not None:
        outline = outline.marked(*marker)
    return side.real.split(outline, side.scale.tokens(outline), turn.at), marker


def _draft_split(turn: Arrival, side: ModelSide, verify: ModelSide) -> Split:
    scale = side.scale if side.scale.learnt or not verify.scale.learnt else verify.scale
    return side.real.split(turn.outline, scale.tokens(turn.outline), turn.at)


def _told(turn: Arrival, side: ModelSide) -> Usage:
    alone = side.shadow.split(turn.outline, side.scale.tokens(turn.outline), turn.at)
    return Usage(input=max(1, alone.prompt - alone.read), cache_read=alone.read)


def _side(turn: Arrival, side: ModelSide, parts: Split, lifetime: Lifetime | None, prices: PriceTable) -> Side:
    rule = side.real.rule
    life = rule.life if rule.automatic or lifetime is None else LIFE[lifetime]
    return Side(parts, prices.lookup(side.model, turn.at, parts.prompt), life)


def facts_as_sent(facts: TurnFacts, marker: tuple[int, Lifetime] | None) -> TurnFacts:
    """The facts of a turn whose verify call was given one more cache marker."""
    return facts if marker is None else replace(facts, outline=facts.outline.marked(*marker))
