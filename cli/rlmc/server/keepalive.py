"""Keeps the verify model's cache of a waiting conversation warm, where that is expected to pay and the user wants it.

Rule: off unless `keep-alive` is set; only while the run that owns the session lives; never with a subscription login,
never once a budget stops the session; every ping is a call in the books, on the turn it follows. A conversation's next
turn ends its pings.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from rlmc.domain.frozen import dataclass
from rlmc.domain.layout import Lifetime
from rlmc.domain.outline import Outline
from rlmc.domain.price import Price
from rlmc.domain.turn import Model
from rlmc.errors import UpstreamError, WireError
from rlmc.pricing.gaps import Pause
from rlmc.pricing.keepalive import MARGIN_SECONDS, due_seconds, pays
from rlmc.server.books import Books, Entry
from rlmc.server.calls import Call, wall_us
from rlmc.server.ingress import Inbound
from rlmc.server.requests import uncompressed, verify_request
from rlmc.server.sessions import Means, Session
from rlmc.upstream.sleep import asleep
from rlmc.upstream.transport import Transport
from rlmc.wire.codec import Codec

log = logging.getLogger("rlmc.keepalive")

_MOST_CONVERSATIONS = 8
_MOST_PINGS = 24
_ANSWER_SECONDS = 60.0
_MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Waiting:
    """A conversation whose last turn has read the verify model's cache. `body` is the request as the client sent it,
    `began` when that was (monotonic seconds)."""

    session: Session
    means: Means
    inbound: Inbound
    codec: Codec
    transport: Transport
    books: Books
    verify: Model
    outline: Outline
    body: bytes
    pause: Pause
    began: float
    entry: Entry

    @property
    def lifetime(self) -> Lifetime:
        return self.outline.lifetime or "5m"


def begin(waiting: Waiting, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
    """Start looking after the conversation; what was looked after before is let go."""
    session, conversation = waiting.session, waiting.entry.turn.conversation
    end(session, conversation)
    if session.ended:
        return
    while len(session.kept_warm) >= _MOST_CONVERSATIONS:
        end(session, next(iter(session.kept_warm)))
    task = asyncio.create_task(_keep(waiting, sleep))
    session.kept_warm[conversation] = task


def end(session: Session, conversation: str) -> None:
    task = session.kept_warm.pop(conversation, None)
    if task is not None:
        task.cancel()


def end_all(session: Session) -> None:
    for conversation in list(session.kept_warm):
        end(session, conversation)


async def _keep(waiting: Waiting, sleep: Callable[[float], Awaitable[None]]) -> None:
    # An entry lives from the start of the request that last read it.
    used, due = waiting.began, due_seconds(waiting.lifetime)
    slept = asleep()
    try:
        for _ in range(_MOST_PINGS):
            await sleep(max(0.0, used + due - time.monotonic()))
            late = time.monotonic() - used - due
            if max(late, late + asleep() - slept) > MARGIN_SECONDS / 2:
                return  # too late (a machine that slept): the entry may be gone, and a ping would write it anew
            idle = used + due - waiting.began
            session = waiting.session
            if (
                session.ended
                or session.attached == 0
                or session.spending.stopped(session.parts.settings, wall_us())
                or not pays(waiting.pause, waiting.lifetime, idle, _price(waiting))
            ):
                return
            call = Call("keepalive", waiting.verify)
            try:
                wanted = await _ping(waiting, call)
            except asyncio.CancelledError:
                call.fail("cancelled")
                if call.sent:
                    waiting.books.add(waiting.entry, call)
                raise
            if not wanted:
                return
            if call.error is None:
                session.memory.refresh(waiting.verify, waiting.outline, call.started_at)
                call.event = session.next_event()
            waiting.books.add(waiting.entry, call)
            if call.error is not None:
                return
            used = call.began
    except asyncio.CancelledError:
        raise
    except Exception:
        log.exception("a cache could not be kept warm")


def _price(waiting: Waiting) -> Price | None:
    prices, usage = waiting.books.prices, waiting.entry.turn.alone.verify.usage
    if prices is None or usage is None:
        return None
    return prices.lookup(waiting.verify, waiting.entry.turn.started_at, usage.prompt)


async def _ping(waiting: Waiting, call: Call) -> bool:
    """Makes the call and notes its bill; false when this request has no form that only warms the cache."""
    codec = waiting.codec
    try:
        body = codec.prewarm_body(waiting.body)
        request = verify_request(waiting.means, waiting.inbound, codec, waiting.verify, body)
    except WireError:
        return False
    answer = bytearray()
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            response = await call.send(waiting.transport, uncompressed(request))
            async for chunk in call.chunks():
                answer += chunk
                if len(answer) > _MOST_BYTES:
                    break
        if response.status != 200:
            call.fail(f"status: {response.status}")
        else:
            completion = codec.decode_completion(bytes(answer))
            call.usage, call.stop_reason, call.complete = completion.usage, completion.stop_reason, True
    except TimeoutError:
        call.fail("timeout")
    except (UpstreamError, WireError) as error:
        call.fail(error.kind if isinstance(error, UpstreamError) else "wire")
    finally:
        await call.close()
    return True
