"""From a finished turn to its row: every call priced, the baseline beside it, everything into the ledger's queue.

Rule: nothing here waits, and no finished turn is only in memory. The price table takes a while to load after a start;
turns that end before it is there are entered without prices, and once more with them. Observers are told of every call
once, with its price.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from rlmc.cascade.signals import Signals
from rlmc.domain.chat import ChatRequest, Usage
from rlmc.domain.frozen import dataclass
from rlmc.domain.money import Picodollars
from rlmc.domain.outcome import Outcome, Reason
from rlmc.domain.record import AuditRecord, CallRecord, Ending, EpochRecord, TurnRecord
from rlmc.domain.turn import Finding, Model
from rlmc.ledger.store import Ledger
from rlmc.pricing.baseline import Shadows
from rlmc.pricing.catalog import PriceTable
from rlmc.server.calls import Call

log = logging.getLogger("rlmc.books")

CHARS_PER_TOKEN = 3.4
FLUSH_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class FinishedTurn:
    """A turn as the server saw it. `request` and `signals` are None when its shape was not readable, `decision` when
    nothing was decided. `alone` is what either model alone would have used; a model without a name is unknown.
    `epoch` is there where drafts are audited, `coin` where one was served, `audit` where the coin fell on one."""

    id: str
    session_id: str
    client: str
    conversation: str
    protocol: str
    policy: str
    verify: Model
    draft: Model | None
    started_at: int
    latency_s: float
    ttfb_s: float | None
    status: int | None
    ending: Ending
    reason: Reason
    outcome: Outcome
    findings: tuple[Finding, ...]
    request: ChatRequest | None
    signals: Signals | None
    calls: tuple[Call, ...]
    alone: Shadows
    decision: Mapping[str, Any] | None = None
    request_body: bytes | None = None
    answer_body: bytes | None = None
    traceparent: str | None = None
    simulated: bool = False
    epoch: EpochRecord | None = None
    coin: float | None = None
    audit: AuditRecord | None = None


@dataclass(slots=True)
class Entry:
    """A turn in the books. Calls may be added to it after its end, by whoever makes them: `turn` has all so far, of
    which `told` were told to observers."""

    turn: FinishedTurn
    told: int = 0
    first: bool = True


@dataclass(frozen=True, slots=True)
class Booked:
    """What observers are told. `first` is false where the turn was told of before and only `calls`, those made since,
    are new. `client` is the agent's name, `traceparent` the header by which it says what its request is part of.
    `simulated` is the session's word, as the ledger has it: the session itself may have ended before its last turn."""

    turn: TurnRecord
    client: str
    first: bool
    calls: tuple[CallRecord, ...]
    traceparent: str | None = None
    simulated: bool = False


Observer = Callable[[Booked], None]


class Books:
    """`observers` are told of everything that is booked, in the daemon's event loop; they must not wait."""

    def __init__(self, ledger: Ledger, observers: Sequence[Observer] = ()) -> None:
        self.ledger = ledger
        self.observers = list(observers)
        self.prices: PriceTable | None = None
        self._early: list[Entry] = []
        self._ready = asyncio.Event()
        self.error: str | None = None

    async def load(self, load_prices: Callable[[], PriceTable]) -> None:
        """Load the price table in a thread; without one every price is unknown, which the books then say."""
        try:
            prices = await asyncio.to_thread(load_prices)
        except Exception as error:
            log.exception("no prices")
            self.error = f"prices could not be loaded ({type(error).__name__}); every cost is unknown"
            prices = PriceTable(())
        self._adopt(prices)
        self._ready.set()

    def _adopt(self, prices: PriceTable) -> None:
        self.prices = prices
        early, self._early = self._early, []
        for entry in early:
            self._enter(entry)

    def finish(self, turn: FinishedTurn) -> Entry:
        """Take a finished turn. Never raises, never waits."""
        entry = Entry(turn)
        if self.prices is None:
            self._early.append(entry)
        self._enter(entry)
        return entry

    def add(self, entry: Entry, call: Call) -> None:
        """One more call on a turn that is in the books already. Never raises, never waits."""
        entry.turn = replace(entry.turn, calls=(*entry.turn.calls, call))
        self._enter(entry)

    def amend(self, entry: Entry, ending: Ending) -> None:
        """A turn whose end has turned out to be another one. Never raises, never waits."""
        entry.turn = replace(entry.turn, ending=ending)
        self._enter(entry)

    async def flush(self) -> bool:
        """True when everything finished so far is in the ledger; gives up waiting after a while."""
        with suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_SECONDS):
                await self._ready.wait()
        return await asyncio.to_thread(self.ledger.flush, FLUSH_SECONDS)

    def _enter(self, entry: Entry) -> None:
        turn = entry.turn
        try:
            record = self._record(turn)
            self.ledger.record(record)
        except Exception as error:
            log.exception("a turn could not be booked")
            self.error = f"a turn could not be booked ({type(error).__name__})"
            return
        if self.prices is None:
            return
        new, first = record.calls[entry.told :], entry.first
        entry.told, entry.first = len(record.calls), False
        if not new and not first:
            return
        self._tell(Booked(record, turn.client, first, new, turn.traceparent, turn.simulated))

    def _tell(self, booked: Booked) -> None:
        for observer in self.observers:
            try:
                observer(booked)
            except Exception:
                log.exception("an observer of the books failed")

    def _record(self, turn: FinishedTurn) -> TurnRecord:
        served = next((c for c in turn.calls if c.served), None)
        verify, draft = turn.alone
        baseline, output = self._baseline(turn)
        decision = turn.decision
        if decision is not None and self.prices is not None:
            decision = {**decision, "prices": self.prices.version}
        return TurnRecord(
            id=turn.id,
            session_id=turn.session_id,
            conversation=turn.conversation,
            started_at=turn.started_at,
            protocol=turn.protocol,
            request_class=turn.signals.request_class if turn.signals else "unknown",
            requested_model=turn.request.model if turn.request else "",
            served_model=str(served.model) if served else "",
            policy=turn.policy,
            outcome=turn.outcome,
            reason=turn.reason,
            ending=turn.ending,
            status=turn.status,
            ttfb_ms=None if turn.ttfb_s is None else round(turn.ttfb_s * 1000, 3),
            latency_ms=round(turn.latency_s * 1000, 3),
            baseline=baseline,
            baseline_estimated=verify.estimated,
            baseline_bias=verify.bias * output,
            baseline_noise=verify.noise * output * output,
            draft_only=self._draft_only(turn, draft.usage),
            decision=decision,
            signals=turn.signals.record() if turn.signals else {},
            findings=tuple([f"{f.check}: {f.detail}" for f in turn.findings]),
            calls=tuple([self._call_record(c) for c in turn.calls]),
            epoch=turn.epoch,
            coin=turn.coin,
            audit=turn.audit,
            request_body=turn.request_body,
            answer_body=turn.answer_body,
        )

    def _baseline(self, turn: FinishedTurn) -> tuple[Picodollars | None, Picodollars]:
        """What the verify model alone would have cost, and what a token of its answers costs (0: unknown)."""
        usage = turn.alone.verify.usage
        if usage is None or self.prices is None:
            return None, 0
        price = self.prices.lookup(turn.verify, turn.started_at, usage.prompt)
        cost = self.prices.charge(turn.verify, usage, turn.started_at).cost
        return cost, 0 if price is None else price.output

    def _draft_only(self, turn: FinishedTurn, usage: Usage | None) -> Picodollars | None:
        if turn.draft is None or usage is None or self.prices is None:
            return None
        return self.prices.charge(turn.draft, usage, turn.started_at).cost

    def _call_record(self, call: Call) -> CallRecord:
        usage, estimated = billed_usage(call)
        charge = None
        if usage is not None and self.prices is not None:
            charge = self.prices.charge(call.model, usage, call.started_at)
        ended = call.ended if call.ended is not None else time.monotonic()
        return CallRecord(
            role=call.role,
            provider=call.model.provider,
            model=call.model.name,
            started_at=call.started_at,
            ttfb_ms=None if call.first_byte is None else round((call.first_byte - call.began) * 1000, 3),
            latency_ms=round((ended - call.began) * 1000, 3),
            status=call.status,
            error=call.error,
            usage=usage,
            usage_estimated=estimated,
            cost=charge.cost if charge else None,
            price_source=charge.source if charge else None,
            stop_reason=call.stop_reason,
            served=call.served,
            brief=call.brief,
            details=call_details(call),
        )


def billed_usage(call: Call) -> tuple[Usage | None, bool]:
    """What a call was billed for, and whether part of it is reckoned.

    An error answer is not billed, nor is what never reached its provider. A call cut short is billed for what was read
    and written until then: the prompt is what the stream said at its start, the output what was seen of it. Where
    nothing was said (clients of Chat Completions must ask for usage, and not all do), it is what was expected of the
    prompt and seen of the answer; where nothing was expected, nobody knows.
    """
    if not call.sent or call.status not in (None, 200):
        return Usage(), False
    seen = round(call.output_chars / CHARS_PER_TOKEN)
    if call.usage is None:
        answered = call.status == 200 and (call.complete or call.output_chars > 0)
        return (None if call.expected is None or not answered else replace(call.expected, output=seen)), True
    if call.complete:
        return call.usage, False
    return replace(call.usage, output=max(call.usage.output, seen)), True


def call_details(call: Call) -> dict[str, Any]:
    """What a replay needs to know of a call beside what stands in its row."""
    found: dict[str, Any] = {"complete": call.complete, "output_chars": call.output_chars}
    if call.appended_chars:
        found["appended"] = call.appended_chars
    if call.marked:
        found["marked"] = True
    if call.opened:
        found["opened"] = True
    if call.event is not None:
        found["event"] = call.event
    if not call.sent:
        found["sent"] = False
    return found
