"""Writes a streamed answer of text alone while the text is still coming in.

Rule: the client gets events made here and nothing of the sender's own: no other blocks, no fields, no reasoning.
"""

from __future__ import annotations

import msgspec

from rlmc.domain.chat import Completion, Usage
from rlmc.wire.anthropic.response import message_head
from rlmc.wire.anthropic.usage import write_prompt, write_usage
from rlmc.wire.sse import encode_event


class TextStreamWriter:
    """See `Codec.text_stream`."""

    def __init__(self, model: str, message_id: str, usage: Usage) -> None:
        self._usage = usage
        head = message_head(Completion(model, (), None, None, message_id))
        start = {**head, "usage": write_usage(usage, min(1, usage.output))}
        self._pending = _event({"type": "message_start", "message": start})
        self._open = False

    def say(self, text: str) -> bytes:
        if not text:
            return b""
        out, self._pending = self._pending, b""
        if not self._open:
            self._open = True
            block = {"type": "text", "text": ""}
            out += _event({"type": "content_block_start", "index": 0, "content_block": block})
        delta = {"type": "text_delta", "text": text}
        return out + _event({"type": "content_block_delta", "index": 0, "delta": delta})

    def end(self, stop_reason: str | None, output_tokens: int) -> bytes:
        out, self._pending = self._pending, b""
        if self._open:
            out += _event({"type": "content_block_stop", "index": 0})
        usage = {**write_prompt(self._usage), "output_tokens": output_tokens}
        delta = {"stop_reason": stop_reason, "stop_sequence": None}
        out += _event({"type": "message_delta", "delta": delta, "usage": usage})
        return out + _event({"type": "message_stop"})


def _event(data: dict[str, object]) -> bytes:
    return encode_event(str(data["type"]), msgspec.json.encode(data))
