"""The simulated provider as a `Transport`: requests to `sim://models/v1/…` are answered inside this process.

An answer is a function of the request alone, ids included; only the prompt cache remembers, and only token counts and
waiting times depend on it.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

import msgspec

from rlmc.errors import UpstreamError
from rlmc.upstream.simulated.agent import Reply, next_step
from rlmc.upstream.simulated.body import BadRequest, Body, decode
from rlmc.upstream.simulated.cache import Account, PromptCache
from rlmc.upstream.simulated.comparison import comparison_reply
from rlmc.upstream.simulated.conversation import read_conversation
from rlmc.upstream.simulated.encode import Answer, blocks_of, cut, events, whole
from rlmc.upstream.simulated.faults import Fault
from rlmc.upstream.simulated.misbehave import mistake, mistake_in, wrong_reply
from rlmc.upstream.simulated.models import MODELS, Asked, BadOption, NoSuchModel, parse
from rlmc.upstream.simulated.prompt import render
from rlmc.upstream.simulated.thinking import check_thinking, think
from rlmc.upstream.simulated.verdict import accepts, brief_reply, take_candidate
from rlmc.upstream.transport import Headers, UpstreamRequest

_SLOW_SECONDS = 0.2
_HTML = b"<!doctype html><html><head><title>Sign in</title></head><body><h1>Simulated portal</h1></body></html>\n"
_JSON = ("content-type", "application/json")
_STREAM = ("content-type", "text/event-stream; charset=utf-8")


class SimulatedResponse:
    """See `UpstreamResponse`. Closing wakes a waiting reader and ends it."""

    def __init__(self, status: int, headers: Headers, beats: Iterable[tuple[float, bytes | UpstreamError]]) -> None:
        self.status = status
        self.headers = headers
        self._beats = beats
        self._closed = asyncio.Event()

    async def chunks(self) -> AsyncIterator[bytes]:
        for delay, data in self._beats:
            if await _stopped_within(self._closed, delay):
                return
            if isinstance(data, UpstreamError):
                raise data
            yield data

    async def close(self) -> None:
        self._closed.set()


class SimulatedTransport:
    """See `Transport`. `latency` scales all waiting: 1 as the models are described, 0 for none; a model's name can
    override it. `clock` is monotonic seconds, for the prompt cache's lifetimes."""

    def __init__(self, *, latency: float = 1.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._latency = latency
        self._cache = PromptCache(clock)
        self._closed = asyncio.Event()

    async def send(self, request: UpstreamRequest) -> SimulatedResponse:
        path = urlsplit(request.url).path.rstrip("/")
        match request.method, path:
            case "POST", "/v1/messages":
                return await self._guarded(self._messages, request.body)
            case "POST", "/v1/messages/count_tokens":
                return await self._guarded(self._count_tokens, request.body)
            case "GET", "/v1/models":
                return _json(200, _model_list(), request.body)
            case "GET", _ if path.startswith("/v1/models/"):
                return _model(path.removeprefix("/v1/models/"), request.body)
            case "HEAD", _:
                return SimulatedResponse(200, [_JSON], ())
            case _:
                return _error(404, "not_found_error", f"Not found: {path}", request.body)

    async def close(self) -> None:
        self._closed.set()

    async def _guarded(self, answer: Callable[[bytes], Any], raw: bytes) -> SimulatedResponse:
        try:
            response: SimulatedResponse = await answer(raw)
        except NoSuchModel as error:
            return _error(404, "not_found_error", str(error), raw)
        except (BadRequest, BadOption) as error:
            return _error(400, "invalid_request_error", str(error), raw)
        return response

    async def _count_tokens(self, raw: bytes) -> SimulatedResponse:
        body = decode(raw, counting=True)
        pieces = render(body, parse(body.model).model.name)
        return _json(200, {"input_tokens": pieces[-1].tokens if pieces else 0}, raw)

    async def _messages(self, raw: bytes) -> SimulatedResponse:
        body = decode(raw)
        asked = parse(body.model)
        check_thinking(body, asked.model.name)
        await self._strike(asked.fault)
        if asked.fault is not None and asked.fault.where == "status":
            return _error(asked.fault.status, asked.fault.error, "simulated fault", raw, asked.fault.headers)
        latency = self._latency if asked.latency is None else asked.latency
        account = self._cache.look(render(body, asked.model.name))
        unread = account.fresh + account.written_5m + account.written_1h
        wait = (asked.model.first_token + unread / asked.model.reading) * latency
        if await _stopped_within(self._closed, wait):
            raise UpstreamError("reset", "the simulated models were shut down")
        if _is(asked.fault, "html"):
            return SimulatedResponse(200, [("content-type", "text/html")], [(0.0, _HTML)])
        # Only from here on can others read what this request writes: its answer has begun.
        self._cache.store(account)
        answer = _answer(body, asked, account, raw)
        pace = asked.model.per_token * latency
        headers = [_STREAM if body.stream else _JSON, ("request-id", f"req_sim_{_digest(raw)}")]
        if body.stream:
            beats = [(beat.tokens * pace, beat.data) for beat in events(answer)]
        else:
            beats = [(answer.output_tokens * pace, whole(answer))]
        return SimulatedResponse(200, headers, _spoil(beats, asked.fault))

    async def _strike(self, fault: Fault | None) -> None:
        if _is(fault, "reset"):
            raise UpstreamError("reset", "the simulated connection broke off (fault=reset)")
        if _is(fault, "hang"):
            await self._closed.wait()
            raise UpstreamError("reset", "the simulated models were shut down")


def _answer(body: Body, asked: Asked, account: Account, raw: bytes) -> Answer:
    model = asked.model
    client_body, candidate = take_candidate(body)
    if asked.fault is not None and asked.fault.where == "answer":
        reply = wrong_reply(asked.fault.name, client_body)
    elif (judged := comparison_reply(body) or brief_reply(body, model.dissent // 2)) is not None:
        reply = judged
    else:
        reply = next_step(client_body, thorough=model.thorough)
        if candidate and accepts(reply, candidate, read_conversation(client_body).task, model.dissent):
            reply = Reply(candidate.word)
        elif _errs(raw, asked.errors):
            reply = mistake(reply) if asked.errors_in is None else mistake_in(reply, asked.errors_in)
    seed = _digest(raw)
    ids = (f"toolu_sim_{seed[:18]}{n:02d}" for n in range(100))
    thinking = None if reply.stop else think(body, model.name)
    blocks = blocks_of(reply, thinking, ids)
    stop = reply.stop or ("tool_use" if reply.calls else "end_turn")
    limit = body.max_tokens or 0
    answer = Answer(f"msg_sim_{seed}", model.label, blocks, stop, account, not _is(asked.fault, "no-usage"))
    if answer.output_tokens <= limit:
        return answer
    kept = cut(blocks, limit)
    return Answer(answer.id, answer.model, kept, "max_tokens", account, answer.with_usage)


def _spoil(beats: list[tuple[float, bytes]], fault: Fault | None) -> Iterator[tuple[float, bytes | UpstreamError]]:
    """The `transport` faults that strike once an answer is under way."""
    if len(beats) == 1 and fault is not None:
        # A body that is not streamed comes as one piece; cut it so that there is a middle.
        delay, data = beats[0]
        half = len(data) // 2
        beats = [(delay, data[:half]), (0.0, data[half:])]
    middle = (len(beats) + 1) // 2
    for n, (delay, data) in enumerate(beats):
        if n == middle and _is(fault, "break"):
            yield delay, UpstreamError("reset", "the simulated connection broke off (fault=break)")
            return
        if n == middle and _is(fault, "eof"):
            return
        if n == middle and _is(fault, "malformed"):
            yield delay, b'event: content_block_delta\ndata: {"type": "content_block_delta", "index\n\n'
        yield (_SLOW_SECONDS if _is(fault, "slow") else delay), data


async def _stopped_within(event: asyncio.Event, seconds: float) -> bool:
    """Waits; true as soon as the event is set."""
    if event.is_set() or seconds <= 0:
        return event.is_set()
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True


def _errs(raw: bytes, percent: float) -> bool:
    """The same requests go wrong every time."""
    drawn = int.from_bytes(hashlib.blake2b(raw, digest_size=8, person=b"errors").digest())
    return drawn / 2**64 < percent / 100


def _is(fault: Fault | None, name: str) -> bool:
    return fault is not None and fault.name == name


def _digest(raw: bytes) -> str:
    return hashlib.blake2b(raw, digest_size=10).hexdigest()


def _json(status: int, value: object, raw: bytes, headers: Iterable[tuple[str, str]] = ()) -> SimulatedResponse:
    all_headers = [_JSON, ("request-id", f"req_sim_{_digest(raw)}"), *headers]
    return SimulatedResponse(status, all_headers, [(0.0, msgspec.json.encode(value))])


def _error(
    status: int, kind: str, message: str, raw: bytes, headers: Iterable[tuple[str, str]] = ()
) -> SimulatedResponse:
    value = {
        "type": "error",
        "error": {"type": kind, "message": message},
        "request_id": f"req_sim_{_digest(raw)}",
    }
    return _json(status, value, raw, headers)


def _model_list() -> dict[str, Any]:
    data = [_model_entry(m.label) for m in MODELS]
    return {"data": data, "has_more": False, "first_id": data[0]["id"], "last_id": data[-1]["id"]}


def _model(name: str, raw: bytes) -> SimulatedResponse:
    try:
        label = parse(name).model.label
    except (NoSuchModel, BadOption) as error:
        return _error(404, "not_found_error", str(error), raw)
    return _json(200, _model_entry(label), raw)


def _model_entry(label: str) -> dict[str, Any]:
    return {
        "type": "model",
        "id": label,
        "display_name": f"{label} (simulated)",
        "created_at": "2026-01-01T00:00:00Z",
        "max_input_tokens": 1_000_000,
        "max_tokens": 128_000,
    }
