"""Deltas of an answer to the events of a stream, see `AnswerWriter`.

Rules: the client gets events made here and nothing of the sender's own: no other blocks, no fields, no reasoning. They
are the ones clients insist on: named, a text never blank, arguments in pieces, usage at both ends, a proper stop.
"""

from __future__ import annotations

import msgspec

from rlmc.domain.chat import (
    ArgumentsDelta,
    BlockStarted,
    BlockStopped,
    Completion,
    Delta,
    Part,
    Stopped,
    Stopping,
    StreamError,
    Text,
    TextDelta,
    ToolCall,
    Usage,
)
from rlmc.wire.anthropic.blocks import NO_ARGUMENTS
from rlmc.wire.anthropic.response import KINDS, encode_stream_error, message_head
from rlmc.wire.anthropic.usage import write_prompt, write_usage
from rlmc.wire.sse import encode_event

_BROKEN = "The answer broke off before its end."


class MessageWriter:
    def __init__(self, model: str, message_id: str, usage: Usage) -> None:
        self._usage = usage
        head = message_head(Completion(model, (), None, None, message_id))
        start = {**head, "usage": write_usage(usage, min(1, usage.output))}
        self._start = _event({"type": "message_start", "message": start})
        self._index = -1
        self._part: Part | None = None  # of the block under way, where it is one a client gets
        self._open = False
        self._blank = ""  # the beginning of a text while there is nothing to read in it
        self._whole = ""  # arguments that came with the call itself; those that come in pieces count more
        self._said = False  # whether the latter have begun
        self._stopping = False
        self._over = False

    def feed(self, delta: Delta) -> bytes:
        if self._over:
            return b""
        start, self._start = self._start, b""
        return start + self._written(delta)

    def close(self) -> bytes:
        if self._over:
            return b""
        self._over = True
        start, self._start = self._start, b""
        return start + encode_stream_error("api_error", _BROKEN)

    def _written(self, delta: Delta) -> bytes:
        match delta:
            case BlockStarted(_, Text(text)):
                return self._begin(Text("")) + self._text(text)
            case BlockStarted(_, ToolCall(id_, name, arguments)):
                block: dict[str, object] = {"type": "tool_use", "id": id_, "name": name, "input": {}}
                begun = self._begin(ToolCall(id_, name, "")) + self._opened(block)
                self._whole = arguments.strip()
                return begun
            case BlockStarted():
                return self._end()
            case TextDelta(_, text) if isinstance(self._part, Text):
                return self._text(text)
            case ArgumentsDelta(_, json) if isinstance(self._part, ToolCall):
                return self._arguments(json)
            case BlockStopped():
                return self._end()
            case Stopping(stop_reason, usage):
                return self._stop(stop_reason, usage or self._usage)
            case Stopped():
                self._over = True
                last = b"" if self._stopping else self._stop(None, self._usage)
                return self._end() + last + _event({"type": "message_stop"})
            case StreamError(kind, message):
                self._over = True
                return encode_stream_error(kind if kind in KINDS else "api_error", message)
            case _:
                return b""

    def _begin(self, part: Part) -> bytes:
        out = self._end()
        self._part, self._blank, self._whole, self._said = part, "", "", False
        return out

    def _opened(self, block: dict[str, object]) -> bytes:
        self._open = True
        self._index += 1
        return _event({"type": "content_block_start", "index": self._index, "content_block": block})

    def _text(self, text: str) -> bytes:
        if not self._open:
            self._blank += text
            if not self._blank.strip():
                return b""
            text, self._blank = self._blank, ""
            return self._opened({"type": "text", "text": ""}) + self._delta({"type": "text_delta", "text": text})
        return self._delta({"type": "text_delta", "text": text}) if text else b""

    def _arguments(self, json: str) -> bytes:
        if not json or not (self._said or json.strip()):
            return b""
        self._said = True
        return self._delta({"type": "input_json_delta", "partial_json": json})

    def _delta(self, change: dict[str, object]) -> bytes:
        return _event({"type": "content_block_delta", "index": self._index, "delta": change})

    def _stop(self, stop_reason: str | None, usage: Usage) -> bytes:
        self._stopping = True
        change = {"stop_reason": stop_reason, "stop_sequence": None}
        counts = {**write_prompt(usage), "output_tokens": usage.output}
        return self._end() + _event({"type": "message_delta", "delta": change, "usage": counts})

    def _end(self) -> bytes:
        """The block under way is over."""
        part, self._part = self._part, None
        if not self._open:
            return b""
        self._open = False
        rest = b""
        if isinstance(part, ToolCall) and not self._said:
            rest = self._delta({"type": "input_json_delta", "partial_json": self._whole or NO_ARGUMENTS})
        return rest + _event({"type": "content_block_stop", "index": self._index})


def _event(data: dict[str, object]) -> bytes:
    return encode_event(str(data["type"]), msgspec.json.encode(data))
