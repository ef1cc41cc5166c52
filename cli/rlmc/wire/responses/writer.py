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
from rlmc.wire.responses.response import Ids, call_item, finished, message_item, output_text, response
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
        # Of the item under way: its beginning, the tool it calls, its id, and what has been said of it.
        self._part: Text | ToolCall | None = None
        self._tool: ToolSpec | None = None
        self._id = ""
        self._pieces: list[str] = []
        self._blank: str | None = None  # the beginning of a text, while there is nothing to read in it
        self._stop_reason: str | None = None
        self._over = False

    def feed(self, delta: Delta) -> bytes:
        if self._over:
            return b""
        begin = self._begin()
        match delta:
            case BlockStarted(_, Text(text)):
                return begin + self._end() + self._open_text(text)
            case BlockStarted(_, ToolCall() as call):
                return begin + self._end() + self._open_call(call)
            case BlockStarted() | BlockStopped():
                return begin + self._end()
            case TextDelta(_, text) if isinstance(self._part, Text):
                return begin + self._say(text)
            case ArgumentsDelta(_, json) if isinstance(self._part, ToolCall):
                return begin + self._argue(json)
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

    # --- text --------------------------------------------------------------------------------------------------------

    def _open_text(self, text: str) -> bytes:
        self._start(Text(""), None)
        self._blank = ""
        return self._say(text)

    def _say(self, text: str) -> bytes:
        """A text begins with its first word: a block of blanks is none."""
        opening = b""
        if self._blank is not None:
            text = self._blank + text
            if not text.strip():
                self._blank = text
                return b""
            self._blank = None
            opening = self._added(message_item(self._id, "", "in_progress"))
            opening += self._event("response.content_part.added", **self._place(0), part=output_text(""))
        if not text:
            return opening
        self._pieces.append(text)
        return opening + self._event("response.output_text.delta", **self._place(0), delta=text, logprobs=[])

    def _text_done(self, text: str) -> bytes:
        out = self._event("response.output_text.done", **self._place(0), text=text, logprobs=[])
        return out + self._event("response.content_part.done", **self._place(0), part=output_text(text))

    # --- calls -------------------------------------------------------------------------------------------------------

    def _open_call(self, call: ToolCall) -> bytes:
        self._start(ToolCall(call.id, call.name, ""), self._tools.get(call.name))
        opening = self._added(call_item(self._id, ToolCall(call.id, call.name, ""), self._tool, "in_progress"))
        return opening + self._argue(call.arguments)

    def _argue(self, json: str) -> bytes:
        if not json:
            return b""
        self._pieces.append(json)
        if self._tool is not None and self._tool.custom:
            return b""  # its one text is known only once the JSON around it is complete
        return self._event("response.function_call_arguments.delta", **self._place(), delta=json)

    def _call_done(self, arguments: str, name: str) -> bytes:
        if self._tool is not None and self._tool.custom:
            text = custom_text(arguments)
            out = self._event("response.custom_tool_call_input.delta", **self._place(), delta=text)
            return out + self._event("response.custom_tool_call_input.done", **self._place(), input=text)
        out = b""
        if not "".join(self._pieces).strip():
            out = self._event("response.function_call_arguments.delta", **self._place(), delta=arguments)
        return out + self._event(
            "response.function_call_arguments.done", **self._place(), name=name, arguments=arguments
        )

    # --- every item --------------------------------------------------------------------------------------------------

    def _start(self, part: Text | ToolCall, tool: ToolSpec | None) -> None:
        self._part, self._tool, self._pieces, self._blank = part, tool, [], None
        self._id = self._ids.item(part, tool, len(self._output))

    def _added(self, item: Json) -> bytes:
        return self._event("response.output_item.added", output_index=len(self._output), item=item)

    def _end(self) -> bytes:
        part, self._part = self._part, None
        if part is None or self._blank is not None:
            return b""
        said = "".join(self._pieces)
        item = finished(
            Text(said) if isinstance(part, Text) else ToolCall(part.id, part.name, said), self._id, self._tool
        )
        if isinstance(part, Text):
            out = self._text_done(said)
        else:
            out = self._call_done(said.strip() or "{}", item["name"])
        out += self._event("response.output_item.done", output_index=len(self._output), item=item)
        self._output.append(item)
        return out

    def _place(self, content: int | None = None) -> Json:
        place: Json = {"item_id": self._id, "output_index": len(self._output)}
        return place if content is None else place | {"content_index": content}

    def _event(self, kind: str, **fields: Any) -> bytes:
        data = {"type": kind, "sequence_number": self._number, **fields}
        self._number += 1
        return encode_event(kind, msgspec.json.encode(data))
