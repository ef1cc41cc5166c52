"""Deltas of an answer to the events of a stream, see `AnswerWriter`.

Rules: every item is added, told and done, with the same id throughout, because clients go by `output_item.done`; calls
are written as items of the kind the client declared; there is no reasoning, and no end but a terminal event.
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
from rlmc.wire.responses.errors import failed_response
from rlmc.wire.responses.response import Ids, call_item, finished, message_item, response
from rlmc.wire.sse import encode_event

Json = dict[str, Any]

_BROKEN = StreamError("api_error", "The answer broke off before its end.")


class EventWriter:
    def __init__(self, model: str, message_id: str, usage: Usage, tools: Sequence[ToolSpec]) -> None:
        self._model = model
        self._ids = Ids(message_id)
        self._usage = usage
        self._tools = {tool.name: tool for tool in tools}
        self._number = 0
        self._begun = False
        self._output: list[Json] = []
        self._part: Text | ToolCall | None = None
        self._pieces: list[str] = []
        self._blank = ""
        self._open = False
        self._stop_reason: str | None = None
        self._over = False

    def feed(self, delta: Delta) -> bytes:
        if self._over:
            return b""
        begin = self._begin()
        match delta:
            case BlockStarted(_, Text(text)):
                return begin + self._end() + self._new(Text("")) + self._text(text)
            case BlockStarted(_, ToolCall(id_, name, arguments)):
                return begin + self._end() + self._call(ToolCall(id_, name, "")) + self._arguments(arguments)
            case BlockStarted() | BlockStopped():
                return begin + self._end()
            case TextDelta(_, text) if isinstance(self._part, Text):
                return begin + self._text(text)
            case ArgumentsDelta(_, json) if isinstance(self._part, ToolCall):
                return begin + self._arguments(json)
            case Stopping(stop_reason, usage):
                self._stop_reason, self._usage = stop_reason, usage or self._usage
                return begin + self._end()
            case Stopped():
                out = begin + self._end()
                self._over = True
                whole = response(self._ids.response, self._model, self._output, self._stop_reason, self._usage)
                return out + self._event(f"response.{whole['status']}", response=whole)
            case StreamError(kind, message):
                self._over = True
                whole = response(self._ids.response, self._model, self._output, None, None)
                return begin + self._event("response.failed", response=failed_response(whole, kind, message))
            case _:
                return begin

    def close(self) -> bytes:
        return self.feed(_BROKEN)

    def _begin(self) -> bytes:
        if self._begun:
            return b""
        self._begun = True
        begun = response(self._ids.response, self._model, [], None, None)
        return self._event("response.created", response=begun) + self._event("response.in_progress", response=begun)

    def _new(self, part: Text | ToolCall) -> bytes:
        self._part, self._pieces, self._blank, self._open = part, [], "", False
        return b""

    @property
    def _place(self) -> Json:
        number = len(self._output)
        assert self._part is not None  # noqa: S101  # only asked of a block under way
        return {"item_id": self._ids.item(self._part, number), "output_index": number}

    # --- text --------------------------------------------------------------------------------------------------------

    def _text(self, text: str) -> bytes:
        """A text begins with its first word: a block of blanks is none."""
        if not self._open:
            self._blank += text
            if not self._blank.strip():
                return b""
            text, self._blank, self._open = self._blank, "", True
            place = self._place
            item = message_item(place["item_id"], "", "in_progress")
            part = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
            opening = self._event("response.output_item.added", output_index=place["output_index"], item=item)
            opening += self._event("response.content_part.added", **place, content_index=0, part=part)
            return opening + self._said(text)
        return self._said(text) if text else b""

    def _said(self, text: str) -> bytes:
        self._pieces.append(text)
        return self._event("response.output_text.delta", **self._place, content_index=0, delta=text, logprobs=[])

    def _text_done(self) -> bytes:
        place, text = self._place, "".join(self._pieces)
        part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
        out = self._event("response.output_text.done", **place, content_index=0, text=text, logprobs=[])
        return out + self._event("response.content_part.done", **place, content_index=0, part=part)

    # --- calls -------------------------------------------------------------------------------------------------------

    def _call(self, call: ToolCall) -> bytes:
        self._new(call)
        self._open = True
        place = self._place
        item = call_item(place["item_id"], call, self._tools.get(call.name), "in_progress")
        return self._event("response.output_item.added", output_index=place["output_index"], item=item)

    def _arguments(self, json: str) -> bytes:
        if not json:
            return b""
        self._pieces.append(json)
        if self._custom:
            return b""  # its one text is known only once the JSON around it is complete
        return self._event("response.function_call_arguments.delta", **self._place, delta=json)

    @property
    def _custom(self) -> bool:
        tool = self._tools.get(self._part.name) if isinstance(self._part, ToolCall) else None
        return tool is not None and tool.custom

    def _call_done(self, call: ToolCall) -> bytes:
        place = self._place
        if self._custom:
            text = custom_text(call.arguments)
            out = self._event("response.custom_tool_call_input.delta", **place, delta=text)
            return out + self._event("response.custom_tool_call_input.done", **place, input=text)
        out = b""
        if not self._pieces:
            out = self._event("response.function_call_arguments.delta", **place, delta=call.arguments)
        name = call_item("", call, self._tools.get(call.name), "")["name"]
        return out + self._event("response.function_call_arguments.done", **place, name=name, arguments=call.arguments)

    # --- the end of each item ----------------------------------------------------------------------------------------

    def _end(self) -> bytes:
        part = self._part
        if part is None or not self._open:
            self._part = None
            return b""
        said = "".join(self._pieces)
        if isinstance(part, Text):
            whole: Text | ToolCall = Text(said)
            out = self._text_done()
        else:
            whole = ToolCall(part.id, part.name, said.strip() or "{}")
            out = self._call_done(whole)
        place = self._place
        tool = self._tools.get(part.name) if isinstance(part, ToolCall) else None
        item = finished(whole, place["item_id"], tool)
        out += self._event("response.output_item.done", output_index=place["output_index"], item=item)
        self._output.append(item)
        self._part, self._open = None, False
        return out

    def _event(self, kind: str, **fields: Any) -> bytes:
        data = {"type": kind, "sequence_number": self._number, **fields}
        self._number += 1
        return encode_event(kind, msgspec.json.encode(data))
