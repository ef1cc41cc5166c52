"""A finished answer: JSON to `Completion` and back, and errors in the protocol's own shape.

Rules: an answer written here holds no reasoning and no safeguard result (only the model that made them can vouch for
them), and no blank text, which the API refuses to read back on the next turn.
"""

from __future__ import annotations

from typing import Any

import msgspec

from rlmc.domain.chat import Completion, Part, Text, ToolCall, Usage
from rlmc.errors import WireError
from rlmc.wire.anthropic.blocks import NO_ARGUMENTS, Block, answer_part
from rlmc.wire.anthropic.usage import read_usage, write_usage
from rlmc.wire.parse import parse
from rlmc.wire.sse import encode_event

_WHAT = "The answer"

_ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}

KINDS = frozenset({*_ERRORS.values(), "api_error"})
"""Of errors, as this protocol calls them."""


class Failure(msgspec.Struct, gc=False):
    type: str = ""
    message: str = ""


class _Answer(msgspec.Struct, gc=False):
    type: str = "message"
    id: str = ""
    model: str = ""
    content: list[Block] | None = None
    stop_reason: str | None = None
    usage: Any = None
    error: Failure | None = None


_ANSWER = msgspec.json.Decoder(_Answer)
_ARGUMENTS = msgspec.json.Decoder(dict[str, msgspec.Raw])


def decode_completion(raw: bytes) -> Completion:
    answer = parse(_ANSWER, raw, _WHAT)
    if answer.error is not None:
        raise WireError(f"The answer is an error: {answer.error.type or 'error'}: {answer.error.message}")
    if answer.type != "message" or answer.content is None:
        raise WireError(f"{_WHAT} is no message")
    return Completion(
        model=answer.model,
        parts=tuple(answer_part(block) for block in answer.content),
        stop_reason=answer.stop_reason,
        usage=read_usage(answer.usage),
        id=answer.id,
    )


def encode_completion(completion: Completion, usage: Usage) -> bytes:
    return msgspec.json.encode(
        {
            **message_head(completion),
            "content": [_block(part) for part in visible(completion.parts)],
            "stop_reason": completion.stop_reason,
            "usage": write_usage(usage, usage.output),
        }
    )


def message_head(completion: Completion) -> dict[str, object]:
    """The fields of a message before anything is said."""
    return {
        "model": completion.model,
        "id": completion.id,
        "type": "message",
        "role": "assistant",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }


def visible(parts: tuple[Part, ...]) -> list[Text | ToolCall]:
    """The parts a client may be sent."""
    return [part for part in parts if isinstance(part, ToolCall) or (isinstance(part, Text) and part.text.strip())]


def error_kind(status: int) -> str:
    return _ERRORS.get(status, "api_error" if status >= 500 else "invalid_request_error")


def encode_error(status: int, message: str) -> bytes:
    return error_of(error_kind(status), message)


def encode_stream_error(kind: str, message: str) -> bytes:
    return encode_event("error", error_of(kind, message))


def ping() -> bytes:
    return encode_event("ping", b'{"type":"ping"}')


def error_of(kind: str, message: str) -> bytes:
    return msgspec.json.encode({"type": "error", "error": {"type": kind, "message": message}})


def _block(part: Text | ToolCall) -> dict[str, object]:
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    arguments = (part.arguments.strip() or NO_ARGUMENTS).encode()
    parse(_ARGUMENTS, arguments, f"The input of the tool call {part.name!r}")
    return {"type": "tool_use", "id": part.id, "name": part.name, "input": msgspec.Raw(arguments)}
