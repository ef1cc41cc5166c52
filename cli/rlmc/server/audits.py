"""Audits: what the verify model would have said to a turn that a draft answered, and whether the draft was worse.

They run in the background after the turn, and what they look at is only in memory. Rule: an audit that was drawn ends
in the ledger, as a loss of 1 where there was no verdict to be had; one whose daemon dies has no end, and counts as 1.
The answer that is compared with has not seen the draft; who judges does not know whose step is whose. Every call is in
the books, on the turn it follows.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from dataclasses import field, replace
from random import Random
from typing import Literal

from rlmc.cascade.audit.canary import planted
from rlmc.cascade.audit.judge import loss, question
from rlmc.cascade.audit.same import same
from rlmc.cascade.plan import BriefRequest, CallModel, Original
from rlmc.cascade.verify import candidate_json
from rlmc.domain.chat import Completion
from rlmc.domain.frozen import dataclass
from rlmc.domain.layout import Mark
from rlmc.domain.outline import Outline
from rlmc.domain.record import AuditEnding, AuditRecord
from rlmc.domain.turn import Turn
from rlmc.quality.canaries import AT_FIRST, CAUGHT, THEN
from rlmc.server.books import Books, Entry
from rlmc.server.calls import Call, wall_us
from rlmc.server.driver import Turnover, perform
from rlmc.server.epochs import Epochs, Watch
from rlmc.server.sessions import Session

log = logging.getLogger("rlmc.audits")

ANSWER_SECONDS = 1200.0
JUDGE_SECONDS = 120.0
PAUSES = (20.0, 120.0)
"""Between the attempts of a call: two retries. Nobody waits for an audit, and a provider that is busy now may not be a
minute later."""
_CHARS_PER_TOKEN = 3
CLOSE_SECONDS = 3.0
# So many may go on at once, all sessions together; others wait, and what they wait with is held in memory.
_AT_ONCE = 4
_MOST_WAITING = 64
_MOST_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Audited:
    """A turn that a draft answered and whose coin has fallen on an audit. `marker` and `outline` are those of the
    verify model's prompt, `drawn` what the ledger has of it."""

    session: Session
    turn: Turn
    turnover: Turnover
    watch: Watch
    draft: Completion
    drawn: AuditRecord
    marker: Mark | None
    outline: Outline
    entry: Entry


@dataclass(slots=True)
class Audits:
    """`chance` decides what is planted and who comes first."""

    epochs: Epochs
    books: Books
    chance: Random
    pauses: tuple[float, ...] = PAUSES
    _tasks: dict[asyncio.Task[None], Audited] = field(default_factory=dict)
    _room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    def begin(self, one: Audited) -> None:
        task = asyncio.create_task(self._run(one))
        self._tasks[task] = one
        task.add_done_callback(lambda done: self._tasks.pop(done, None))

    @property
    def has_room(self) -> bool:
        """Whether one more may be drawn. To be asked before a turn is decided: one that was drawn is made."""
        held = sum(len(one.turn.request.raw) for one in self._tasks.values())
        return len(self._tasks) < _MOST_WAITING and held < _MOST_BYTES

    def sessions(self) -> set[str]:
        """Of which audits are under way: what they cost is still to be written."""
        # Also asked by the ledger's own thread, while the loop adds and removes some.
        return {one.session.id for one in list(self._tasks.values())}

    def under_way(self, session: str | None = None) -> int:
        """How many audits have not ended, of one session or of all."""
        return sum(session is None or one.session.id == session for one in self._tasks.values())

    async def wait(self, seconds: float, session: str | None = None) -> int:
        """Waits for them, for a while, and says how many have not ended then."""
        tasks = [task for task, one in self._tasks.items() if session is None or one.session.id == session]
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)
        return self.under_way(session)

    async def close(self) -> None:
        """Gives those under way a moment, and lets the others go."""
        await self.wait(CLOSE_SECONDS)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self, one: Audited) -> None:
        async with self._room:
            own = await self._audit(one)
            if own is not None:
                await self._plant(one, own)

    async def _audit(self, one: Audited) -> Completion | None:
        """The audit to its end, which is in the books before anything else is asked. What the verify model said."""
        care, ledger = one.watch.epoch.care, self.books.ledger
        found: tuple[float, AuditEnding] = (1.0, "failed")
        own = None
        try:
            own = await self._own_answer(one)
            if own is not None:
                found = await self._compare(one, own)
        except Exception:
            log.exception("turn %s could not be audited", one.turnover.id)
        lost, how = found
        ledger.end_audit(one.entry.turn.id, wall_us(), lost, how)
        care.ended(one.drawn.bucket, one.drawn.probability, lost, judged=how != "failed")
        self.epochs.keep(one.watch.epoch)
        return own

    async def _compare(self, one: Audited, own: Completion) -> tuple[float, AuditEnding]:
        if same(own, one.draft):
            return 0.0, "same"
        found = await self._judge(one, one.draft, own)
        return (1.0, "failed") if found is None else (found, "judged")

    async def _own_answer(self, one: Audited) -> Completion | None:
        """What the verify model says to the same prompt. It has read the prompt then, so its cache is warm again."""

        def ask(attempt: int) -> CallModel:
            # The provider may have refused what rlmc added: later attempts are the client's own bytes.
            original = Original(one.turn.request, None if attempt else one.marker)
            return CallModel("audit", one.turn.verify, original, ANSWER_SECONDS)

        return await self._asked(one, ask)

    async def _judge(self, one: Audited, doubted: Completion, other: Completion) -> float | None:
        """What `doubted` loses against `other`, from 0 to 1; None where the judge gives no verdict. One that finds it
        worse is asked once more, with both in the other order."""
        place: Literal["first", "second"] = self.chance.choice(("first", "second"))
        found = await self._judgement(one, doubted, other, place)
        if not found:
            return found
        again = await self._judgement(one, doubted, other, "second" if place == "first" else "first")
        return None if again is None else (found + again) / 2

    async def _judgement(
        self, one: Audited, doubted: Completion, other: Completion, place: Literal["first", "second"]
    ) -> float | None:
        pair = (doubted, other) if place == "first" else (other, doubted)
        # However long the two steps are, what they are judged by has its room.
        room = one.turn.brief_tokens * _CHARS_PER_TOKEN + sum(len(candidate_json(step)) for step in pair)

        def ask(_attempt: int) -> CallModel | None:
            brief = question(one.turn.request, *pair, secrets.token_hex(8), room)
            if brief is None:
                return None
            request = BriefRequest(one.turn.request, brief.system, brief.text)
            return CallModel("judge", one.turn.verify, request, JUDGE_SECONDS)

        answer = await self._asked(one, ask, readable=lambda answer: loss(answer, place) is not None)
        return None if answer is None else loss(answer, place)

    async def _plant(self, one: Audited, own: Completion) -> None:
        """Now and then: would the judge find a fault in what the verify model itself has said?"""
        epoch, session = one.watch.epoch, one.session
        if session.ended or session.spending.passed(session.parts.settings, wall_us()) is not None:
            return
        if epoch.planted >= AT_FIRST and self.chance.random() >= THEN:
            return
        faulty = planted(own, self.chance)
        if faulty is None:
            return
        epoch.planted += 1
        try:
            found = await self._judge(one, faulty, own)
        except Exception:
            # Who cannot say so has not found it.
            log.exception("a planted fault could not be judged")
            found = None
        caught = found is not None and found >= CAUGHT
        self.books.ledger.canary(one.entry.turn.id, epoch.record.id, wall_us(), caught=caught)

    async def _asked(
        self,
        one: Audited,
        ask: Callable[[int], CallModel | None],
        readable: Callable[[Completion], bool] = lambda _: True,
    ) -> Completion | None:
        """The answer to a call that is made anew where it fails; None where it fails for good."""
        for attempt, pause in enumerate((*self.pauses, None)):
            wanted = ask(attempt)
            if wanted is None:
                return None
            turnover = replace(one.turnover, calls=[])
            try:
                result = await perform(wanted, turnover)
            finally:
                for call in turnover.calls:
                    await call.close()
                    if wanted.role == "audit" and call.complete and call.error is None:
                        self._refresh(one, call)
                        call.event = one.session.next_event()
                    self.books.add(one.entry, call)
            if isinstance(result, Completion) and readable(result):
                return result
            if pause is not None:
                await asyncio.sleep(pause)
        return None

    def _refresh(self, one: Audited, call: Call) -> None:
        outline = one.outline if one.marker is None or not call.marked else one.outline.marked(*one.marker)
        one.session.memory.refresh(one.turn.verify, outline, call.started_at)
