"""The tool calls of a conversation, each with what came of it, in the order they were asked for.

Rule: a result belongs to the calls right before it. Clients use an id again in a later turn.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rlmc.cascade.failures import has_failed
from rlmc.domain.chat import Message, Text, ToolCall, ToolResult
from rlmc.domain.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Exchange:
    """A call and its result; None while there is none."""

    call: ToolCall
    result: ToolResult | None

    @property
    def failed(self) -> bool:
        return self.result is not None and has_failed(self.result)

    @property
    def succeeded(self) -> bool:
        return self.result is not None and not self.failed


Event = Exchange | Text
"""What can tell of a file: a call that came back, or a text that is not the assistant's."""


def events(messages: Iterable[Message]) -> Iterator[Event]:
    """Calls in the order they were asked for, and after each round of them the texts that came with their results."""
    calls: list[ToolCall] = []
    answers: list[ToolResult | Text] = []
    for message in messages:
        if message.role != "assistant":
            answers += [p for p in message.parts if isinstance(p, ToolResult | Text)]
            continue
        if answers:
            yield from _round(calls, answers)
            calls, answers = [], []
        calls += [p for p in message.parts if isinstance(p, ToolCall)]
    yield from _round(calls, answers)


def exchanges(messages: Iterable[Message]) -> Iterator[Exchange]:
    return (event for event in events(messages) if isinstance(event, Exchange))


def _round(calls: list[ToolCall], answers: list[ToolResult | Text]) -> Iterator[Event]:
    results = [a for a in answers if isinstance(a, ToolResult)]
    for call in calls:
        place = next((n for n, result in enumerate(results) if result.call_id == call.id), None)
        yield Exchange(call, results.pop(place) if place is not None else None)
    yield from (a for a in answers if isinstance(a, Text))
