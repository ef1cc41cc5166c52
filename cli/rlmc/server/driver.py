"""Drives a cascade: performs each call it asks for and hands back what came of it, as a value.

Fail open: nothing a draft or a verdict does, however strange, may raise past this module.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from rlmc.cascade.plan import (
    BriefRequest,
    CallFailed,
    CallModel,
    CallResult,
    Cascade,
    Opened,
    Original,
    Plan,
    StreamReader,
    WithAppendix,
)
from rlmc.domain.chat import (
    ArgumentsDelta,
    BlockStarted,
    Completion,
    Delta,
    Started,
    Stopped,
    Stopping,
    StreamError,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolCall,
    ToolSpec,
    Usage,
)
from rlmc.errors import UpstreamError, WireError
from rlmc.server.calls import Call
from rlmc.server.headers import first
from rlmc.server.ingress import Inbound
from rlmc.server.outgoing import Outgoing
from rlmc.server.pace import paced
from rlmc.server.reasoning import Reasoning
from rlmc.server.requests import request_for, takes_marker, uncompressed
from rlmc.server.sessions import Means
from rlmc.server.targets import Target
from rlmc.server.way import way_to
from rlmc.upstream.transport import Transport
from rlmc.wire.assemble import Assembler
from rlmc.wire.codec import Codec, StreamDecoder
from rlmc.wire.openai.names import own_names

log = logging.getLogger("rlmc.driver")

# After this many seconds without a verdict the client's line is kept alive by pings.
HOLD_SECONDS = 100.0
PING_SECONDS = 15.0
# A provider sends pings of its own while it thinks; one that is silent for so long has gone.
SILENCE_SECONDS = 180.0
_MAX_BUFFERED = 64 * 1024 * 1024


@dataclass(slots=True)
class Turnover:
    """What a turn's driver and its egress share. `codec` is the client's, `tools` those of its request, `reasoning`
    what its session keeps for models that want theirs back, `expected` what the verify model should use on this prompt.
    `opened` is a verify call that goes on as the answer, with the bytes read so far and the decoder that has read them.
    `plan` is what is carried out once that is decided, `target` how the draft model has behaved lately."""

    id: str
    means: Means
    inbound: Inbound
    codec: Codec
    transports: dict[str, Transport]
    out: Outgoing
    streams: bool
    reasoning: Reasoning
    tools: tuple[ToolSpec, ...] = ()
    expected: Usage | None = None
    calls: list[Call] = field(default_factory=list)
    opened: Call | None = None
    opened_decoder: StreamDecoder | None = None
    opened_bytes: list[bytes] = field(default_factory=list)
    plan: Plan | None = None
    target: Target | None = None

    def transport(self, provider: str) -> Transport:
        return self.transports.get(provider) or self.transports["http"]

    async def close(self) -> None:
        for call in self.calls:
            await call.close()


async def drive(cascade: Cascade, turnover: Turnover) -> Plan:
    try:
        ask = next(cascade)
        while True:
            ask = cascade.send(await perform(ask, turnover))
    except StopIteration as stop:
        plan: Plan = stop.value
        return plan


async def perform(ask: CallModel, turnover: Turnover) -> CallResult:
    """Make one call and wait for its answer; whatever becomes of it is a value, and the call is among `calls`."""
    call = Call(ask.role, ask.target, brief=ask.role == "verify" and isinstance(ask.request, BriefRequest))
    turnover.calls.append(call)
    target = turnover.target
    if ask.role != "draft" or target is None:
        return await _within(ask, call, turnover)
    if not target.begin(call):
        return CallFailed("paused", "another turn tries it")
    chars = ask.request.request.chars
    try:
        result = await _within(ask, call, turnover, target.patience.limit(chars))
    except asyncio.CancelledError:
        target.breaker.nothing(call.began)
        raise
    target.ended(call, turnover.means.parts.settings.draft_breaker, chars)
    return result


async def _within(ask: CallModel, call: Call, turnover: Turnover, first: float | None = None) -> CallResult:
    """The call, given up at its deadline; and after `first` seconds, where nothing at all has come by then."""
    try:
        async with given_up(call, ask.deadline, first):
            return await _call(ask, call, turnover)
    except TimeoutError as error:
        return await _failed(call, "timeout", str(error))
    except UpstreamError as error:
        return await _failed(call, "unreachable", error.kind)
    except WireError as error:
        return await _failed(call, "wire", error.message)
    except Exception as error:
        log.exception("a %s call failed inside rlmc", ask.role)
        return await _failed(call, "wire", type(error).__name__)


@asynccontextmanager
async def given_up(call: Call, deadline: float | None, first: float | None) -> AsyncIterator[None]:
    """Raises TimeoutError after `deadline` seconds, or after `first` where nothing of the answer has come by then."""
    if deadline is None or first is None or first >= deadline:
        first = deadline
    end = None if deadline is None else asyncio.get_running_loop().time() + deadline
    try:
        async with asyncio.timeout(first) as clock:
            if first != deadline:
                call.heard = lambda: clock.reschedule(end)
            yield
    except TimeoutError:
        if call.first_byte is None:
            raise TimeoutError(f"nothing came within {first:g} s") from None
        raise TimeoutError(f"no answer within {deadline:g} s") from None
    finally:
        call.heard = None


async def _failed(call: Call, kind: str, detail: str) -> CallFailed:
    call.fail(f"{kind}: {detail}")
    await call.close()
    return CallFailed(kind, detail)  # type: ignore[arg-type]  # the kinds above are the type's


async def _call(ask: CallModel, call: Call, turnover: Turnover) -> CallResult:
    codec = turnover.codec
    way = way_to(turnover.means.parts, codec, ask.target)
    call.codec = there = way.codec
    request = request_for(turnover.means, turnover.inbound, codec, ask.target, ask.request, turnover.reasoning)
    if isinstance(ask.request, WithAppendix):
        call.appended_chars = len(ask.request.text)
    if isinstance(ask.request, Original):
        request = uncompressed(request)
    if isinstance(ask.request, WithAppendix | Original):
        call.expected = turnover.expected
        marker = ask.request.marker
        call.marked = way.same and marker is not None and takes_marker(codec, ask.request.request, marker)
    response = await call.send(turnover.transport(ask.target.provider), request)
    if response.status != 200:
        return await _failed(call, "status", str(response.status))
    media_type = (first(response.headers, "content-type") or "").split(";")[0].strip().lower()
    if media_type == "application/json":
        result = await _read_whole(call, there)
    else:
        result = await _read_stream(ask.reader, call, there, turnover)
    return _as_named(result, own_names(turnover.tools)) if isinstance(result, Completion) else result


def _as_named(completion: Completion, names: Mapping[str, str]) -> Completion:
    """With the client's names of its tools, where they were sent under others."""
    if not names:
        return completion
    parts = [
        replace(part, name=names.get(part.name, part.name)) if isinstance(part, ToolCall) else part
        for part in completion.parts
    ]
    return replace(completion, parts=tuple(parts))


async def _read_whole(call: Call, codec: Codec) -> CallResult:
    body = bytearray()
    async for chunk in call.chunks():
        body += chunk
        if len(body) > _MAX_BUFFERED:
            return await _failed(call, "wire", "answer too large")
    completion = codec.decode_completion(bytes(body))
    note_completion(call, completion)
    await call.close()
    return completion


async def _read_stream(reader: StreamReader | None, call: Call, codec: Codec, turnover: Turnover) -> CallResult:
    decoder, assembler = codec.stream_decoder(), Assembler()
    buffered: list[bytes] = []
    size = 0
    chunks: AsyncIterator[bytes | None] = call.chunks()
    if reader is not None:
        chunks = paced(call.chunks(), HOLD_SECONDS, PING_SECONDS, SILENCE_SECONDS)
    async for chunk in chunks:
        if chunk is None:
            await turnover.out.ping()
            continue
        size += len(chunk)
        if size > _MAX_BUFFERED:
            return await _failed(call, "wire", "answer too large")
        if reader is not None:
            buffered.append(chunk)
        diverged = False
        for delta in decoder.feed(chunk):
            note_delta(call, delta)
            assembler.feed(delta)
            diverged = diverged or (reader is not None and reader(delta) == "diverged")
        if diverged:
            call.opened = True
            turnover.opened, turnover.opened_decoder, turnover.opened_bytes = call, decoder, buffered
            return Opened()
    for delta in decoder.close():
        note_delta(call, delta)
        assembler.feed(delta)
    completion = assembler.result()
    if completion is None or not call.complete:
        return await _failed(call, "stream", assembler.error.type if assembler.error else "the stream ended early")
    note_completion(call, completion)
    await call.close()
    return completion


def note_delta(call: Call, delta: Delta) -> None:
    """What the books want of a streamed answer, taken as it passes."""
    match delta:
        case Started(usage=usage):
            call.usage = usage
        case BlockStarted(part=Thinking()):
            call.thought = True
        case TextDelta(text=text) | ArgumentsDelta(json=text):
            call.output_chars += len(text)
        case ThinkingDelta(chars=chars):
            call.output_chars += chars
        case Stopping(stop_reason=stop_reason, usage=usage):
            call.stop_reason = stop_reason
            call.usage = usage or call.usage
        case Stopped():
            call.complete = True
        case StreamError(type=kind):
            call.fail(f"stream: {kind}")


def note_completion(call: Call, completion: Completion) -> None:
    call.complete = True
    call.usage = completion.usage or call.usage
    call.stop_reason = completion.stop_reason
    call.reasoning = tuple(part.block for part in completion.parts if isinstance(part, Thinking) and part.block)
