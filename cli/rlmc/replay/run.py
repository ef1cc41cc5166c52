"""A policy over a recorded session: the live proxy's own decisions, on what the record tells of each call.

Rule: every call that would have been made is priced, drafts nobody would have seen included, and both models' caches
are reckoned with. A recorded answer stands for what either model would have said: savings are those of drafts as good
as the recorded answers, with an unchanged future.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from rlmc.cascade.brief import Brief
from rlmc.cascade.economics import Prospect, expected
from rlmc.cascade.engine import run as cascade
from rlmc.cascade.plan import Answer, BriefRequest, CallModel, Continue, Plan
from rlmc.cascade.policies.policy import Policy, keep_route
from rlmc.cascade.seen import Drafted
from rlmc.cascade.session import Memory
from rlmc.cascade.signals import Signals
from rlmc.cascade.verify import Verdict
from rlmc.domain.chat import ChatRequest, Completion
from rlmc.domain.effect import Effect
from rlmc.domain.frozen import dataclass
from rlmc.domain.money import Picodollars, add
from rlmc.domain.outcome import Outcome, Reason
from rlmc.domain.turn import ClientHints, DraftAbilities, Model, Turn
from rlmc.pricing.catalog import PriceTable
from rlmc.replay.assumptions import Assumptions
from rlmc.replay.given import INSTRUCTION_TOKENS, Caches, Given, Shadows
from rlmc.replay.prompts import RecordedPrompt, lay_out
from rlmc.replay.recorded import RecordedCall

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


class ReplayedTurn(NamedTuple):
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
        self._given: Given
        self._seen: Drafted

    def turn(self, given: Given) -> None:
        """From now on this turn is read."""
        call = given.call
        self._given = given
        effect = given.effect if call.known else Effect.UNSAFE
        self._seen = Drafted(effect, call.calls, call.text_chars, call.output)

    def draft(self, _turn: Turn, completion: Completion) -> tuple[Completion, Drafted]:
        return completion, self._seen

    def appendix(self, _turn: Turn, _draft: Completion) -> str:
        return " " * (self._given.call.output + 4 * INSTRUCTION_TOKENS)

    def verdict(self, _turn: Turn, answer: Completion) -> tuple[Verdict, Completion]:
        accepted = draw(self._given.place, b"verify") < self._assumptions.verify_accept
        return ("accept" if accepted else "act"), answer

    def brief(self, _turn: Turn, _draft: Completion) -> Brief | None:
        return Brief("", "")

    def brief_accepts(self, _turn: Turn, _answer: Completion) -> bool:
        return draw(self._given.place, b"brief") < self._assumptions.brief_accept


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
    return replay_all(session, [assumptions.moved(policy)], pair, assumptions, prices)[0]


def replay_all(
    session: PreparedSession, policies: Sequence[Policy], pair: Pair, assumptions: Assumptions, prices: PriceTable
) -> list[list[ReplayedTurn]]:
    """The session under each of these policies, as they are: turn by turn, so that what they have alike is worked out
    once and forgotten with the turn."""
    players = [_Player(policy, pair.draft, session.signals) for policy in policies]
    shadows = Shadows(pair.draft)
    reading = RecordedReading(assumptions)
    asked_of: dict[tuple[str, str], Turn] = {}
    for prompt, (effect, _), signals, place in zip(
        session.prompts, session.effects, session.signals, session.places, strict=True
    ):
        call = prompt.call
        name = (call.provider, call.model)
        turn = asked_of.get(name)
        if turn is None:
            turn = asked_of[name] = turn_of(pair.verify or Model(*name), pair, assumptions)
        given = Given(prompt, signals, effect, place, turn, pair.draft, shadows, assumptions, prices)
        reading.turn(given)
        for player in players:
            player.play(given, reading)
    return [player.turns for player in players]


class _Player:
    """One policy in one session: its caches, and what it has learnt."""

    def __init__(self, policy: Policy, draft: Model, signals: Sequence[Signals]) -> None:
        self.turns: list[ReplayedTurn] = []
        self._policy = policy
        self._draft = draft
        self._caches = Caches()
        self._memory = Memory()
        self._brief_unsafe = Effect.UNSAFE in policy.brief
        # What never drafts is the verify model alone; and what has its routes whatever they cost, and then keeps to
        # them, need foresee nothing.
        self._alone = all(
            policy.route(policy, one, _EAGER).kind == "direct" and _settled(policy, one) for one in signals
        )
        keeps = policy.after_draft is keep_route and not policy.brief
        self._foresees = not (self._alone or (keeps and all(_settled(policy, one) for one in signals)))

    def play(self, given: Given, reading: RecordedReading) -> None:
        call, signals, memory = given.call, given.signals, self._memory
        verify = self._caches.of(given.verify.model)
        if given.prompt.head is not None:
            self._caches.seed(given.verify.model, given.prompt)
        found, drafting, verifying = _UNKNOWN, None, None
        if self._foresees:
            memory.learn(call.thread, signals)
            if not given.blocked and not self._is_direct(signals):
                drafting, verifying = given.draft.view(self._caches.of(self._draft)), given.verify.view(verify)
                found = expected(
                    given.verify.weighed(verifying),
                    given.draft.weighed(drafting),
                    memory.expect(signals, self._policy, given.assumptions.brief_tokens),
                    waste_is_verified=self._brief_unsafe,
                )
        asked, plan = _play(cascade(given.turn, signals, found, self._policy, None, reading), given.answer)
        outcome, reason = plan.outcome, plan.reason
        roles = [_role(ask) for ask in asked]
        drafted, briefed = "draft" in roles, "brief" in roles
        costs: list[Picodollars | None] = []
        baseline, draft_only = given.baseline, given.draft_only
        if drafted:
            cache = self._caches.of(self._draft)
            view = drafting or given.draft.view(cache)
            costs.append(view.answering)
            if call.prompt > 0:
                draft_only = given.draft_only_beside(view)
                cache.use(view.outline, call.at)
        if briefed:
            costs.append(given.brief)
        if self._alone:
            costs.append(baseline)
        elif outcome is Outcome.DIRECT or "verify" in roles:
            view = verifying or given.verify.view(verify)
            costs.append(view.answering if outcome is Outcome.DIRECT else given.verified(view, outcome))
            if call.prompt > 0:
                baseline = given.baseline_beside(view)
                verify.use(view.outline, call.at)
        if self._foresees:
            memory.ended(
                call.thread,
                signals,
                outcome,
                reason,
                output=call.output if outcome is Outcome.DIRECT else 0,
                drafted=call.output if drafted else 0,
                brief=given.assumptions.brief_tokens if briefed else 0,
            )
        served = isinstance(plan, Answer) and outcome is not Outcome.ENHANCED
        audit = given.audit if outcome is Outcome.SKIPPED else 0
        latency = None if call.latency_s is None else _latency(call.latency_s, roles, plan, given.assumptions)
        self.turns.append(
            ReplayedTurn(
                call,
                outcome,
                reason,
                costs[0] if len(costs) == 1 else add(costs),
                baseline,
                draft_only,
                audit,
                drafted and not served,
                briefed,
                latency,
            )
        )

    def _is_direct(self, signals: Signals) -> bool:
        """Whether the policy sends the turn direct whatever it costs, where that is to be expected of it at all."""
        if signals.follows == "tool-results" and not signals.first_turn and not signals.errors:
            return False
        policy = self._policy
        return policy.route(policy, signals, _EAGER).kind == "direct" and _settled(policy, signals)


def _settled(policy: Policy, signals: Signals) -> bool:
    """Whether the route is the same whatever a draft costs."""
    first, *others = (policy.route(policy, signals, prospect) for prospect in (_EAGER, _RELUCTANT, _UNKNOWN))
    return all(other.kind == first.kind and other.reason is first.reason for other in others)


def never_drafts(session: PreparedSession, policy: Policy) -> bool:
    """Whether no draft is asked for in this session, whatever drafts cost: then nothing is skipped nor saved."""
    return all(
        policy.route(policy, signals, prospect).kind == "direct"
        for signals in session.signals
        for prospect in (_EAGER, _RELUCTANT, _UNKNOWN)
    )


def _play(generator: object, answer: Completion) -> tuple[list[CallModel], Plan]:
    """Answers everything the cascade asks as the record has it."""
    asked: list[CallModel] = []
    try:
        ask = next(generator)  # type: ignore[call-overload]  # a Cascade
        while True:
            asked.append(ask)
            ask = generator.send(answer)  # type: ignore[attr-defined]  # as above
    except StopIteration as stop:
        return asked, stop.value


def _role(ask: CallModel) -> str:
    return "brief" if isinstance(ask.request, BriefRequest) else ask.role


def _latency(recorded: float, roles: list[str], plan: Plan, assumptions: Assumptions) -> float:
    seconds = 0.0
    if "draft" in roles:
        seconds += recorded / assumptions.draft_speed
    if "brief" in roles:
        seconds += BRIEF_SECONDS
    if "verify" in roles:
        seconds += recorded if isinstance(plan, Continue) or plan.outcome is Outcome.ENHANCED else BRIEF_SECONDS
    return seconds + (recorded if plan.outcome is Outcome.DIRECT else 0.0)


def turn_of(verify: Model, pair: Pair, assumptions: Assumptions) -> Turn:
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
