"""From a finished turn to its row: every call priced, the baseline beside it, everything into the ledger's queue.

Rule: nothing here waits, and no finished turn is only in memory. The price table takes a while to load after a start;
turns that end before it is there are entered without prices, and once more with them.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from rlmc.cascade.signals import Signals
from rlmc.domain.chat import ChatRequest, Usage
from rlmc.domain.record import CallRecord, Ending, TurnRecord
from rlmc.domain.turn import Finding, Model, Outcome, Reason
from rlmc.ledger.store import Ledger
from rlmc.pricing.baseline import Baseline, Shadow, TurnFacts
from rlmc.pricing.cache import prefix_of
from rlmc.pricing.catalog import PriceTable
from rlmc.server.calls import Call

log = logging.getLogger("rlmc.books")

CHARS_PER_TOKEN = 3.4
FLUSH_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class FinishedTurn:
    """A turn as the server saw it. `request` and `signals` are None when its shape was not readable."""

    id: str
    session_id: str
    conversation: str
    protocol: str
    policy: str
    verify: Model
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
    answer_chars: int
    request_body: bytes | None = None
    answer_body: bytes | None = None


class Books:
    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._prices: PriceTable | None = None
        self._shadow: Shadow | None = None
        self._early: list[FinishedTurn] = []
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
        self._prices, self._shadow = prices, Shadow(prices)
        early, self._early = self._early, []
        for turn in early:
            self._enter(turn)

    def finish(self, turn: FinishedTurn) -> None:
        """Take a finished turn. Never raises, never waits."""
        if self._prices is None:
            self._early.append(turn)
        self._enter(turn)

    async def flush(self) -> bool:
        """True when everything finished so far is in the ledger; gives up waiting after a while."""
        with suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_SECONDS):
                await self._ready.wait()
        return await asyncio.to_thread(self.ledger.flush, FLUSH_SECONDS)

    def _enter(self, turn: FinishedTurn) -> None:
        try:
            self.ledger.record(self._record(turn))
        except Exception as error:
            log.exception("a turn could not be booked")
            self.error = f"a turn could not be booked ({type(error).__name__})"

    def _record(self, turn: FinishedTurn) -> TurnRecord:
        calls = tuple(self._call_record(c) for c in turn.calls)
        baseline = self._baseline(turn, calls)
        served = next((c for c in turn.calls if c.served), None)
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
            baseline=baseline.cost,
            baseline_estimated=baseline.estimated,
            signals=turn.signals.record() if turn.signals else {},
            findings=tuple(f"{f.check}: {f.detail}" for f in turn.findings),
            calls=calls,
            request_body=turn.request_body,
            answer_body=turn.answer_body,
        )

    def _call_record(self, call: Call) -> CallRecord:
        usage, estimated = billed_usage(call)
        charge = None
        if usage is not None and self._prices is not None:
            charge = self._prices.charge(call.model, usage, call.started_at)
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
        )

    def _baseline(self, turn: FinishedTurn, calls: tuple[CallRecord, ...]) -> Baseline:
        if self._shadow is None:
            return Baseline(None, True, None)
        verify = [c for c in calls if c.role != "draft"]
        drafts = [c for c in calls if c.role == "draft"]
        appended = sum(c.appended_chars for c in turn.calls)
        request = turn.request
        return self._shadow.observe(
            TurnFacts(
                conversation=f"{turn.session_id} {turn.conversation}",
                prefix=prefix_of(request) if request else "",
                at=verify[0].started_at if verify else turn.started_at,
                outcome=turn.outcome,
                verify=turn.verify,
                ttl=request.cache_ttl if request else None,
                prompt_chars=request.chars if request else 0,
                verify_calls=tuple(c.usage for c in verify),
                draft=drafts[-1].usage if drafts else None,
                appended_chars=appended,
                answer_chars=turn.answer_chars,
                measured=not any(c.usage_estimated for c in verify or drafts),
            )
        )


def billed_usage(call: Call) -> tuple[Usage | None, bool]:
    """What a call was billed for, and whether part of it is reckoned.

    An error answer is not billed, nor is what never reached its provider. A call cut short is billed for what was read
    and written until then: the prompt is what the stream said at its start, the output what was seen of it. Where
    nothing was said, nobody knows.
    """
    if not call.sent or call.status not in (None, 200):
        return Usage(), False
    if call.usage is None:
        return None, True
    if call.complete:
        return call.usage, False
    seen = round(call.output_chars / CHARS_PER_TOKEN)
    return replace(call.usage, output=max(call.usage.output, seen)), True
