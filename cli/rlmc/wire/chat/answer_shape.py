"""An answer of `POST /v1/chat/completions`, whole or as one chunk of a stream, typed loosely.

Rule: a whole message and the delta of a chunk have the same fields, so they are read by the same code.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

from rlmc.wire.chat.request_shape import Custom, Function


class CallPiece(msgspec.Struct, gc=False):
    """A call, or what a chunk adds to one."""

    index: int | None = None
    id: str | None = None
    function: Function | None = None
    custom: Custom | None = None


class Piece(msgspec.Struct, gc=False):
    """One part of a content that comes in parts."""

    type: str = ""
    text: str | None = None


class Message(msgspec.Struct, gc=False):
    content: str | list[Piece] | None = None
    refusal: str | None = None
    reasoning_content: Any = None
    reasoning: Any = None
    reasoning_details: Any = None
    tool_calls: list[CallPiece] | None = None
    function_call: Function | None = None


class Choice(msgspec.Struct, gc=False):
    index: int | None = None
    delta: Message | None = None
    message: Message | None = None
    finish_reason: str | None = None
    usage: Any = None


class Answer(msgspec.Struct, gc=False):
    id: str | None = None
    model: str | None = None
    object: str | None = None
    choices: list[Choice] | None = None
    usage: Any = None
    service_tier: Any = None
    error: Raw = Raw()


ANSWER = msgspec.json.Decoder(Answer)

_NULL = frozenset({b"", b"null"})


def error_in(answer: Answer, raw: bytes) -> bytes:
    """The JSON of the error that came instead of an answer; some servers leave out the envelope."""
    error = bytes(answer.error)
    if error not in _NULL:
        return error
    return raw if answer.object == "error" else b""


def first_choice(answer: Answer) -> Choice | None:
    """The only one there should be; of several, the first."""
    for choice in answer.choices or ():
        if not choice.index:
            return choice
    return None
