"""A session of rlmc's own, decided again from its ledger: the same calls, outcomes, reasons and picodollars as live.

Rule: the core is given what it was given then (facts, draws, what its looks at content saw, what became of its calls)
and nothing it decided; what it decides must be what stands in the ledger. Prices are those of today's table: the report
says where a turn was booked with another.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import field
from typing import Any, Literal

from rlmc.cascade.brief import Brief
from rlmc.cascade.caution import FREE, Caution
from rlmc.cascade.engine import run as cascade
from rlmc.cascade.plan import (
    BriefRequest,
    CallFailed,
    CallModel,
    CallResult,
    Cascade,
    Opened,
    Plan,
    Relay,
)
from rlmc.cascade.policies import find
from rlmc.cascade.seen import Drafted
from rlmc.cascade.session import Arrival, Foresight, Memory, facts_as_sent
from rlmc.cascade.signals import Signals
from rlmc.cascade.verify import Verdict
from rlmc.domain.chat import ChatRequest, Completion
from rlmc.domain.effect import Effect
from rlmc.domain.frozen import dataclass
from rlmc.domain.outcome import Outcome, Reason
from rlmc.domain.outline import Outline, Place
from rlmc.domain.record import DECISION_FORMAT, MARKER_REFUSED
from rlmc.domain.turn import ClientHints, DraftAbilities, Finding, Model, Turn
from rlmc.errors import LedgerError
from rlmc.ledger.decisions import KeptCall, KeptTurn
from rlmc.ledger.report import AUDITING, Amount
from rlmc.pricing.baseline import TurnFacts
from rlmc.pricing.catalog import PriceTable

# Turns that came to no decision of the cascade's; the rest of the session knows of them all the same.
_NOT_DECIDED = frozenset({Reason.UNDECIDED, Reason.INTERNAL})
# Where a draft is asked for now that was not looked at then: it is refused, and the difference is said.
_NOTHING_SEEN: dict[str, Any] = {
    "effect": None,
    "calls": 0,
    "chars": 0,
    "output": 0,
    "tool": "",
    "findings": ["not seen"],
}
# Calls that follow a turn and have no part in its answer.
_AFTERWARDS = ("keepalive", *AUDITING)
_NO_REQUEST = ChatRequest(raw=b"", model="", stream=False, max_tokens=None, messages=())


@dataclass(slots=True)
class Comparison:
    """What came of deciding a session again. `turns` in all, `decided` those that could be decided again, `calls` they
    made; `differences` name the turn, what differs, and both values. `other_prices` counts turns that were booked with
    another price table than this one, `other_policy` those a policy of another version decided."""

    turns: int = 0
    decided: int = 0
    calls: int = 0
    paid: Amount = field(default_factory=Amount)
    baseline: Amount = field(default_factory=Amount)
    other_prices: int = 0
    other_policy: int = 0
    differences: list[tuple[str, str, Any, Any]] = field(default_factory=list)

    def note(self, turn: KeptTurn, what: str, then: object, now: object) -> None:
        if then != now:
            self.differences.append((turn.id, what, then, now))


class KeptReading:
    """Gives back what a live reading saw."""

    def __init__(self, seen: dict[str, Any]) -> None:
        self._seen = seen

    def draft(self, _turn: Turn, completion: Completion) -> tuple[Completion, Drafted]:
        d = self._seen.get("draft") or _NOTHING_SEEN
        effect = None if d["effect"] is None else Effect(d["effect"])
        findings = tuple(Finding(check, "") for check in d["findings"])
        return completion, Drafted(effect, d["calls"], d["chars"], d["output"], findings, d["tool"])

    def appendix(self, _turn: Turn, _draft: Completion) -> str:
        return " " * int(self._seen.get("appended", 0))

    def verdict(self, _turn: Turn, answer: Completion) -> tuple[Verdict, Completion]:
        return self._seen.get("verdict", "none"), answer

    def brief(self, _turn: Turn, _draft: Completion) -> Brief | None:
        return Brief("", "") if self._seen.get("brief_chars") is not None else None

    def brief_accepts(self, _turn: Turn, _answer: Completion) -> bool:
        return bool(self._seen.get("brief_accepts"))


_END: Literal["end"] = "end"
# What happens to a turn: it arrives (None), it ends, or a call after it reads the verify model's cache.
_What = Literal["end"] | KeptCall | None


@dataclass(slots=True)
class _Open:
    """A turn between its arrival and its end."""

    arrival: Arrival
    foresight: Foresight
    outcome: Outcome
    reason: Reason


def compare(turns: Sequence[KeptTurn], prices: PriceTable) -> Comparison:
    found = Comparison(turns=len(turns))
    memories: dict[str, Memory] = {}
    under_way: dict[str, _Open] = {}
    decided = [turn for turn in turns if (turn.decision or {}).get("format") == DECISION_FORMAT]
    for turn in turns:
        if turn not in decided:
            _price_calls(turn, prices, found)
            found.baseline.add(turn.baseline)
    for turn, what in _events(decided):
        decision: dict[str, Any] = turn.decision or {}
        memory = memories.setdefault(decision["epoch"], Memory())
        try:
            if what is None:
                under_way[turn.id] = _decide(turn, decision, memory, prices, found)
            elif what == _END:
                _finish(turn, under_way.pop(turn.id), memory, prices, found)
            elif isinstance(what, KeptCall):
                outline = read_outline(decision["outline"])
                if what.details.get("marked"):
                    outline = outline.marked(*decision["marker"])
                memory.refresh(what.model, outline, what.started_at)
        except (KeyError, TypeError, ValueError) as error:
            raise LedgerError(
                f"the decision of turn {turn.id} cannot be read ({type(error).__name__}: {error})",
                "it may be of another version of rlmc, or the ledger was changed",
            ) from error
    return found


def _events(turns: Sequence[KeptTurn]) -> list[tuple[KeptTurn, _What]]:
    """Arrivals, ends and keep-alives in the order they happened. The daemon's lives follow one another; in each, events
    count up."""
    begun: dict[str, int] = {}
    for turn in turns:
        epoch = (turn.decision or {})["epoch"]
        begun[epoch] = min(begun.get(epoch, turn.started_at), turn.started_at)
    keyed: list[tuple[int, int, KeptTurn, _What]] = []
    for turn in turns:
        decision = turn.decision or {}
        arrived, finished = decision["events"]
        start = begun[decision["epoch"]]
        keyed += [(start, arrived, turn, None), (start, finished, turn, _END)]
        keyed += [(start, call.details["event"], turn, call) for call in turn.calls if "event" in call.details]
    keyed.sort(key=lambda item: item[:2])
    return [(turn, what) for _, _, turn, what in keyed]


# --- one turn ---------------------------------------------------------------------------------------------------------


def _decide(turn: KeptTurn, decision: dict[str, Any], memory: Memory, prices: PriceTable, found: Comparison) -> _Open:
    policy = find(turn.policy)
    if policy is None:
        raise ValueError(f"turn {turn.id} was decided by the policy {turn.policy!r}, which this version does not know")
    setup = decision["setup"]
    found.decided += 1
    found.other_policy += decision["policy_version"] != policy.version
    found.other_prices += decision.get("prices") not in (None, prices.version)
    signals = Signals.from_record(turn.signals)
    verify = Model(*setup["verify"])
    draft = None if setup["draft"] is None else Model(*setup["draft"])
    arrival = Arrival(
        conversation=turn.conversation,
        at=turn.started_at,
        signals=signals,
        outline=read_outline(decision["outline"]),
        verify=verify,
        draft=draft,
        policy=policy,
        brief_tokens=setup["brief_tokens"],
    )
    foresight = memory.arrive(arrival, prices if decision["decided_with_prices"] else None)
    found.note(turn, "expectations", decision["foresight"], _plain(foresight.record()))
    found.note(turn, "cache marker", decision["marker"], _plain(foresight.marker))
    if Reason(turn.reason) in _NOT_DECIDED:
        return _Open(arrival, foresight, Outcome(turn.outcome), Reason(turn.reason))
    block = setup["draft_block"]
    again = Turn(
        request=_NO_REQUEST,
        hints=ClientHints(),
        verify=verify,
        verify_context=setup["verify_context"],
        draft=draft,
        draft_block=None if block is None else Reason(block),
        draft_abilities=DraftAbilities(setup["draft_context"], setup["draft_media"]),
        own_calls=setup["own_calls"],
        nonce=decision["draws"]["nonce"],
        draft_timeout=setup["draft_timeout"],
        auto_mode_local=setup["auto_mode_local"],
        brief_tokens=setup["brief_tokens"],
    )
    reading = KeptReading(decision["seen"])
    made = [call for call in turn.calls if call.role not in _AFTERWARDS and call.error != MARKER_REFUSED]
    controller = decision["controller"]
    caution = FREE if controller is None else Caution.from_record(controller["caution"])
    generator = cascade(again, signals, foresight.prospect, policy, foresight.marker, reading, caution)
    asked, plan = _play(generator, made)
    more = _made_by(plan)
    calls = [(ask.role, isinstance(ask.request, BriefRequest), str(ask.target)) for ask in asked] + more
    found.note(turn, "calls", [(c.role, c.brief, str(c.model)) for c in made], calls)
    found.note(turn, "outcome", turn.outcome, plan.outcome.value)
    found.note(turn, "reason", turn.reason, plan.reason.value)
    return _Open(arrival, foresight, plan.outcome, plan.reason)


def _play(generator: Cascade, made: Sequence[KeptCall]) -> tuple[list[CallModel], Plan]:
    asked: list[CallModel] = []
    try:
        ask = next(generator)
        while True:
            asked.append(ask)
            call = made[len(asked) - 1] if len(asked) <= len(made) else None
            ask = generator.send(_result(call if call is not None and _answers(call, ask) else None))
    except StopIteration as stop:
        return asked, stop.value


def _answers(call: KeptCall, ask: CallModel) -> bool:
    return call.role == ask.role and call.brief == isinstance(ask.request, BriefRequest)


def _result(call: KeptCall | None) -> CallResult:
    """What became of a call then. One that was opened had begun an answer of its own, however that ended."""
    if call is None:
        return CallFailed("wire", "no such call was made")
    if call.details.get("opened"):
        return Opened()
    if call.error is not None:
        return CallFailed("wire", call.error)
    return Completion(call.model.name, (), "end_turn", call.usage)


def _made_by(plan: Plan) -> list[tuple[str, bool, str]]:
    """The calls a plan makes itself."""
    return [("direct", False, str(plan.target))] if isinstance(plan, Relay) else []


def _finish(turn: KeptTurn, then: _Open, memory: Memory, prices: PriceTable, found: Comparison) -> None:
    decision: dict[str, Any] = turn.decision or {}
    arrival = then.arrival
    facts = kept_facts(turn, arrival, then.outcome, decision)
    if any(call.details.get("marked") for call in turn.calls if call.role not in _AFTERWARDS):
        facts = facts_as_sent(facts, then.foresight.marker)
    alone = memory.finish(arrival, facts, then.reason)
    usage, only = alone.verify.usage, alone.draft.usage
    baseline = None if usage is None else prices.charge(arrival.verify, usage, turn.started_at).cost
    draft_only = (
        None if only is None or arrival.draft is None else prices.charge(arrival.draft, only, turn.started_at).cost
    )
    price = None if usage is None else prices.lookup(arrival.verify, turn.started_at, usage.prompt)
    output = 0 if price is None else price.output
    found.note(turn, "baseline", turn.baseline, baseline)
    found.note(turn, "baseline estimated", turn.baseline_estimated, alone.verify.estimated)
    found.note(turn, "baseline half-width", turn.baseline_bias, alone.verify.bias * output)
    found.note(turn, "baseline variance", turn.baseline_noise, alone.verify.noise * output * output)
    found.note(turn, "draft-only", turn.draft_only, draft_only)
    found.baseline.add(baseline)
    _price_calls(turn, prices, found)


def _price_calls(turn: KeptTurn, prices: PriceTable, found: Comparison) -> None:
    for call in turn.calls:
        cost = None if call.usage is None else prices.charge(call.model, call.usage, call.started_at).cost
        found.note(turn, f"cost of the {call.role} call", call.cost, cost)
        found.calls += 1
        found.paid.add(cost)


def kept_facts(turn: KeptTurn, arrival: Arrival, outcome: Outcome, decision: dict[str, Any]) -> TurnFacts:
    """The finished turn as the books saw it then."""
    verify = [call for call in turn.calls if call.role in ("verify", "direct") and not call.brief]
    drafts = [call for call in turn.calls if call.role == "draft" and call.details.get("sent", True)]
    return TurnFacts(
        at=arrival.at,
        outcome=outcome,
        verify=arrival.verify,
        draft_model=arrival.draft,
        outline=arrival.outline,
        verify_calls=tuple(call.usage for call in verify),
        asked_draft=bool(drafts),
        draft=drafts[-1].usage if drafts else None,
        appended_chars=max((call.details.get("appended", 0) for call in verify), default=0),
        kind=decision["kind"],
        answer_chars=decision["answer_chars"],
        measured=not any(call.usage_estimated for call in verify),
        brief_prompt=sum(call.usage.prompt for call in turn.calls if call.brief and call.usage is not None),
    )


def read_outline(kept: dict[str, Any]) -> Outline:
    places = tuple(
        Place(bytes.fromhex(key), block, position, size, mark) for key, block, position, size, mark in kept["places"]
    )
    return Outline(places, kept["markers"])


def _plain(value: object) -> Any:
    """As it comes back from the ledger."""
    return json.loads(json.dumps(value))
