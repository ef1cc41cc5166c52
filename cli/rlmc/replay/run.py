"""A policy over a recorded session: the live proxy's own decisions, on what the record tells of each call.

Rule: every call that would have been made is priced, drafts nobody would have seen included, and both models' caches
are reckoned with. A recorded answer stands for what either model would have said: savings are those of drafts as good
as the recorded answers, with an unchanged future.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from rlmc.cascade.brief import Brief
from rlmc.cascade.economics import Prospect
from rlmc.cascade.engine import run as cascade
from rlmc.cascade.plan import Answer, BriefRequest, CallModel, Continue, Plan
from rlmc.cascade.policies.policy import Policy
from rlmc.cascade.seen import Drafted
from rlmc.cascade.session import Arrival, Foresight, Memory, facts_as_sent
from rlmc.cascade.signals import Signals
from rlmc.cascade.verify import Verdict
from rlmc.domain.chat import ChatRequest, Completion, Usage
from rlmc.domain.effect import Effect
from rlmc.domain.frozen import dataclass
from rlmc.domain.money import Picodollars, add
from rlmc.domain.outcome import Outcome, Reason
from rlmc.domain.turn import ClientHints, DraftAbilities, Model, Turn
from rlmc.pricing.baseline import TurnFacts
from rlmc.pricing.cache import LIFE
from rlmc.pricing.catalog import PriceTable
from rlmc.pricing.sides import Sides
from rlmc.replay.assumptions import Assumptions
from rlmc.replay.prompts import RecordedPrompt, lay_out
from rlmc.replay.recorded import RecordedCall

VERDICT_TOKENS = 40
INSTRUCTION_TOKENS = 100
BRIEF_SECONDS = 2.5
_NOTHING = ChatRequest(raw=b"", model="", stream=True, max_tokens=None, messages=())
_CONTEXT = 1_000_000
# A prospect in which everything about a draft pays, one in which nothing does, and one without prices.
_EAGER = Prospect(direct=10**15, skipped=0, verified=1, brief=1, accept=1.0, accept_brief=1.0)
_RELUCTANT = Prospect(direct=0, skipped=10**15, verified=10**15, brief=10**15)
_UNKNOWN = Prospect()


@dataclass(frozen=True, slots=True)
class Pair:
    """The two models, as the replay asks them. `context` is the draft model's window in tokens."""

    verify: Model | None
    draft: Model
    context: int = _CONTEXT


@dataclass(frozen=True, slots=True)
class ReplayedTurn:
    """One call of the record under a policy. Amounts are None where a price is unknown."""

    call: RecordedCall
    outcome: Outcome
    reason: Reason
    paid: Picodollars | None
    baseline: Picodollars | None
    draft_only: Picodollars | None
    audit: Picodollars | None
    wasted: bool
    brief: bool
    latency_s: float | None


class RecordedReading:
    """What the record says a draft was, and verdicts as the assumptions have them. Draws are fixed by the call's place
    in the record, so the same replay gives the same figures."""

    def __init__(self, assumptions: Assumptions) -> None:
        self._assumptions = assumptions
        self.call: RecordedCall
        self.effect: Effect | None = None
        self.place = b""

    def draft(self, _turn: Turn, completion: Completion) -> tuple[Completion, Drafted]:
        call = self.call
        effect = self.effect if call.known else Effect.UNSAFE
        return completion, Drafted(effect, call.calls, call.text_chars, call.output)

    def appendix(self, _turn: Turn, _draft: Completion) -> str:
        return " " * (self.call.output + 4 * INSTRUCTION_TOKENS)

    def verdict(self, _turn: Turn, answer: Completion) -> tuple[Verdict, Completion]:
        return ("accept" if draw(self.place, b"verify") < self._assumptions.verify_accept else "act"), answer

    def brief(self, _turn: Turn, _draft: Completion) -> Brief | None:
        return Brief("", "")

    def brief_accepts(self, _turn: Turn, _answer: Completion) -> bool:
        return draw(self.place, b"brief") < self._assumptions.brief_accept


def draw(place: bytes, what: bytes) -> float:
    """A number in [0, 1) that belongs to this place."""
    return int.from_bytes(hashlib.blake2b(place + b"/" + what, digest_size=7).digest()) / (1 << 56)


@dataclass(frozen=True, slots=True)
class PreparedSession:
    """A recorded session ready for replay: every call with its prompt, in the order of time, and its effects as the
    assumptions see them: (of the answer, of the calls before)."""

    prompts: tuple[RecordedPrompt, ...]
    effects: tuple[tuple[Effect | None, Effect | None], ...]
    signals: tuple[Signals, ...]
    places: tuple[bytes, ...]

    @property
    def clock(self) -> bool:
        return bool(self.prompts) and self.prompts[0].call.clock


def prepare(calls: Sequence[RecordedCall], assumptions: Assumptions) -> PreparedSession:
    threads: dict[str, list[RecordedCall]] = {}
    for call in calls:
        threads.setdefault(call.thread, []).append(call)
    rows: list[tuple[int, RecordedPrompt, Effect | None, Effect | None, Signals, bytes]] = []
    for name, own in threads.items():
        key = hashlib.blake2b(f"{own[0].session}\0{name}".encode("utf-8", "replace"), digest_size=8).digest()
        previous: Effect | None = None
        results = 0
        failed = hard = False
        for number, prompt in enumerate(lay_out(own, key)):
            call = prompt.call
            place = key + b"%d" % number
            results = 0 if call.first_of_task else results + (call.follows == "tool-results")
            before = call.previous if previous is None or call.previous is None else previous
            if call.first_of_task and not call.approval:  # an approval is as hard as what it approves
                hard = call.hard
            signals = _signals(call, before, number == 0, results, failed, hard)
            effect = _safer(call.effect, place, assumptions)
            rows.append((call.at, prompt, effect, before, signals, place))
            previous, failed = effect, call.errors > 0
    rows.sort(key=lambda row: row[0])
    return PreparedSession(
        tuple(row[1] for row in rows),
        tuple((row[2], row[3]) for row in rows),
        tuple(row[4] for row in rows),
        tuple(row[5] for row in rows),
    )


def replay(
    session: PreparedSession, policy: Policy, pair: Pair, assumptions: Assumptions, prices: PriceTable
) -> list[ReplayedTurn]:
    """The session under one policy. `prices` are those of the replay's day (`PricesOn`)."""
    policy = assumptions.moved(policy)
    memory = Memory(tokens_per_char=1.0)
    reading = RecordedReading(assumptions)
    turns = []
    asked_of: dict[Model, Turn] = {}
    for prompt, (effect, _), signals, place in zip(
        session.prompts, session.effects, session.signals, session.places, strict=True
    ):
        call = prompt.call
        verify = pair.verify or Model(call.provider, call.model)
        reading.call, reading.effect, reading.place = call, effect, place
        if prompt.head is not None:
            _seed(memory.sides, verify, prompt)
        outline = memory.outline(prompt.layout, (verify, pair.draft), call.at, prompt.places)
        arrival = Arrival(call.thread, call.at, signals, outline, verify, pair.draft, policy, assumptions.brief_tokens)
        foresight = memory.arrive(arrival, prices)
        turn = asked_of.get(verify)
        if turn is None:
            turn = asked_of[verify] = _turn(verify, pair, assumptions)
        asked, plan = _play(cascade(turn, signals, foresight.prospect, policy, foresight.marker, reading), call)
        turns.append(_book(prompt, arrival, foresight, asked, plan, memory, pair, assumptions, prices))
    return turns


def never_drafts(session: PreparedSession, policy: Policy) -> bool:
    """Whether no draft is asked for in this session, whatever drafts cost: then nothing is skipped nor saved."""
    return all(
        policy.route(policy, signals, prospect).kind == "direct"
        for signals in session.signals
        for prospect in (_EAGER, _RELUCTANT, _UNKNOWN)
    )


def _play(generator: object, call: RecordedCall) -> tuple[list[CallModel], Plan]:
    """Answers everything the cascade asks as the record has it."""
    asked: list[CallModel] = []
    result = Completion(call.model, (), "end_turn", None)
    try:
        ask = next(generator)  # type: ignore[call-overload]  # a Cascade
        while True:
            asked.append(ask)
            ask = generator.send(result)  # type: ignore[attr-defined]  # as above
    except StopIteration as stop:
        return asked, stop.value


def _book(
    prompt: RecordedPrompt,
    arrival: Arrival,
    foresight: Foresight,
    asked: list[CallModel],
    plan: Plan,
    memory: Memory,
    pair: Pair,
    assumptions: Assumptions,
    prices: PriceTable,
) -> ReplayedTurn:
    call, at = prompt.call, arrival.at
    roles = ["brief" if isinstance(ask.request, BriefRequest) else ask.role for ask in asked]
    costs: list[Picodollars | None] = []
    draft: Usage | None = None
    verify_calls: list[Usage] = []
    if "draft" in roles and foresight.draft is not None:
        draft = foresight.draft.usage(call.output)
        costs.append(prices.charge(pair.draft, draft, at).cost)
    direct = plan.outcome is Outcome.DIRECT
    if "verify" in roles:
        seen = foresight.verify.usage(VERDICT_TOKENS if plan.outcome is Outcome.ACCEPTED else call.output)
        appended = call.output + INSTRUCTION_TOKENS
        verify_calls.append(
            Usage(seen.input + appended, seen.cache_read, seen.cache_write_5m, seen.cache_write_1h, seen.output)
        )
        costs.append(prices.charge(arrival.verify, verify_calls[-1], at).cost)
    if "brief" in roles:
        brief = Usage(input=assumptions.brief_tokens + call.output, output=VERDICT_TOKENS)
        costs.append(prices.charge(arrival.verify, brief, at).cost)
    if direct:
        verify_calls.append(foresight.verify.usage(call.output))
        costs.append(prices.charge(arrival.verify, verify_calls[-1], at).cost)
    facts = TurnFacts(
        at=at,
        outcome=plan.outcome,
        verify=arrival.verify,
        draft_model=pair.draft,
        outline=arrival.outline,
        verify_calls=tuple(verify_calls),
        asked_draft=draft is not None,
        draft=draft,
        appended_chars=call.output + INSTRUCTION_TOKENS if "verify" in roles else 0,
        kind=None,
        known_output=call.output,
        brief_prompt=assumptions.brief_tokens if "brief" in roles else 0,
    )
    if verify_calls:
        facts = facts_as_sent(facts, foresight.marker)
    alone = memory.finish(arrival, facts, plan.reason)
    served = isinstance(plan, Answer) and plan.outcome is not Outcome.ENHANCED
    return ReplayedTurn(
        call=call,
        outcome=plan.outcome,
        reason=plan.reason,
        paid=add(costs),
        baseline=None if alone.verify.usage is None else prices.charge(arrival.verify, alone.verify.usage, at).cost,
        draft_only=None if alone.draft.usage is None else prices.charge(pair.draft, alone.draft.usage, at).cost,
        audit=_audit(arrival, plan, call, assumptions, prices),
        wasted=draft is not None and not served,
        brief="brief" in roles,
        latency_s=_latency(call, roles, plan, assumptions),
    )


def _audit(
    turn: Arrival, plan: Plan, call: RecordedCall, assumptions: Assumptions, prices: PriceTable
) -> Picodollars | None:
    """What auditing this turn is expected to cost: now and then the verify model is asked after the fact, once its next
    call has the prompt in the cache again, and where the answers differ a judge is asked on a compact context."""
    if plan.outcome is not Outcome.SKIPPED:
        return 0
    price = prices.lookup(turn.verify, turn.at, call.prompt)
    asked = prices.lookup(turn.verify, turn.at, assumptions.brief_tokens)
    if price is None or asked is None:
        return None
    answer = price.cache_read * call.prompt + price.output * call.output
    judge = asked.input * assumptions.brief_tokens + asked.output * VERDICT_TOKENS
    return round(assumptions.audit_rate * (answer + judge))


def _latency(call: RecordedCall, roles: list[str], plan: Plan, assumptions: Assumptions) -> float | None:
    if call.latency_s is None:
        return None
    seconds = 0.0
    if "draft" in roles:
        seconds += call.latency_s / assumptions.draft_speed
    if "brief" in roles:
        seconds += BRIEF_SECONDS
    if "verify" in roles:
        seconds += call.latency_s if isinstance(plan, Continue) or plan.outcome is Outcome.ENHANCED else BRIEF_SECONDS
    return seconds + (call.latency_s if plan.outcome is Outcome.DIRECT else 0.0)


def _seed(sides: Sides, verify: Model, prompt: RecordedPrompt) -> None:
    """What others had put into the verify model's cache before this thread began."""
    if prompt.head is None:
        return
    side = sides.of(verify)
    for cache in (side.real, side.shadow):
        cache.seed(prompt.head, prompt.call.at, LIFE[prompt.lifetime])


def _turn(verify: Model, pair: Pair, assumptions: Assumptions) -> Turn:
    return Turn(
        request=_NOTHING,
        hints=ClientHints(),
        verify=verify,
        verify_context=_CONTEXT,
        draft=pair.draft,
        draft_block=None,
        draft_abilities=DraftAbilities(context=pair.context, media=True),
        own_calls=True,
        nonce="",
        brief_tokens=assumptions.brief_tokens,
    )


def _safer(effect: Effect | None, place: bytes, assumptions: Assumptions) -> Effect | None:
    if effect is Effect.UNSAFE and assumptions.shell_safe > 0 and draw(place, b"shell") < assumptions.shell_safe:
        return Effect.SHELL_SAFE
    return effect


def _signals(
    call: RecordedCall, previous: Effect | None, first: bool, results: int, failed: bool, hard: bool
) -> Signals:
    follows = call.follows if call.follows in ("user", "tool-results") else "other"
    return Signals(
        request_class="subagent" if call.thread else "main",
        auxiliary=False,
        compaction=False,
        classifier=False,
        first_turn=call.first_of_task,
        first_in_session=first,
        follows=follows,
        previous_effect=previous if follows == "tool-results" else None,
        errors=call.errors,
        repeated_errors=call.errors > 0 and failed,
        tool_results=results,
        has_tools=True,
        media=False,
        media_now=False,
        opaque=False,
        server_tools=False,
        forced_tool=False,
        safeguards=False,
        output_format=False,
        thinking=None,
        prewarm=False,
        stream=True,
        last_is_system=False,
        user_chars=call.user_chars,
        complex=hard,
        hard=hard,
        approval=call.approval,
        prompt_chars=call.prompt * 3,
    )
