"""A finished answer as the deltas it would have been streamed in, so that what is streamed through and what is written
from a whole answer come from one writer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rlmc.domain.chat import (
    ArgumentsDelta,
    BlockStarted,
    BlockStopped,
    Completion,
    Delta,
    Started,
    Stopped,
    Stopping,
    Text,
    TextDelta,
    ToolCall,
    Usage,
)
from rlmc.wire.codec import AnswerWriter

# Characters a piece: few events for a long answer, yet a client that shows text as it comes sees it grow.
_PIECE = 300


def deltas_of(completion: Completion, usage: Usage) -> Iterator[Delta]:
    """What a client may be sent of the answer: words that are not blank, and calls. `usage` is the one it is told."""
    yield Started(completion.id, completion.model, usage)
    index = 0
    for part in completion.parts:
        if isinstance(part, Text) and part.text.strip():
            yield BlockStarted(index, Text(""))
            yield from (TextDelta(index, piece) for piece in _pieces(part.text))
        elif isinstance(part, ToolCall):
            yield BlockStarted(index, ToolCall(part.id, part.name, ""))
            yield from (ArgumentsDelta(index, piece) for piece in _pieces(part.arguments.strip() or "{}"))
        else:
            continue
        yield BlockStopped(index)
        index += 1
    yield Stopping(completion.stop_reason, usage)
    yield Stopped()


def written(deltas: Iterable[Delta], writer: AnswerWriter) -> Iterator[bytes]:
    """The events of a whole answer, one piece after another."""
    for delta in deltas:
        data = writer.feed(delta)
        if data:
            yield data
    rest = writer.close()
    if rest:
        yield rest


def _pieces(text: str) -> Iterator[str]:
    for start in range(0, len(text), _PIECE):
        yield text[start : start + _PIECE]
