"""The events of a streamed answer to deltas, one item after another; a whole answer is read as its last event.

Rules: what an item's last event says of it is believed before its pieces are, because some servers send no pieces; a
call is told once its name is known; items that are written at the same time are told one after the other.
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
    Other,
    Part,
    Started,
    Stopped,
    Stopping,
    StreamError,
    TextDelta,
    ThinkingDelta,
)
from rlmc.errors import WireError
from rlmc.wire.arguments import custom_arguments
from rlmc.wire.openai.errors import failure_in
from rlmc.wire.parse import parse
from rlmc.wire.responses.answer_shape import (
    ANSWER,
    CALLS,
    ITEM,
    Answer,
    Item,
    arguments_of,
    opening,
    refused,
    stop_reason,
    text_of,
    thinking_of,
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
    message: Any = None
    code: Any = None


_EVENT = msgspec.json.Decoder(_Event)

# The kind of item a piece belongs to.
_PIECES = {
    "response.output_text.delta": "message",
    "response.refusal.delta": "message",
    "response.function_call_arguments.delta": "function_call",
    "response.custom_tool_call_input.delta": "custom_tool_call",
    "response.reasoning_summary_text.delta": "reasoning",
    "response.reasoning_text.delta": "reasoning",
}
# And what is said of it once it is complete.
_WHOLES = {
    "response.output_text.done": "message",
    "response.refusal.done": "message",
    "response.function_call_arguments.done": "function_call",
    "response.custom_tool_call_input.done": "custom_tool_call",
}
_BEGUN = frozenset({"response.created", "response.in_progress", "response.queued"})
_ENDED = frozenset({"response.completed", "response.incomplete", "response.done"})
_FAILED = frozenset({"response.failed", "response.cancelled", "error"})
_NO_ANSWER = frozenset({"failed", "cancelled"})
_NULL = frozenset({b"", b"null"})


class _Growing:
    """An item as it grows. `pieces` are what has come of its text or its arguments, `told` how many of them have been
    told; `waiting` are its deltas while it is not its turn."""

    __slots__ = ("done", "item", "number", "opened", "pieces", "told", "waiting")

    def __init__(self, item: Item, number: int) -> None:
        self.item = item
        self.number = number
        self.opened = False
        self.pieces: list[str] = []
        self.told = 0
        self.waiting: list[Delta] = []
        self.done = False

    def can_open(self) -> bool:
        return self.item.type not in CALLS or bool(self.item.name and (self.item.call_id or self.item.id))


class ItemReader:
    """Reads one answer's events in order. `over` once its end has been told."""

    def __init__(self) -> None:
        self.over = False
        self._out: list[Delta] = []
        self._started = False
        self._items: dict[int, _Growing] = {}
        self._order: list[_Growing] = []  # those not told to their end yet, the one being told first
        self._calls = False
        self._refused = False

    def read(self, data: bytes) -> list[Delta]:
        self._out = []
        event = parse(_EVENT, data, _WHAT)
        kind = event.type
        if kind in _PIECES:
            self._refused = self._refused or kind == "response.refusal.delta"
            self._piece(event.output_index, _PIECES[kind], event.delta)
        elif kind in _WHOLES:
            self._whole(event, _WHOLES[kind])
        elif kind == "response.output_item.added":
            self._add(event.output_index, parse(ITEM, event.item, _WHAT))
        elif kind == "response.output_item.done":
            self._finish(event.output_index, event.item)
        elif kind in _BEGUN:
            self._begin(_answer(event))
        elif kind in _ENDED:
            answer = _answer(event)
            if kind == "response.incomplete":
                answer.status = answer.status or "incomplete"
            if answer.status in _NO_ANSWER:
                self._fail(event, data)
            else:
                self._end(answer)
        elif kind in _FAILED or (not kind and bytes(event.error) not in _NULL):
            self._fail(event, data)
        else:
            self._out.append(Other(kind))
        return self._out

    def whole(self, answer: Answer) -> list[Delta]:
        """The deltas of an answer that came in one piece."""
        self._out = []
        self._end(answer)
        return self._out

    # --- items -------------------------------------------------------------------------------------------------------

    def _add(self, index: int, item: Item) -> _Growing:
        found = self._items.get(index)
        if found is None:
            self._begin(Answer())
            found = self._items[index] = _Growing(item, len(self._items))
            self._order.append(found)
        if not found.opened and item.type == found.item.type:
            found.item = item
            if found.can_open():
                self._open(found)
        return found

    def _open(self, found: _Growing) -> None:
        found.opened = True
        self._calls = self._calls or found.item.type in CALLS
        self._tell(found, BlockStarted(found.number, opening(found.item)))

    def _piece(self, index: int, kind: str, delta: object) -> None:
        if not isinstance(delta, str):
            if delta is None:
                return
            raise WireError(f"{_WHAT} has a delta that is no text")
        found = self._items.get(index) or self._add(index, Item(type=kind))
        if not found.done and found.item.type == kind:
            self._grow(found, delta)

    def _whole(self, event: _Event, kind: str) -> None:
        """The pieces of one part are complete; where none came, this is all of them."""
        said = (event.text, event.refusal, event.input)
        whole = next((text for text in said if text), "") or arguments_of(event.arguments)
        found = self._items.get(event.output_index) or self._add(event.output_index, Item(type=kind))
        if not found.done and found.item.type == kind and not found.pieces:
            self._grow(found, whole)

    def _grow(self, found: _Growing, piece: str) -> None:
        """The text of a custom call becomes JSON, so it is told once it is complete; of reasoning only its length is
        told."""
        if piece:
            found.pieces.append(piece)
        if not found.opened or found.item.type == "custom_tool_call":
            return
        for text in found.pieces[found.told :]:
            if found.item.type == "message":
                self._tell(found, TextDelta(found.number, text))
            elif found.item.type == "function_call":
                self._tell(found, ArgumentsDelta(found.number, text))
            else:
                self._tell(found, ThinkingDelta(found.number, len(text)))
        found.told = len(found.pieces)

    def _finish(self, index: int, raw: Raw) -> None:
        """All there is of an item."""
        item = parse(ITEM, raw, _WHAT)
        found = self._items.get(index) or self._add(index, item)
        if found.done or found.item.type != item.type:
            return
        self._refused = self._refused or refused(item)
        if not found.opened:
            found.item = item
            self._open(found)
        said, whole = "".join(found.pieces), _all_of(item)
        if not found.told and whole:
            found.pieces = [whole]
        elif whole.startswith(said):
            self._grow(found, whole[len(said) :])
        self._close(found, thinking_of(item, bytes(raw)) if item.type == "reasoning" else None)

    def _close(self, found: _Growing, part: Part | None = None) -> None:
        """Nothing more comes of an item. Of a call without a name nothing can be told."""
        if found.opened:
            self._grow(found, "")
            if found.item.type == "custom_tool_call":
                self._tell(found, ArgumentsDelta(found.number, custom_arguments("".join(found.pieces))))
            self._tell(found, BlockStopped(found.number, part))
        found.done = True
        while self._order and self._order[0].done:
            self._order.pop(0)
            if self._order:
                self._out += self._order[0].waiting
                self._order[0].waiting = []

    def _tell(self, found: _Growing, delta: Delta) -> None:
        """Now, if it is this item's turn."""
        (self._out if self._order[0] is found else found.waiting).append(delta)

    # --- beginning and end -------------------------------------------------------------------------------------------

    def _begin(self, answer: Answer) -> None:
        if not self._started:
            self._started = True
            self._out.append(Started(answer.id or "", answer.model or "", read_usage(answer.usage)))

    def _end(self, answer: Answer) -> None:
        self._begin(answer)
        for index, raw in enumerate(answer.output or ()):
            self._finish(index, raw)
        while self._order:
            self._close(self._order[0])
        self.over = True
        stop = stop_reason(answer, calls=self._calls, refusal=self._refused)
        self._out += [Stopping(stop, read_usage(answer.usage, answer.service_tier)), Stopped()]

    def _fail(self, event: _Event, data: bytes) -> None:
        self.over = True
        errors = (bytes(_answer(event).error), bytes(event.error))
        error = next((one for one in errors if one not in _NULL), b"")
        if not error:
            said = event.message if isinstance(event.message, str) and event.message else event.type
            code = event.code if isinstance(event.code, str | int) else None
            error = msgspec.json.encode({"message": said, "code": code})
        failure = failure_in(error)
        self._out.append(StreamError(failure.kind, failure.message))


def _all_of(item: Item) -> str:
    """The text or the arguments of a finished item."""
    if item.type == "message":
        return text_of(item)
    if item.type == "custom_tool_call":
        return item.input or ""
    return arguments_of(item.arguments) if item.type == "function_call" else ""


def _answer(event: _Event) -> Answer:
    return parse(ANSWER, event.response, _WHAT) if bytes(event.response) not in _NULL else Answer()
