"""The verify model's answer to a client of another protocol: made, told again as it comes, and errors with it.

Rule: as in a relay, nothing reaches the client before the provider has answered, and a provider that breaks off ends
the client's stream in an error. What the model thought stays here, for its next turn.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace

from rlmc.domain.chat import Completion, Failure, StreamError, Text, ToolCall, Usage
from rlmc.domain.turn import Model
from rlmc.errors import UpstreamError, WireError
from rlmc.server import headers as h
from rlmc.server.calls import Call
from rlmc.server.driver import PING_SECONDS, SILENCE_SECONDS, Turnover, note_completion, note_delta
from rlmc.server.pace import paced
from rlmc.upstream.transport import UpstreamRequest
from rlmc.wire.assemble import Assembler
from rlmc.wire.codec import Codec
from rlmc.wire.deltas import deltas_of, written
from rlmc.wire.openai.names import own_names
from rlmc.wire.retell import Retelling

UsageEstimate = Callable[[int], Usage]
"""Output tokens of an answer -> the usage a client is told: the verify model's, estimated."""

_MOST_BYTES = 64 * 1024 * 1024
_MOST_OF_AN_ERROR = 1024 * 1024
_CHARS_PER_TOKEN = 4
_FIRST_ERROR = 400
# What providers answer with where they know it before they begin to stream.
_STATUS_OF = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "permission_error": 403,
    "rate_limit_error": 429,
    "overloaded_error": 529,
}
# What a client's own retrying goes by.
_TOLD_WITH_ERRORS = ("retry-after", "retry-after-ms", "x-should-retry")


def display_name(model: Model) -> str:
    """How an answer names the model that wrote it; a simulated one is always seen to be simulated."""
    return str(model) if model.provider == "sim" else model.name


def codec_of(call: Call, turnover: Turnover) -> Codec:
    return call.codec or turnover.codec


def minted(turn_id: str, number: int) -> str:
    """The id of the n-th call of a turn's answer: legal and unique for every provider."""
    return "toolu_01" + hashlib.sha256(f"{turn_id} call {number}".encode()).hexdigest()[:22]


def retelling(call: Call, turnover: Turnover, usage: Usage, *, drop_prefix: str = "", noted: bool = True) -> Retelling:
    """The answer of a call in the client's protocol. `noted`: the call's figures are taken from it as it passes."""
    there = codec_of(call, turnover)
    writer = turnover.codec.answer_writer(
        model=display_name(call.model), message_id=f"msg_01{turnover.id}", usage=usage, tools=turnover.tools
    )
    return Retelling(
        there.stream_decoder(),
        writer,
        mint=lambda number: minted(turnover.id, number),
        names=own_names(turnover.tools),
        drop_prefix=drop_prefix,
        note=(lambda delta: note_delta(call, delta)) if noted else (lambda _: None),
    )


def keep_reasoning(call: Call, turnover: Turnover, ids: list[str]) -> None:
    """What was thought before the calls the client now has, under the ids it has for them."""
    there = codec_of(call, turnover)
    turnover.reasoning.keep(call.model, there.name, ids, call.reasoning)


def keep_told(call: Call, turnover: Turnover, telling: Retelling) -> None:
    """The same of an answer that is being told. Before its last event: that is where a client goes on."""
    call.reasoning = tuple(telling.reasoning)
    keep_reasoning(call, turnover, telling.calls)


async def relay_retold(call: Call, request: UpstreamRequest, turnover: Turnover, estimate: UsageEstimate) -> None:
    """Make the call and tell its answer."""
    call.served = True
    try:
        response = await call.send(turnover.transport(call.model.provider), request)
        if response.status != 200:
            await _tell_failure(call, turnover, response.status)
            return
        media_type = (h.first(response.headers, "content-type") or "").split(";")[0].strip().lower()
        if turnover.streams and media_type != "application/json":
            await _tell_stream(call, turnover, estimate)
        else:
            await _tell_whole(call, turnover, estimate, streamed=media_type == "text/event-stream")
    except (UpstreamError, WireError) as error:
        call.fail(error.kind if isinstance(error, UpstreamError) else "wire")
        await turnover.out.fail(502, f"the verify model {call.model} could not be used: {error.message}")
    finally:
        await call.close()


async def _tell_stream(call: Call, turnover: Turnover, estimate: UsageEstimate) -> None:
    out = turnover.out
    telling = retelling(call, turnover, estimate(0))
    try:
        async for chunk in paced(call.chunks(), PING_SECONDS, PING_SECONDS, SILENCE_SECONDS):
            if chunk is None:
                await out.ping()
                continue
            data = telling.feed(chunk)
            if telling.error is not None and not out.begun:
                await _tell_error(telling.error, turnover)
                return
            if call.complete:
                keep_told(call, turnover, telling)
            if data:
                await out.begin_own(stream=True)
                await out.write(data, last=call.complete)
        last = telling.close()
    except UpstreamError as error:
        if not out.begun:
            raise
        call.fail(error.kind)
        last = telling.fail(error.message)
    keep_told(call, turnover, telling)
    if not call.complete:
        call.fail("stream: ended early")
        if not out.begun:
            # Nothing has been said: a status tells it better than a stream that only fails.
            raise UpstreamError("stream", "its answer ended before it was complete")
    await out.begin_own(stream=True)
    await out.end(last)


async def _tell_whole(call: Call, turnover: Turnover, estimate: UsageEstimate, *, streamed: bool) -> None:
    there, out = codec_of(call, turnover), turnover.out
    raw = await _read(call, _MOST_BYTES)
    completion = _assembled(there, raw) if streamed else there.decode_completion(raw)
    note_completion(call, completion)
    completion = as_told(completion, call.model, turnover)
    call.output_chars = sum(len(p.text) for p in completion.parts if isinstance(p, Text))
    keep_reasoning(call, turnover, [part.id for part in completion.tool_calls])
    usage = completion.usage or estimate(len(completion.text) // _CHARS_PER_TOKEN)
    if turnover.streams:
        writer = turnover.codec.answer_writer(
            model=completion.model, message_id=completion.id, usage=usage, tools=turnover.tools
        )
        await out.begin_own(stream=True)
        await out.end(b"".join(written(deltas_of(completion, usage), writer)))
        return
    body = turnover.codec.encode_completion(completion, usage, turnover.tools)
    await out.begin_own(stream=False, length=len(body))
    await out.end(body)


def _assembled(codec: Codec, raw: bytes) -> Completion:
    """The answer of a provider that streams whatever it is asked for."""
    decoder, assembler = codec.stream_decoder(), Assembler()
    for delta in (*decoder.feed(raw), *decoder.close()):
        assembler.feed(delta)
    completion = assembler.result()
    if completion is None:
        raise WireError(assembler.error.message if assembler.error else "its answer ended before it was complete")
    return completion


def as_told(completion: Completion, model: Model, turnover: Turnover) -> Completion:
    """With ids of rlmc's own, and the client's names of its tools."""
    number, parts, names = 0, [], own_names(turnover.tools)
    for part in completion.parts:
        if isinstance(part, ToolCall):
            part = replace(part, id=minted(turnover.id, number), name=names.get(part.name, part.name))
            number += 1
        parts.append(part)
    return replace(completion, model=display_name(model), id=f"msg_01{turnover.id}", parts=tuple(parts))


async def _tell_failure(call: Call, turnover: Turnover, status: int) -> None:
    """The provider's own words, in the client's protocol, with its status."""
    there, out = codec_of(call, turnover), turnover.out
    call.fail(f"status: {status}")
    response = call.response
    headers = [] if response is None else response.headers
    failure = there.decode_failure(status, await _read(call, _MOST_OF_AN_ERROR))
    if status < _FIRST_ERROR:
        # Neither an answer nor an error: a client would take it for an answer.
        status = 502
    if out.begun:
        await out.fail(status, failure.message)
        return
    body = turnover.codec.encode_failure(status, failure)
    told = [(name, value) for name in _TOLD_WITH_ERRORS if (value := h.first(headers, name)) is not None]
    await out.begin_error(status, [(name.encode(), value.encode("latin-1")) for name, value in told], len(body))
    await out.end(body)


async def _tell_error(error: StreamError, turnover: Turnover) -> None:
    """An error that came before any word, in a stream: a status says it better, and clients try again by it."""
    status = _STATUS_OF.get(error.type, 502)
    body = turnover.codec.encode_failure(status, Failure(error.type, error.message))
    await turnover.out.begin_error(status, [], len(body))
    await turnover.out.end(body)


async def _read(call: Call, most: int) -> bytes:
    body = bytearray()
    async for chunk in call.chunks():
        body += chunk
        if len(body) > most:
            raise WireError("its answer is too large")
    return bytes(body)
