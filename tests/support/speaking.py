"""An upstream that says what it is told, in any of the three protocols, written apart from the product's own codecs.

    with Speaker("chat", Saying(text="hi", calls=(("Read", {"file_path": "a"}),))) as up: ...

`cut` breaks the bytes into pieces of that size, so that nothing arrives whole; `fault` is how the stream goes wrong.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from aiohttp import web
from tests.support.loopback import LoopbackServer

Json = dict[str, Any]
Fault = Literal["none", "empty", "ends-early", "breaks", "error-event", "status"]

ERROR = "The model is overloaded, please try again later."


@dataclass(frozen=True, slots=True)
class Saying:
    """`thought` comes first where the protocol has a place for it. `whole`: calls come in one piece. `stays`: the line
    stays open after the last event."""

    text: str = ""
    calls: tuple[tuple[str, Json], ...] = ()
    thought: str = ""
    whole: bool = False
    stop: Literal["end", "length"] = "end"
    stays: bool = False


class Speaker(LoopbackServer):
    """Answers every POST. `bodies` are the requests, `headers` theirs (names in lower case)."""

    def __init__(self, protocol: str, saying: Saying, *, fault: Fault = "none", cut: int = 0) -> None:
        super().__init__()
        self.protocol, self.saying, self.fault, self.cut = protocol, saying, fault, cut
        self.bodies: list[Json] = []
        self.headers: list[dict[str, str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}" + ("" if self.protocol == "anthropic" else "/v1")

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.bodies.append(body)
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        if self.fault == "status":
            return web.json_response(error(self.protocol), status=529 if self.protocol == "anthropic" else 503)
        if not body.get("stream"):
            return web.json_response(whole(self.protocol, self.saying))
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        usage = self.protocol != "chat" or bool((body.get("stream_options") or {}).get("include_usage"))
        data = said(self.protocol, self.saying, self.fault, usage=usage)
        size = self.cut or max(1, len(data))
        for start in range(0, len(data), size):
            await response.write(data[start : start + size])
            if self.cut:
                await asyncio.sleep(0)
        if self.fault == "breaks":
            await asyncio.sleep(0.05)
            _reset(request)
            return response
        with suppress(ConnectionResetError):
            await response.write_eof()
        return response


def said(protocol: str, saying: Saying, fault: Fault = "none", *, usage: bool = True) -> bytes:
    """The bytes of a streamed answer; in Chat Completions `usage` comes only to those who ask for it."""
    if fault == "empty":
        return b""
    events = {"anthropic": _anthropic, "chat": _chat, "responses": _responses}[protocol](saying)
    if not usage:
        events = [event for event in events if b'"usage"' not in event]
    if fault == "none":
        return b"".join(events)
    begun = events[: len(events) // 2]
    if fault == "error-event":
        begun.append(error_event(protocol))
    return b"".join(begun)


def error(protocol: str) -> Json:
    if protocol == "anthropic":
        return {"type": "error", "error": {"type": "overloaded_error", "message": ERROR}}
    return {"error": {"message": ERROR, "type": "server_error", "param": None, "code": "overloaded"}}


def error_event(protocol: str) -> bytes:
    if protocol == "anthropic":
        return _event("error", error(protocol))
    if protocol == "chat":
        return b"data: " + json.dumps(error(protocol)).encode() + b"\n\n"
    failed = {
        "id": "resp_1",
        "object": "response",
        "status": "failed",
        "output": [],
        "error": {"code": "server_error", "message": ERROR},
    }
    return _event("response.failed", {"type": "response.failed", "sequence_number": 99, "response": failed})


def whole(protocol: str, saying: Saying) -> Json:
    """The same answer in one piece."""
    stop = "max_tokens" if saying.stop == "length" else "tool_use" if saying.calls else "end_turn"
    if protocol == "anthropic":
        content: list[Json] = []
        if saying.thought:
            content.append({"type": "thinking", "thinking": saying.thought, "signature": "sig"})
        if saying.text:
            content.append({"type": "text", "text": saying.text})
        content += [
            {"type": "tool_use", "id": f"toolu_{n}", "name": name, "input": arguments}
            for n, (name, arguments) in enumerate(saying.calls)
        ]
        usage = {"input_tokens": 100, "cache_read_input_tokens": 20, "output_tokens": 30}
        return {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "m",
            "content": content,
            "stop_reason": stop,
            "stop_sequence": None,
            "usage": usage,
        }
    if protocol == "chat":
        message: Json = {"role": "assistant", "content": saying.text or None}
        if saying.thought:
            message["reasoning_content"] = saying.thought
        if saying.calls:
            message["tool_calls"] = [
                _chat_call(n, name, json.dumps(args)) for n, (name, args) in enumerate(saying.calls)
            ]
        finish = "length" if saying.stop == "length" else "tool_calls" if saying.calls else "stop"
        return {
            "id": "c1",
            "object": "chat.completion",
            "created": 1,
            "model": "m",
            "choices": [{"index": 0, "message": message, "finish_reason": finish}],
            "usage": _CHAT_USAGE,
        }
    return _response(saying, "incomplete" if saying.stop == "length" else "completed", _items(saying))


_CHAT_USAGE = {
    "prompt_tokens": 120,
    "completion_tokens": 30,
    "total_tokens": 150,
    "prompt_tokens_details": {"cached_tokens": 20},
}


def _anthropic(saying: Saying) -> list[bytes]:
    answer = whole("anthropic", saying)
    start = answer | {"content": [], "stop_reason": None, "usage": answer["usage"] | {"output_tokens": 1}}
    events = [_event("message_start", {"type": "message_start", "message": start})]
    for index, block in enumerate(answer["content"]):
        kind = block["type"]
        opening = {
            "text": {"type": "text", "text": ""},
            "thinking": {"type": "thinking", "thinking": "", "signature": ""},
            "tool_use": block | {"input": {}},
        }[kind]
        if kind == "text":
            deltas = [{"type": "text_delta", "text": piece} for piece in _cut(block["text"])]
        elif kind == "thinking":
            deltas = [{"type": "thinking_delta", "thinking": piece} for piece in _cut(block["thinking"])]
            deltas.append({"type": "signature_delta", "signature": "sig"})
        else:
            raw = json.dumps(block["input"], ensure_ascii=False)
            deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in _pieces(raw, saying)]
        events.append(
            _event("content_block_start", {"type": "content_block_start", "index": index, "content_block": opening})
        )
        events += [
            _event("content_block_delta", {"type": "content_block_delta", "index": index, "delta": delta})
            for delta in deltas
        ]
        events.append(_event("content_block_stop", {"type": "content_block_stop", "index": index}))
    delta = {"stop_reason": answer["stop_reason"], "stop_sequence": None}
    events.append(_event("message_delta", {"type": "message_delta", "delta": delta, "usage": {"output_tokens": 30}}))
    events.append(_event("message_stop", {"type": "message_stop"}))
    return events


def _chat(saying: Saying) -> list[bytes]:
    def chunk(delta: Json, finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        body = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
        return b"data: " + json.dumps(body, ensure_ascii=False).encode() + b"\n\n"

    events = [chunk({"role": "assistant", "content": ""})]
    events += [chunk({"reasoning_content": piece}) for piece in _cut(saying.thought)]
    events += [chunk({"content": piece}) for piece in _cut(saying.text)]
    for n, (name, arguments) in enumerate(saying.calls):
        raw = json.dumps(arguments, ensure_ascii=False)
        if saying.whole:
            events.append(chunk({"tool_calls": [{"index": n, **_chat_call(n, name, raw)}]}))
            continue
        events.append(chunk({"tool_calls": [{"index": n, **_chat_call(n, name, "")}]}))
        events += [
            chunk({"tool_calls": [{"index": n, "function": {"arguments": piece}}]}) for piece in _pieces(raw, saying)
        ]
    events.append(chunk({}, "length" if saying.stop == "length" else "tool_calls" if saying.calls else "stop"))
    usage = {
        "id": "c1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": [],
        "usage": _CHAT_USAGE,
    }
    events.append(b"data: " + json.dumps(usage).encode() + b"\n\n")
    events.append(b"data: [DONE]\n\n")
    return events


def _chat_call(number: int, name: str, arguments: str) -> Json:
    return {"id": f"call_{number}", "type": "function", "function": {"name": name, "arguments": arguments}}


def _responses(saying: Saying) -> list[bytes]:
    events: list[bytes] = []

    def add(kind: str, **fields: Any) -> None:
        events.append(_event(kind, {"type": kind, "sequence_number": len(events), **fields}))

    begun = _response(saying, "in_progress", [])
    add("response.created", response=begun)
    add("response.in_progress", response=begun)
    for n, item in enumerate(_items(saying)):
        opening = item | {"status": "in_progress"}
        place = {"output_index": n, "item_id": item["id"]}
        if item["type"] == "message":
            add("response.output_item.added", output_index=n, item=opening | {"content": []})
            part = item["content"][0]
            add("response.content_part.added", **place, content_index=0, part=part | {"text": ""})
            for piece in _cut(part["text"]):
                add("response.output_text.delta", **place, content_index=0, delta=piece, logprobs=[])
            add("response.output_text.done", **place, content_index=0, text=part["text"], logprobs=[])
            add("response.content_part.done", **place, content_index=0, part=part)
        elif item["type"] == "function_call":
            add("response.output_item.added", output_index=n, item=opening | {"arguments": ""})
            if not saying.whole:
                for piece in _pieces(item["arguments"], saying):
                    add("response.function_call_arguments.delta", **place, delta=piece)
            add("response.function_call_arguments.done", **place, arguments=item["arguments"], name=item["name"])
        else:
            add("response.output_item.added", output_index=n, item=opening | {"summary": []})
        add("response.output_item.done", output_index=n, item=item)
    status = "incomplete" if saying.stop == "length" else "completed"
    add(f"response.{status}", response=_response(saying, status, _items(saying)))
    return events


def _items(saying: Saying) -> list[Json]:
    items: list[Json] = []
    if saying.thought:
        summary = [{"type": "summary_text", "text": saying.thought}]
        items.append({"type": "reasoning", "id": "rs_1", "summary": summary, "encrypted_content": "sealed"})
    if saying.text:
        part = {"type": "output_text", "text": saying.text, "annotations": []}
        items.append({"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [part]})
    for n, (name, arguments) in enumerate(saying.calls):
        raw = json.dumps(arguments, ensure_ascii=False)
        items.append(
            {
                "type": "function_call",
                "id": f"fc_{n}",
                "call_id": f"call_{n}",
                "name": name,
                "arguments": raw,
                "status": "completed",
            }
        )
    return items


def _response(saying: Saying, status: str, items: list[Json]) -> Json:
    usage = {
        "input_tokens": 120,
        "output_tokens": 30,
        "total_tokens": 150,
        "input_tokens_details": {"cached_tokens": 20},
        "output_tokens_details": {"reasoning_tokens": 0},
    }
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": "m",
        "status": status,
        "output": items,
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if status == "incomplete" else None,
        "usage": usage if status in ("completed", "incomplete") else None,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
    }


def _pieces(raw: str, saying: Saying) -> list[str]:
    return [raw] if saying.whole else _cut(raw)


def _cut(text: str, size: int = 5) -> list[str]:
    return [text[n : n + size] for n in range(0, len(text), size)]


def _event(kind: str, data: Json) -> bytes:
    return f"event: {kind}\ndata: ".encode() + json.dumps(data, ensure_ascii=False).encode() + b"\n\n"


def _reset(request: web.Request) -> None:
    if request.transport is None:
        return
    raw = request.transport.get_extra_info("socket")
    with suppress(OSError):
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.transport.abort()
