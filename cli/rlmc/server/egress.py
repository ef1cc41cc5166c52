"""Carries out a plan: sends a finished answer, relays a call, or streams on one that is already running.

A direct relay is the client's request and the provider's answer, byte for byte. Where a provider breaks off, the client
sees the connection break too, never a clean end.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import assert_never

from rlmc.cascade.plan import Answer, Continue, Original, Plan, Relay
from rlmc.domain.chat import (
    Usage,
)
from rlmc.domain.outcome import Outcome
from rlmc.domain.record import MARKER_REFUSED
from rlmc.domain.turn import Model
from rlmc.errors import UpstreamError, WireError
from rlmc.server import headers as h
from rlmc.server.calls import Call
from rlmc.server.driver import PING_SECONDS, SILENCE_SECONDS, Turnover, note_delta
from rlmc.server.outgoing import Outgoing
from rlmc.server.pace import paced
from rlmc.server.requests import request_for, takes_marker, uncompressed
from rlmc.server.retold import (
    UsageEstimate,
    as_told,
    codec_of,
    display_name,
    keep_reasoning,
    keep_told,
    relay_retold,
    retelling,
)
from rlmc.server.way import way_to
from rlmc.upstream.transport import Transport, UpstreamRequest
from rlmc.wire.anthropic.codec import AnthropicCodec
from rlmc.wire.anthropic.rewrite import StreamRewriter
from rlmc.wire.codec import Codec, UsageTap
from rlmc.wire.retell import Retelling

log = logging.getLogger("rlmc.egress")


class BrokenOff(Exception):
    """The provider could not be reached, or broke off; the client's connection must break as well."""


async def carry_out(plan: Plan, turnover: Turnover, estimate: UsageEstimate) -> None:
    match plan:
        case Answer():
            await _answer(plan, turnover, estimate)
        case Continue():
            await _continue(plan, turnover, estimate)
        case Relay():
            await _relay_direct(plan, turnover, estimate)
        case _:
            assert_never(plan)


def _kind(error: UpstreamError | WireError) -> str:
    """What the books keep of an error; its text may quote an answer."""
    return f"unreachable: {error.kind}" if isinstance(error, UpstreamError) else "wire"


async def _answer(plan: Answer, turnover: Turnover, estimate: UsageEstimate) -> None:
    by_role = {call.role: call for call in turnover.calls if not call.brief}
    served = by_role["verify" if plan.outcome is Outcome.ENHANCED else "draft"]
    served.served = True
    output = served.usage.output if served.usage else len(plan.completion.text) // 4
    verify = by_role.get("verify")
    if verify is not None and verify.usage is not None:
        seen = verify.usage
        usage = Usage(seen.input, seen.cache_read, seen.cache_write_5m, seen.cache_write_1h, output)
    else:
        usage = estimate(output)
    completion = plan.completion
    if plan.outcome is not Outcome.ENHANCED:
        completion = replace(completion, model=display_name(served.model))
    elif codec_of(served, turnover) is not turnover.codec:
        completion = as_told(completion, served.model, turnover)
    keep_reasoning(served, turnover, [part.id for part in completion.tool_calls])
    out, codec = turnover.out, turnover.codec
    if turnover.streams:
        await out.begin_own(stream=True)
        await out.end(b"".join(codec.encode_completion_stream(completion, usage, turnover.tools)))
    else:
        body = codec.encode_completion(completion, usage, turnover.tools)
        await out.begin_own(stream=False, length=len(body))
        await out.end(body)


async def _continue(plan: Continue, turnover: Turnover, estimate: UsageEstimate) -> None:
    call, decoder, out = turnover.opened, turnover.opened_decoder, turnover.out
    if call is None or decoder is None or call.response is None:
        raise BrokenOff
    call.served = True
    # In the client's own protocol everything passes as it came that need not change; all else is told anew.
    telling: StreamRewriter | Retelling | _AsItComes | None = None
    own = turnover.codec if codec_of(call, turnover) is turnover.codec else None
    if isinstance(own, AnthropicCodec):
        telling = own.rewriter(drop_prefix=plan.drop_prefix)
    elif own is not None and not plan.drop_prefix and not call.thought:
        telling = _AsItComes()
    if telling is not None:
        if not out.begun:
            await out.begin(200, h.for_client(call.response.headers, same_body=False))
    else:
        telling = retelling(call, turnover, estimate(0), drop_prefix=plan.drop_prefix, noted=False)
        await out.begin_own(stream=True)
    held, turnover.opened_bytes = turnover.opened_bytes, []
    try:
        await out.write(b"".join(telling.feed(chunk) for chunk in held), last=call.complete)
        async for chunk in paced(call.chunks(), PING_SECONDS, PING_SECONDS, SILENCE_SECONDS):
            if chunk is None:
                if not isinstance(telling, _AsItComes):  # which may be in the middle of an event
                    await out.ping()
                continue
            for delta in decoder.feed(chunk):
                note_delta(call, delta)
            data = telling.feed(chunk)
            if call.complete and isinstance(telling, Retelling):
                keep_told(call, turnover, telling)
            await out.write(data, last=call.complete)
        for delta in decoder.close():
            note_delta(call, delta)
        # The provider may end an answer of its own protocol too early: that passes as it came.
        last = telling.close() if call.complete or isinstance(telling, Retelling) else b""
    except (UpstreamError, WireError) as error:
        call.fail(_kind(error))
        raise BrokenOff from error
    finally:
        await call.close()
    if isinstance(telling, Retelling):
        keep_told(call, turnover, telling)
    if not call.complete:
        call.fail("stream: ended early")
    await out.end(last)


class _AsItComes:
    """The provider's own bytes, of an answer in which nothing must change."""

    def feed(self, data: bytes) -> bytes:
        return data

    def close(self) -> bytes:
        return b""


# --- direct -------------------------------------------------------------------------------------------------------


async def _relay_direct(plan: Relay, turnover: Turnover, estimate: UsageEstimate) -> None:
    way = way_to(turnover.means.parts, turnover.codec, plan.target)
    call = Call("direct", plan.target, codec=way.codec, expected=turnover.expected)
    marker = plan.request.marker if isinstance(plan.request, Original) else None
    call.marked = way.same and marker is not None and takes_marker(turnover.codec, plan.request.request, marker)
    turnover.calls.append(call)
    try:
        request = _request(plan, turnover)
    except WireError as error:
        call.fail("request")
        await turnover.out.fail(400, error.message)
        return
    except UpstreamError as error:
        call.fail(error.kind)
        await turnover.out.fail(401, f"rlmc: verify-model is {plan.target}, and {error.message}")
        return
    if not way.same:
        await relay_retold(call, request, turnover, estimate)
        return
    if turnover.out.begun:
        request = uncompressed(request)
    transport = turnover.transport(plan.target.provider)
    if await relay(call, request, transport, turnover.out, turnover.codec, ours=call.marked):
        return
    # The provider may have refused what rlmc added: the client gets the answer to its own bytes.
    plain = replace(plan, request=Original(plan.request.request))
    await _relay_direct(plain, turnover, estimate)


def _request(plan: Relay, turnover: Turnover) -> UpstreamRequest:
    return request_for(turnover.means, turnover.inbound, turnover.codec, plan.target, plan.request, turnover.reasoning)


async def relay(
    call: Call, request: UpstreamRequest, transport: Transport, out: Outgoing, codec: Codec, *, ours: bool = False
) -> bool:
    """One request to its provider and the answer back, untouched; usage is read from a copy as it passes.

    `ours` says that something of rlmc's own is in the request: a refusal (400) is then kept from the client, and false.
    """
    call.served = True
    try:
        response = await call.send(transport, request)
    except UpstreamError as error:
        call.fail(error.kind)
        log.warning("the verify model could not be reached: %s", error.message)
        if out.begun:
            await out.fail(502, f"rlmc could not reach the verify model: {error.message}")
            return True
        # A client knows what to do where nobody answers, and whether to try again: as if rlmc were not there.
        raise BrokenOff from error
    if ours and response.status == 400 and not out.begun:
        call.served = False
        call.fail(MARKER_REFUSED)
        await call.close()
        return False
    media_type = (h.first(response.headers, "content-type") or "").split(";")[0].strip().lower()
    stream = media_type == "text/event-stream"
    encoding = h.first(response.headers, "content-encoding")
    tap = codec.usage_tap(stream=stream, encoding=encoding)
    begun = out.begun
    if begun and (response.status != 200 or not stream or encoding not in (None, "identity")):
        # Pings have gone out already, so the status can no longer be told other than inside the stream.
        call.fail(f"status: {response.status}")
        await call.close()
        await out.fail(response.status, f"the verify model answered with status {response.status}")
        return True
    if not begun:
        await out.begin(response.status, h.for_client(response.headers, same_body=True, status=response.status))
    held = b""
    try:
        async for chunk in call.chunks():
            tap.feed(chunk)
            if stream or out.settle is None:
                if tap.complete:
                    _note_tap(call, tap)
                await out.write(chunk, last=tap.complete)
                continue
            # Which piece is the last one shows only at the end of the line; the books come before it.
            if held and not chunk.strip():
                held += chunk
                continue
            last = response.status != 200 or _may_be_the_end(chunk, encoding)
            ready, held = (held, chunk) if last else (held + chunk, b"")
            await out.write(ready)
        tap.close()
    except UpstreamError as error:
        call.fail(error.kind)
        await out.write(held)
        raise BrokenOff from error
    finally:
        _note_tap(call, tap)
        await call.close()
    await out.end(held)
    return True


def _note_tap(call: Call, tap: UsageTap) -> None:
    """What a tap has seen so far, for the books."""
    call.usage, call.stop_reason, call.output_chars = tap.usage, tap.stop_reason, tap.output_chars
    call.complete = tap.complete
    if not call.model.name and tap.model:
        call.model = Model(call.model.provider, tap.model)
    if tap.error is not None:
        # Only the kind: a provider's own words may quote the conversation.
        call.fail(f"stream: {tap.error.partition(':')[0]}")


def _may_be_the_end(chunk: bytes, encoding: str | None) -> bool:
    """Whether a body may end with this piece: a JSON object ends with its brace, of others nobody knows."""
    return encoding not in (None, "identity") or chunk.rstrip().endswith(b"}")
