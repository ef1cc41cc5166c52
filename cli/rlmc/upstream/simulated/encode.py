"""A reply in the provider's wire format: as one JSON body, or as a stream of events with the time each one takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from rlmc.domain.frozen import dataclass
from rlmc.upstream.simulated.agent import Reply
from rlmc.upstream.simulated.body import Block
from rlmc.upstream.simulated.cache import Account
from rlmc.upstream.simulated.prompt import tokens_of

_PIECE_CHARS = 48
_BLOCK_TOKENS = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """Everything an answer says. `blocks` are complete content blocks; a tool call's `input` is its JSON text."""

    id: str
    model: str
    blocks: tuple[Block, ...]
    stop_reason: str
    account: Account
    with_usage: bool

    @property
    def thinking_tokens(self) -> int:
        return sum(tokens_of(_hidden_chars(b)) for b in self.blocks if b["type"] == "thinking")

    @property
    def output_tokens(self) -> int:
        shown = sum(_BLOCK_TOKENS + tokens_of(len(_body_of(b))) for b in self.blocks if b["type"] != "thinking")
        return shown + self.thinking_tokens + 1


@dataclass(frozen=True, slots=True)
class Beat:
    """Bytes to send, and the output tokens it takes to come up with them."""

    data: bytes
    tokens: int


def blocks_of(reply: Reply, thinking: Block | None, ids: Iterator[str]) -> tuple[Block, ...]:
    blocks: list[Block] = [thinking] if thinking else []
    if reply.text:
        blocks.append({"type": "text", "text": reply.text})
    blocks += [{"type": "tool_use", "id": next(ids), "name": c.name, "input": c.arguments} for c in reply.calls]
    return tuple(blocks)


def cut(blocks: tuple[Block, ...], max_tokens: int) -> tuple[Block, ...]:
    """What is left of an answer under its output limit: the last text is cut, calls that do not fit are left out."""
    kept: list[Block] = []
    left = max_tokens
    for block in blocks:
        need = _BLOCK_TOKENS + tokens_of(len(_body_of(block)))
        if need <= left:
            kept.append(block)
        elif block["type"] == "text" and left > _BLOCK_TOKENS:
            kept.append({"type": "text", "text": block["text"][: int((left - _BLOCK_TOKENS) * 3.7)]})
        left -= need
        if left <= 0:
            break
    return tuple(kept)


def whole(answer: Answer) -> bytes:
    """The body of an answer that is not streamed. Arguments that are no JSON stand there as text."""
    content = [dict(b, input=_decoded(b["input"])) if b["type"] == "tool_use" else b for b in answer.blocks]
    message = _message(answer) | {"content": content, "stop_reason": answer.stop_reason}
    if answer.with_usage:
        message["usage"] = usage(answer.account, answer.output_tokens) | _thinking_details(answer)
    return msgspec.json.encode(message)


def events(answer: Answer) -> Iterator[Beat]:
    start = _message(answer) | {"content": [], "stop_reason": None}
    if answer.with_usage:
        start["usage"] = usage(answer.account, 1)
    yield Beat(event("message_start", {"message": start}), 0)
    yield Beat(event("ping", {}), 0)
    for index, block in enumerate(answer.blocks):
        yield from _block_events(index, block)
    delta: dict[str, Any] = {"delta": {"stop_reason": answer.stop_reason, "stop_sequence": None}}
    if answer.with_usage:
        cumulative = usage(answer.account, answer.output_tokens) | _thinking_details(answer)
        delta["usage"] = {k: v for k, v in cumulative.items() if k not in ("cache_creation", "service_tier")}
    yield Beat(event("message_delta", delta), 0)
    yield Beat(event("message_stop", {}), 0)


def event(name: str, payload: dict[str, Any]) -> bytes:
    return f"event: {name}\ndata: ".encode() + msgspec.json.encode({"type": name, **payload}) + b"\n\n"


def usage(account: Account, output: int) -> dict[str, Any]:
    return {
        "input_tokens": account.fresh,
        "cache_creation_input_tokens": account.written_5m + account.written_1h,
        "cache_read_input_tokens": account.read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": account.written_5m,
            "ephemeral_1h_input_tokens": account.written_1h,
        },
        "output_tokens": output,
        "service_tier": "standard",
    }


def _thinking_details(answer: Answer) -> dict[str, Any]:
    thought = answer.thinking_tokens
    return {"output_tokens_details": {"thinking_tokens": thought}} if thought else {}


def _message(answer: Answer) -> dict[str, Any]:
    return {
        "id": answer.id,
        "type": "message",
        "role": "assistant",
        "model": answer.model,
        "stop_sequence": None,
    }


def _block_events(index: int, block: Block) -> Iterator[Beat]:
    match block["type"]:
        case "thinking":
            empty: Block = {"type": "thinking", "thinking": "", "signature": ""}
            deltas = [{"type": "thinking_delta", "thinking": t} for t in _pieces(block["thinking"])]
            deltas.append({"type": "signature_delta", "signature": block["signature"]})
        case "tool_use":
            empty = {**block, "input": {}}
            deltas = [{"type": "input_json_delta", "partial_json": t} for t in ["", *_pieces(block["input"])]]
        case _:
            empty = {"type": "text", "text": ""}
            deltas = [{"type": "text_delta", "text": t} for t in _pieces(block["text"])]
    yield Beat(event("content_block_start", {"index": index, "content_block": empty}), _BLOCK_TOKENS)
    thought = tokens_of(_hidden_chars(block)) // len(deltas) if block["type"] == "thinking" else 0
    for delta in deltas:
        size = thought or tokens_of(len(str(delta.get("text") or delta.get("partial_json") or "")))
        yield Beat(event("content_block_delta", {"index": index, "delta": delta}), size)
    yield Beat(event("content_block_stop", {"index": index}), 0)


def _pieces(text: str) -> list[str]:
    return [text[n : n + _PIECE_CHARS] for n in range(0, len(text), _PIECE_CHARS)]


def _body_of(block: Block) -> str:
    return str(block.get("text") or block.get("input") or "")


def _hidden_chars(block: Block) -> int:
    """Thinking bills more than is shown of it."""
    return len(block["thinking"]) + len(block["signature"]) * 3


def _decoded(arguments: str) -> Any:
    try:
        return msgspec.json.decode(arguments)
    except msgspec.DecodeError:
        return arguments
