"""The events of a streamed answer to deltas, one item after another.

Rules: what an item's last event says of it is believed before its pieces are, because some servers send no pieces;
items that are written at the same time are told one after the other.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

from rlmc.domain.chat import (
    ArgumentsDelta,
    BlockStarted,
    BlockStopped,
    Delta,
    Opaque,
    Other,
    Started,
    Stopped,
    Stopping,
    StreamError,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolCall,
)
from rlmc.errors import WireError
from rlmc.wire.arguments import custom_arguments
from rlmc.wire.chat.errors import failure_in
from rlmc.wire.parse import parse
from rlmc.wire.responses.answer_shape import (
    ANSWER,
    ITEM,
    Answer,
    Item,
    arguments_of,
    call_name,
    part_of,
    refused,
    stop_reason,
    text_of,
)
from rlmc.wire.responses.usage import read_usage

_WHAT = "An event of the answer"


class _Event(msgspec.Struct, gc=False):
    type: str = ""
    output_index: int = 0
    delta: Any = None
    text: str | None = None
    refusal: str | None = None
    arguments: Any = None
    input: str | None = None
    item: Raw = Raw()
    response: Raw = Raw()
    error: Raw = Raw()
    message: str | None = None
    code: str | None = None


_EVENT = msgspec.json.Decoder(_Event)

_TEXT = frozenset({"response.output_text.delta", "response.refusal.delta"})
_ARGUMENTS = frozenset({"response.function_call_arguments.delta", "response.mcp_call_arguments.delta"})
_REASONING = frozenset({"response.reasoning_summary_text.delta", "response.reasoning_text.delta"})


class _Open:
    """An item as it grows. `waiting` are its deltas while another one is being told."""

    def __init__(self, item: Item) -> None:
        self.item = item
        self.text = ""
        self.arguments = ""
        self.input = ""
        self.waiting: list[Delta] = []
        self.done = False

    @property
    def is_call(self) -> bool:
        return self.item.type in ("function_call", "custom_tool_call")


class ItemReader:
    """Reads one stream's events in order. `over` once its end has been told."""

    def __init__(self) -> None:
        self.over = False
        self._started = False
        self._items: dict[int, _Open] = {}
        self._order: list[int] = []  # items that are not told to their end yet, the one being told first
        self._calls = False
        self._refused = False

    def read(self, data: bytes) -> list[Delta]:
        event = parse(_EVENT, data, _WHAT)
        kind = event.type
        if kind in _TEXT:
            return self._grow(event, "message", TextDelta(event.output_index, _string(event.delta)))
        if kind in _ARGUMENTS:
            return self._grow(event, "function_call", ArgumentsDelta(event.output_index, _string(event.delta)))
        if kind == "response.custom_tool_call_input.delta":
            return self._grow(event, "custom_tool_call", None)
        if kind in _REASONING:
            return self._grow(event, "reasoning", ThinkingDelta(event.output_index, len(_string(event.delta))))
        if kind == "response.output_item.added":
            return self._added(event.output_index, parse(ITEM, event.item, _WHAT))
        if kind == "response.function_call_arguments.done":
            return self._arguments_done(event)
        if kind == "response.output_item.done":
            return self._done(event.output_index, event.item)
        if kind in ("response.created", "response.in_progress", "response.queued"):
            return self._begun(parse(ANSWER, event.response, _WHAT) if len(event.response) else Answer())
        if kind in ("response.completed", "response.incomplete", "response.done"):
            return self._completed(event)
        if kind in ("response.failed", "response.cancelled", "error"):
            return self._failed(event, data)
        return [Other(kind)]

    # --- items -----------------------------------------------------------------------------------------------------

    def _added(self, index: int, item: Item) -> list[Delta]:
        if index in self._items:
            return []
        found = self._items[index] = _Open(item)
        self._order.append(index)
        self._calls = self._calls or found.is_call
        opening: list[Delta] = [*self._begun(Answer()), BlockStarted(index, _opening(item))]
        return self._told(index, opening)

    def _grow(self, event: _Event, kind: str, delta: Delta | None) -> list[Delta]:
        out = [] if event.output_index in self._items else self._added(event.output_index, Item(type=kind))
        found, piece = self._items[event.output_index], _string(event.delta)
        if found.done:
            return out
        if kind == "message":
            found.text += piece
        elif kind == "function_call":
            found.arguments += piece
        elif kind == "custom_tool_call":
            found.input += piece  # told once it is complete: it becomes JSON then
        return out + (self._told(event.output_index, [delta]) if delta is not None else [])

    def _arguments_done(self, event: _Event) -> list[Delta]:
        out = [] if event.output_index in self._items else self._added(event.output_index, Item(type="function_call"))
        return out + self._rest(event.output_index, Item(type="function_call", arguments=event.arguments))

    def _rest(self, index: int, item: Item) -> list[Delta]:
        """What of a finished item its pieces have not told."""
        found = self._items[index]
        if item.type == "message":
            text = text_of(item)
            missing = text[len(found.text) :] if text.startswith(found.text) else ""
            found.text += missing
            return self._told(index, [TextDelta(index, missing)]) if missing else []
        if item.type == "function_call":
            whole = arguments_of(item)
            missing = whole[len(found.arguments) :] if whole.startswith(found.arguments) else ""
            found.arguments += missing
            return self._told(index, [ArgumentsDelta(index, missing)]) if missing else []
        if item.type == "custom_tool_call":
            whole = custom_arguments(item.input if item.input is not None else found.input)
            return self._told(index, [ArgumentsDelta(index, whole)])
        return []

    def _done(self, index: int, raw: bytes) -> list[Delta]:
        item = parse(ITEM, raw, _WHAT)
        out = [] if index in self._items else self._added(index, item)
        found = self._items[index]
        if found.done:
            return out
        self._refused = self._refused or refused(item)
        out += self._rest(index, item)
        found.done = True
        part = part_of(item, bytes(raw))
        out += self._told(index, [BlockStopped(index, part if isinstance(part, Thinking) else None)])
        return out + self._next()

    def _told(self, index: int, deltas: list[Delta]) -> list[Delta]:
        """Now, if it is this item's turn."""
        if self._order and self._order[0] == index:
            return deltas
        self._items[index].waiting.extend(deltas)
        return []

    def _next(self) -> list[Delta]:
        """Items that have waited, as far as the first that is still being written."""
        out: list[Delta] = []
        while self._order and self._items[self._order[0]].done:
            self._order.pop(0)
            if self._order:
                waited = self._items[self._order[0]]
                out += waited.waiting
                waited.waiting = []
        return out

    # --- beginning and end -------------------------------------------------------------------------------------------

    def _begun(self, answer: Answer) -> list[Delta]:
        if self._started:
            return []
        self._started = True
        return [Started(answer.id, answer.model, read_usage(answer.usage))]

    def _completed(self, event: _Event) -> list[Delta]:
        answer = parse(ANSWER, event.response, _WHAT) if len(event.response) else Answer()
        if event.type == "response.incomplete" and answer.status is None:
            answer.status = "incomplete"
        out = self._begun(answer)
        for index, raw in enumerate(answer.output or []):
            if index not in self._items or not self._items[index].done:
                out += self._done(index, raw)
        for index in list(self._order):
            found = self._items[index]
            if not found.done:
                if found.item.type == "custom_tool_call":
                    out += self._told(index, [ArgumentsDelta(index, custom_arguments(found.input))])
                found.done = True
                out += self._told(index, [BlockStopped(index)])
                out += self._next()
        self.over = True
        stop = stop_reason(answer, calls=self._calls, refusal=self._refused)
        return [*out, Stopping(stop, read_usage(answer.usage, answer.service_tier)), Stopped()]

    def _failed(self, event: _Event, data: bytes) -> list[Delta]:
        self.over = True
        error = bytes(event.error)
        if len(event.response):
            error = bytes(parse(ANSWER, event.response, _WHAT).error)
        if error in (b"", b"null"):
            said = {"message": event.message, "code": event.code} if event.message else {"message": event.type}
            error = msgspec.json.encode(said)
        failure = failure_in(error)
        return [StreamError(failure.kind, failure.message)]


def _opening(item: Item) -> Text | ToolCall | Thinking | Opaque:
    if item.type == "message":
        return Text("")
    if item.type in ("function_call", "custom_tool_call"):
        return ToolCall(item.call_id or item.id or "", call_name(item), "")
    return Thinking(0) if item.type == "reasoning" else Opaque(item.type)


def _string(value: object) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    raise WireError(f"{_WHAT} has a delta that is no text")
