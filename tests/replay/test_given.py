"""What a replay works out once for all policies comes to what the live proxy's memory makes of the same turns."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.prices import FLASH, HAIKU, OPUS, SECOND, START, TABLE
from tests.support.recorded import call, conversations, sessions

from rlmc.cascade.engine import run as cascade
from rlmc.cascade.plan import BriefRequest, CallModel, Plan
from rlmc.cascade.policies import POLICIES
from rlmc.cascade.policies.draft_only import POLICY as DRAFT_ONLY
from rlmc.cascade.policies.policy import Policy
from rlmc.cascade.session import Arrival, Memory, facts_as_sent
from rlmc.domain.chat import Completion, Usage
from rlmc.domain.money import add
from rlmc.domain.outcome import Outcome, Reason
from rlmc.domain.price import Price
from rlmc.domain.turn import Model
from rlmc.pricing.baseline import Shadows, TurnFacts
from rlmc.pricing.cache import LIFE
from rlmc.pricing.catalog import Card, NameRule, PriceRow, PriceTable, Rate
from rlmc.replay.assumptions import Assumptions
from rlmc.replay.given import INSTRUCTION_TOKENS, VERDICT_TOKENS, Given
from rlmc.replay.given import Shadows as Alone
from rlmc.replay.prices import PricesOn
from rlmc.replay.prompts import RecordedPrompt
from rlmc.replay.recorded import RecordedCall
from rlmc.replay.run import Pair, PreparedSession, RecordedReading, prepare, replay_all, turn_of

# An automatic cache whose writes cost more than plain input.
AUTO = Model("openai", "gpt-auto")
_AUTO_RATE = Rate((Card(-1, Price(1_000, 8_000, 100, 1_250, 1_250, source="test")),))


class _Table(PriceTable):
    def __init__(self) -> None:
        super().__init__([PriceRow(AUTO.provider, (NameRule("exact", AUTO.name),), (_AUTO_RATE,))])

    def rate(self, model: Model, at: int) -> Rate | None:
        return super().rate(model, at) if model == AUTO else TABLE.rate(model, at)


PRICES = PricesOn(_Table(), START, clock=True)
SOME = Assumptions(brief_accept=0.5, verify_accept=0.5, shell_safe=0.3)


@st.composite
def mixed(draw: st.DrawFn) -> list[RecordedCall]:
    """Sessions in which the draft model may answer some calls itself, and a prompt may come twice."""
    calls = draw(st.one_of(sessions((OPUS.name, HAIKU.name)), conversations()))
    found: list[RecordedCall] = []
    for one in calls:
        if draw(st.integers(0, 2)) == 0:
            whole = one.input + one.cache_write_5m + one.cache_write_1h
            one = replace(one, provider=AUTO.provider, model=AUTO.name, input=whole, cache_write_5m=0, cache_write_1h=0)
        found.append(one)
        if draw(st.integers(0, 4)) == 0:
            again = replace(one, input=0, cache_read=one.prompt, cache_write_5m=0, cache_write_1h=0, at=one.at + 1)
            found.append(replace(again, follows="tool-results", first_of_task=False))
    return found


@settings(max_examples=60, deadline=None)
@given(mixed(), st.sampled_from((FLASH, HAIKU, AUTO)), st.sampled_from((None, None, OPUS, AUTO)))
def test_every_policy_comes_to_what_the_live_memory_comes_to(
    calls: list[RecordedCall], draft: Model, verify: Model | None
) -> None:
    session, pair = prepare(calls, SOME), Pair(verify, draft)
    for policy, found in zip(POLICIES, replay_all(session, POLICIES, pair, SOME, PRICES), strict=True):
        told = [(one.outcome, one.reason, one.paid, one.baseline, one.draft_only) for one in found]
        assert told == _by_memory(session, policy, pair), policy.name


_Told = tuple[Outcome, Reason, int | None, int | None, int | None]


def _by_memory(session: PreparedSession, policy: Policy, pair: Pair) -> list[_Told]:
    """Each turn arrives, is decided and finished as it is in the proxy."""
    memory, reading, told = Memory(tokens_per_char=1.0), RecordedReading(SOME), list[_Told]()
    alone = Alone(pair.draft)
    for prompt, (effect, _), signals, place in zip(
        session.prompts, session.effects, session.signals, session.places, strict=True
    ):
        call = prompt.call
        verify = pair.verify or Model(call.provider, call.model)
        turn = turn_of(verify, pair, SOME)
        reading.turn(Given(prompt, signals, effect, place, turn, pair.draft, alone, SOME, PRICES))
        if prompt.head is not None:
            for cache in (memory.sides.of(verify).real, memory.sides.of(verify).shadow):
                cache.seed(prompt.head, call.at, LIFE[prompt.lifetime])
        outline = memory.outline(prompt.layout, (verify, pair.draft), call.at, prompt.places)
        arrival = Arrival(call.thread, call.at, signals, outline, verify, pair.draft, policy, SOME.brief_tokens)
        foresight = memory.arrive(arrival, PRICES)
        generator = cascade(turn, signals, foresight.prospect, policy, foresight.marker, reading)
        asked: list[CallModel] = []
        try:
            asked.append(next(generator))
            while True:
                asked.append(generator.send(Completion(call.model, (), "end_turn", None)))
        except StopIteration as stop:
            plan: Plan = stop.value
        roles = ["brief" if isinstance(ask.request, BriefRequest) else ask.role for ask in asked]
        assert foresight.draft is not None
        drafted = foresight.draft.usage(call.output) if "draft" in roles else None
        verifying: list[Usage] = []
        appended = call.output + INSTRUCTION_TOKENS if "verify" in roles else 0
        if "verify" in roles:
            seen = foresight.verify.usage(VERDICT_TOKENS if plan.outcome is Outcome.ACCEPTED else call.output)
            verifying.append(replace(seen, input=seen.input + appended))
        if plan.outcome is Outcome.DIRECT:
            verifying.append(foresight.verify.usage(call.output))
        brief = Usage(input=SOME.brief_tokens + call.output, output=VERDICT_TOKENS)
        used = [*verifying, *([brief] if "brief" in roles else [])]
        costs = [PRICES.charge(verify, one, call.at).cost for one in used]
        if drafted is not None:
            costs.append(PRICES.charge(pair.draft, drafted, call.at).cost)
        facts = TurnFacts(
            at=call.at,
            outcome=plan.outcome,
            verify=verify,
            draft_model=pair.draft,
            outline=outline,
            verify_calls=tuple(verifying),
            asked_draft=drafted is not None,
            draft=drafted,
            appended_chars=appended,
            known_output=call.output,
            brief_prompt=SOME.brief_tokens if "brief" in roles else 0,
        )
        shadows = memory.finish(arrival, facts_as_sent(facts, foresight.marker) if verifying else facts, plan.reason)
        told.append((plan.outcome, plan.reason, add(costs), *_alone(shadows, verify, pair, prompt)))
    return told


def _alone(shadows: Shadows, verify: Model, pair: Pair, prompt: RecordedPrompt) -> tuple[int | None, int | None]:
    at = prompt.call.at
    one, other = shadows.verify.usage, shadows.draft.usage
    return (
        None if one is None else PRICES.charge(verify, one, at).cost,
        None if other is None else PRICES.charge(pair.draft, other, at).cost,
    )


def test_a_draft_model_that_verified_the_same_prompt_before_finds_more_than_it_would_have_alone() -> None:
    """Its cache then holds everything, its own session's nothing: what is not found is billed as plain input."""
    first = call(provider=AUTO.provider, model=AUTO.name, input=20_000, cache_read=0, cache_write_5m=0)
    again = call(at=first.at + SECOND, cache_read=20_000, cache_write_5m=0)
    session, pair = prepare([first, again], SOME), Pair(None, AUTO)
    (turns,) = replay_all(session, [DRAFT_ONLY], pair, SOME, PRICES)
    assert turns[1].paid == 20_000 * 100 + 200 * 8_000
    assert turns[1].draft_only == 20_000 * 1_000 + 200 * 8_000
    assert [(turn.paid, turn.draft_only) for turn in turns] == [
        (paid, draft_only) for _, _, paid, _, draft_only in _by_memory(session, DRAFT_ONLY, pair)
    ]
