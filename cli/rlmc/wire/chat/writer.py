"""Deltas of an answer to the chunks of a stream, see `AnswerWriter`.

Rules: one choice, calls numbered by themselves, no reasoning. Usage stands in the last chunk beside the reason for the
end, since there are clients that look for a choice in every chunk.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from rlmc.domain.chat import (
    ArgumentsDelta,
    BlockStarted,
    BlockStopped,
    Delta,
    Part,
    Stopped,
    Stopping,
    StreamError,
    Text,
    TextDelta,
    ToolCall,
    ToolSpec,
    Usage,
)
from rlmc.wire.arguments import custom_text
from rlmc.wire.chat.finish import finish_reason
from rlmc.wire.chat.response import chat_id, customs
from rlmc.wire.chat.usage import write_usage
from rlmc.wire.openai.common import CREATED
from rlmc.wire.openai.errors import error_event

_BROKEN = StreamError("api_error", "The answer broke off before its end.")


class ChunkWriter:
    def __init__(self, model: str, message_id: str, usage: Usage, tools: Sequence[ToolSpec]) -> None:
        self._head = {
            "id": chat_id(message_id),
            "object": "chat.completion.chunk",
            "created": CREATED,
            "model": model,
        }
        self._usage = usage
        self._custom = customs(tools)
        self._begun = False
        self._calls = 0
        self._stop_reason: str | None = None
        self._text: str | None = None  # of a text block: its beginning while there is nothing to read in it
        self._speaking = False
        self._call: ToolCall | None = None
        self._arguments: list[str] = []  # of a call whose tool takes one text
        self._said = False  # whether the arguments of a call have begun
        self._over = False

    def feed(self, delta: Delta) -> bytes:
        if self._over:
            return b""
        match delta:
            case BlockStarted(_, part):
                return self._begin() + self._close_block() + self._open_block(part)
            case TextDelta(_, text) if self._text is not None:
                return self._say(text)
            case ArgumentsDelta(_, json) if self._call is not None:
                return self._argue(json)
            case BlockStopped():
                return self._close_block()
            case Stopping(stop_reason, usage):
                self._stop_reason, self._usage = stop_reason, usage or self._usage
                return self._begin()
            case Stopped():
                out = self._begin() + self._close_block() + self._end()
                self._over = True
                return out
            case StreamError():
                self._over = True
                return error_event(delta)
            case _:
                return self._begin()

    def close(self) -> bytes:
        return self.feed(_BROKEN)

    def _begin(self) -> bytes:
        if self._begun:
            return b""
        self._begun = True
        return self._chunk({"role": "assistant", "content": ""})

    def _say(self, text: str) -> bytes:
        """A text begins with its first word: a block of blanks is none."""
        held, self._text = self._text or "", ""
        text = held + text
        if not text:
            return b""
        if not self._speaking and not text.strip():
            self._text = text
            return b""
        self._speaking = True
        return self._chunk({"content": text})

    def _open_block(self, part: Part) -> bytes:
        if isinstance(part, Text):
            self._text, self._speaking = "", False
            return self._say(part.text)
        if isinstance(part, ToolCall):
            return self._open_call(part)
        return b""

    def _open_call(self, call: ToolCall) -> bytes:
        self._call, self._arguments, self._said = call, [], False
        if call.name in self._custom:
            return self._argue(call.arguments)
        function = {"name": call.name, "arguments": ""}
        opening = self._piece({"id": call.id, "type": "function", "function": function})
        return opening + self._argue(call.arguments)

    def _argue(self, json: str) -> bytes:
        if not json:
            return b""
        self._said = True
        if self._call is not None and self._call.name in self._custom:
            self._arguments.append(json)
            return b""
        return self._piece({"function": {"arguments": json}})

    def _close_block(self) -> bytes:
        """The block under way is over; only of a call is there something left to say."""
        call, self._call, self._text = self._call, None, None
        if call is None:
            return b""
        out = b""
        if call.name in self._custom:
            custom = {"name": call.name, "input": custom_text("".join(self._arguments))}
            out = self._piece({"id": call.id, "type": "custom", "custom": custom})
        elif not self._said:
            out = self._piece({"function": {"arguments": "{}"}})
        self._calls += 1
        return out

    def _piece(self, piece: dict[str, Any]) -> bytes:
        return self._chunk({"tool_calls": [{"index": self._calls, **piece}]})

    def _end(self) -> bytes:
        finish = finish_reason(self._stop_reason, calls=self._calls > 0)
        return self._chunk({}, finish, {"usage": write_usage(self._usage)}) + b"data: [DONE]\n\n"

    def _chunk(self, delta: dict[str, Any], finish: str | None = None, more: dict[str, Any] | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return b"data: " + msgspec.json.encode({**self._head, "choices": [choice], **(more or {})}) + b"\n\n"
