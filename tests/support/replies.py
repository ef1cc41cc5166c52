"""What a fake upstream is told to answer, and how that looks on the Anthropic wire."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.support.billing import Bill, count

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the model, or one of the many ways not to get one.

    Content: `text`, `thinking` and `calls` ((tool, arguments); arguments given as a string go out as they are), or
    `blocks` for anything else. `status` other than 200 is an error of type `error`; `raw` replaces the whole body.
    `delay` seconds pass before the headers, `gap` between events. After `break_after` events the connection is reset,
    after `eof_after` the answer ends early, after `hang_after` nothing more comes; -1 means before the headers.
    `chunk` cuts the bytes into pieces of that size. `compress` uses gzip if the client accepts it.
    """

    text: str | None = None
    calls: tuple[tuple[str, Json | str], ...] = ()
    thinking: str | None = None
    blocks: tuple[Json, ...] = ()
    stop: str | None = None
    model: str | None = None
    status: int = 200
    error: str = "api_error"
    message: str = "fake: as told"
    headers: tuple[tuple[str, str], ...] = ()
    raw: bytes | None = None
    content_type: str | None = None
    delay: float = 0.0
    gap: float = 0.0
    break_after: int | None = None
    eof_after: int | None = None
    hang_after: int | None = None
    chunk: int | None = None
    compress: bool = False
    usage: bool = True
    output_tokens: int | None = None
    delta: Json | None = None  # further fields of message_delta.delta, such as safeguard_results


HTML = Reply(raw=b"<html><body>Please sign in</body></html>", content_type="text/html")


def error_body(kind: str, message: str) -> bytes:
    error = {"type": "error", "error": {"type": kind, "message": message}, "request_id": _id("req_")}
    return json.dumps(error).encode()


def content_of(reply: Reply) -> list[Json]:
    content: list[Json] = list(reply.blocks)
    if reply.thinking is not None:
        content.append({"type": "thinking", "thinking": reply.thinking, "signature": "c2lnbmVkIGJ5IGEgZmFrZQ=="})
    if reply.text is not None:
        content.append({"type": "text", "text": reply.text})
    content += [{"type": "tool_use", "id": _id("toolu_"), "name": n, "input": a} for n, a in reply.calls]
    return content


def stop_of(reply: Reply) -> str:
    return reply.stop or ("tool_use" if reply.calls else "end_turn")


def output_of(reply: Reply, content: list[Json]) -> int:
    """The answer's tokens; at least one, as at the provider."""
    if reply.output_tokens is not None:
        return reply.output_tokens
    return max(1, sum(count(json.dumps(block)) for block in content))


def message_body(reply: Reply, content: list[Json], bill: Bill) -> bytes:
    message = _message(reply, bill) | {"content": content, "stop_reason": stop_of(reply)} | (reply.delta or {})
    if reply.usage:
        message["usage"] = bill.usage(output_of(reply, content))
    return json.dumps(message).encode()


def stream(reply: Reply, content: list[Json], bill: Bill) -> Iterator[tuple[bytes, int]]:
    """Events, each with the output tokens that had been produced when it was sent."""
    total = output_of(reply, content)
    start = _message(reply, bill) | {"content": [], "stop_reason": None}
    if reply.usage:
        start["usage"] = bill.usage(1)
    yield event("message_start", message=start), 1
    yield event("ping"), 1
    spread = max(1, len(content))
    for index, block in enumerate(content):
        before, after = 1 + (total - 1) * index // spread, 1 + (total - 1) * (index + 1) // spread
        opening, deltas = _in_pieces(block)
        yield event("content_block_start", index=index, content_block=opening), before
        for delta in deltas:
            yield event("content_block_delta", index=index, delta=delta), after
        yield event("content_block_stop", index=index), after
    end: Json = {"delta": {"stop_reason": stop_of(reply), "stop_sequence": None} | (reply.delta or {})}
    if reply.usage:
        end["usage"] = {k: v for k, v in bill.usage(total).items() if k not in ("cache_creation", "service_tier")}
    yield event("message_delta", **end), total
    yield event("message_stop"), total


def event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def _in_pieces(block: Json) -> tuple[Json, list[Json]]:
    match block["type"]:
        case "text":
            return {**block, "text": ""}, [{"type": "text_delta", "text": p} for p in _cut(block["text"], 16)]
        case "thinking":
            thought = [{"type": "thinking_delta", "thinking": p} for p in _cut(block["thinking"], 16)]
            signed = {"type": "signature_delta", "signature": block["signature"]}
            return {**block, "thinking": "", "signature": ""}, [*thought, signed]
        case "tool_use":
            text = block["input"] if isinstance(block["input"], str) else json.dumps(block["input"])
            pieces = ["", *_cut(text, 20)]
            return {**block, "input": {}}, [{"type": "input_json_delta", "partial_json": p} for p in pieces]
        case _:
            return block, []


def _cut(text: str, size: int) -> list[str]:
    return [text[n : n + size] for n in range(0, len(text), size)]


def _message(reply: Reply, bill: Bill) -> Json:
    return {
        "id": _id("msg_"),
        "type": "message",
        "role": "assistant",
        "model": reply.model or bill.model,
        "stop_sequence": None,
    }


def _id(prefix: str) -> str:
    return f"{prefix}01fake{uuid.uuid4().hex[:18]}"
