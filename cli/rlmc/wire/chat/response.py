"""A finished answer: JSON to `Completion` and back.

Rules: a whole answer is read by the code that reads streamed ones, so that both amount to the same; one written here
holds no reasoning and no blank text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from rlmc.domain.chat import Completion, Stopped, ToolCall, ToolSpec, Usage
from rlmc.errors import WireError
from rlmc.wire.arguments import custom_text
from rlmc.wire.assemble import Assembler
from rlmc.wire.chat.answer_shape import ANSWER, error_in, first_choice
from rlmc.wire.chat.chunks import ChunkReader
from rlmc.wire.chat.finish import FAILED, finish_reason
from rlmc.wire.chat.usage import write_usage
from rlmc.wire.openai.common import CREATED
from rlmc.wire.openai.errors import failure_in
from rlmc.wire.parse import parse

_WHAT = "The answer"


def decode_completion(raw: bytes) -> Completion:
    answer = parse(ANSWER, raw, _WHAT)
    error = error_in(answer, raw)
    if error:
        failure = failure_in(error)
        raise WireError(f"{_WHAT} is an error: {failure.kind}: {failure.message}")
    choice = first_choice(answer)
    if choice is None or choice.message is None:
        raise WireError(f"{_WHAT} is no message")
    if choice.finish_reason in FAILED:
        raise WireError(f"{_WHAT} ended with {choice.finish_reason!r}")
    for number, call in enumerate(choice.message.tool_calls or ()):
        call.index = number  # here each stands whole, whatever ids they have
    reader, assembler = ChunkReader(), Assembler()
    for delta in (*reader.read(answer, choice), *reader.end(), Stopped()):
        assembler.feed(delta)
    completion = assembler.result()
    if completion is None:
        raise WireError(f"{_WHAT} is no message")
    return completion


def encode_completion(completion: Completion, usage: Usage, tools: Sequence[ToolSpec]) -> bytes:
    custom = customs(tools)
    calls = [_call(call, custom=call.name in custom) for call in completion.tool_calls]
    text = completion.text
    message: dict[str, Any] = {"role": "assistant", "content": text if text.strip() else None, "refusal": None}
    if calls:
        message["tool_calls"] = calls
    finish = finish_reason(completion.stop_reason, calls=bool(calls))
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
    return msgspec.json.encode(
        {
            "id": chat_id(completion.id),
            "object": "chat.completion",
            "created": CREATED,
            "model": completion.model,
            "choices": [choice],
            "usage": write_usage(usage),
        }
    )


def chat_id(message_id: str) -> str:
    """The id of an answer as clients of this protocol know them."""
    return message_id if message_id.startswith("chatcmpl-") else f"chatcmpl-{message_id.removeprefix('msg_')}"


def customs(tools: Sequence[ToolSpec]) -> frozenset[str]:
    """The tools that take one text."""
    return frozenset(tool.name for tool in tools if tool.custom)


def _call(call: ToolCall, *, custom: bool) -> dict[str, Any]:
    if custom:
        return {"id": call.id, "type": "custom", "custom": {"name": call.name, "input": custom_text(call.arguments)}}
    function = {"name": call.name, "arguments": call.arguments.strip() or "{}"}
    return {"id": call.id, "type": "function", "function": function}
