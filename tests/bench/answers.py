"""The answers of the fake upstream, and what makes a received answer complete.

Rule: an answer that is cut, empty, an error or another one's is bad, however fast it came.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from tests.bench.requests import MODEL

Json = dict[str, Any]
Kind = Literal["text", "call"]
"""What the upstream says: words, or (as a draft in the middle of a task) a few words and a call of the tool Read."""

DELTAS = 50
EVENTS = DELTAS + 5  # the start, the block's two ends, the final usage, the stop: what one streamed text costs

_WORDS = [f" word {number} of the answer\n" for number in range(DELTAS)]
_CALL = {"file_path": "/src/app/next.py", "mode": "content"}
_PROMPT = {"input_tokens": 1_200, "cache_creation_input_tokens": 800, "cache_read_input_tokens": 24_000}
_USAGE = {**_PROMPT, "cache_creation": {"ephemeral_5m_input_tokens": 800, "ephemeral_1h_input_tokens": 0}}
_OUTPUT = 260


@dataclass(frozen=True, slots=True)
class Content:
    """What an answer says, whichever way it was cut into events."""

    text: str
    calls: tuple[tuple[str, Json], ...]
    stop_reason: str


def content_of(kind: Kind) -> Content:
    if kind == "text":
        return Content("".join(_WORDS), (), "end_turn")
    return Content("".join(_WORDS[:10]), (("Read", _CALL),), "tool_use")


@functools.cache
def events_of(kind: Kind) -> tuple[bytes, ...]:
    """The stream, one item an event."""
    said = content_of(kind)
    head = {**_head(), "content": [], "stop_reason": None, "usage": {**_USAGE, "output_tokens": 1}}
    events: list[Json] = [{"type": "message_start", "message": head}]
    words = _WORDS if kind == "text" else _WORDS[:10]
    events += _block(0, {"type": "text", "text": ""}, [{"type": "text_delta", "text": w} for w in words])
    for index, (name, arguments) in enumerate(said.calls, 1):
        written = msgspec.json.encode(arguments).decode()
        pieces = [written[at : at + 2] for at in range(0, len(written), 2)]
        opening = {"type": "tool_use", "id": "toolu_bench_1", "name": name, "input": {}}
        events += _block(index, opening, [{"type": "input_json_delta", "partial_json": p} for p in pieces])
    ending = {"stop_reason": said.stop_reason, "stop_sequence": None}
    events.append({"type": "message_delta", "delta": ending, "usage": {**_PROMPT, "output_tokens": _OUTPUT}})
    events.append({"type": "message_stop"})
    return tuple(b"event: %b\ndata: %b\n\n" % (event["type"].encode(), msgspec.json.encode(event)) for event in events)


@functools.cache
def whole(kind: Kind) -> bytes:
    """The answer to a request that does not stream."""
    said = content_of(kind)
    content: list[Json] = [{"type": "text", "text": said.text}]
    content += [{"type": "tool_use", "id": "toolu_bench_1", "name": n, "input": a} for n, a in said.calls]
    usage = {**_USAGE, "output_tokens": _OUTPUT}
    return msgspec.json.encode({**_head(), "content": content, "stop_reason": said.stop_reason, "usage": usage})


def problem(body: bytes, kind: Kind, *, stream: bool, exact: bool) -> str | None:
    """What is wrong with a received answer; None when it is complete. `exact`: to the byte as the upstream sent it."""
    expected = b"".join(events_of(kind)) if stream else whole(kind)
    if body == expected:
        return None
    if exact:
        return f"not the upstream's bytes: {len(body)} received, {len(expected)} sent"
    try:
        said = _read_stream(body) if stream else _read_whole(body)
    except (msgspec.DecodeError, KeyError, TypeError, IndexError, ValueError) as error:
        return f"no answer of this protocol ({type(error).__name__}: {error})"
    return None if said == content_of(kind) else f"says something else: {said}"[:200]


def _head() -> Json:
    return {"id": "msg_bench_1", "type": "message", "role": "assistant", "model": MODEL, "stop_sequence": None}


def _block(index: int, opening: Json, deltas: list[Json]) -> list[Json]:
    return [
        {"type": "content_block_start", "index": index, "content_block": opening},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def _read_whole(body: bytes) -> Content:
    answer = msgspec.json.decode(body)
    text = "".join(block["text"] for block in answer["content"] if block["type"] == "text")
    calls = tuple((block["name"], block["input"]) for block in answer["content"] if block["type"] == "tool_use")
    return Content(text, calls, answer["stop_reason"] if answer["usage"]["output_tokens"] else "no usage")


def _read_stream(body: bytes) -> Content:
    text: list[str] = []
    names: dict[int, str] = {}
    arguments: dict[int, str] = {}
    stop_reason, ended = "", False
    for block in body.split(b"\n\n"):
        data = next((line[5:] for line in block.split(b"\n") if line.startswith(b"data:")), None)
        if data is None:
            continue
        event = msgspec.json.decode(data)
        match event["type"]:
            case "content_block_start" if event["content_block"]["type"] == "tool_use":
                names[event["index"]] = event["content_block"]["name"]
            case "content_block_delta" if event["delta"]["type"] == "text_delta":
                text.append(event["delta"]["text"])
            case "content_block_delta" if event["delta"]["type"] == "input_json_delta":
                index = event["index"]
                arguments[index] = arguments.get(index, "") + event["delta"]["partial_json"]
            case "message_delta":
                stop_reason = event["delta"]["stop_reason"] if event["usage"]["output_tokens"] else "no usage"
            case "message_stop":
                ended = True
            case "error":
                raise ValueError(event["error"]["message"])
    if not ended:
        raise ValueError("the stream has no end")
    calls = tuple((name, msgspec.json.decode(arguments.get(index, ""))) for index, name in names.items())
    return Content("".join(text), calls, stop_reason)
