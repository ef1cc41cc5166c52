"""Deltas to a finished `Completion`; the same for every protocol.

Rule: blocks come out in the order of their indexes, and a result exists only once the answer has properly ended.
"""

from __future__ import annotations

from dataclasses import replace

from rlmc.domain.chat import (
    ArgumentsDelta,
    BlockStarted,
    BlockStopped,
    Completion,
    Delta,
    Opaque,
    Part,
    Started,
    Stopped,
    Stopping,
    StreamError,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolCall,
    Usage,
)


class _Block:
    """A block as it grows."""

    __slots__ = ("part", "pieces", "thought")

    def __init__(self, part: Part) -> None:
        self.part = part
        self.pieces: list[str] = []
        self.thought = 0

    def add(self, piece: str, kind: type[Text | ToolCall]) -> None:
        if isinstance(self.part, kind):
            self.pieces.append(piece)

    def finish(self) -> Part:
        part = self.part
        if isinstance(part, Text):
            return Text(part.text + "".join(self.pieces))
        if isinstance(part, ToolCall):
            return replace(part, arguments="".join(self.pieces) or part.arguments or "{}")
        if isinstance(part, Thinking):
            return replace(part, chars=part.chars + self.thought)
        return part


class Assembler:
    """Fed every delta of one answer. `error` is the failure the stream reported, if any."""

    def __init__(self) -> None:
        self.error: StreamError | None = None
        self._id = ""
        self._model = ""
        self._blocks: dict[int, _Block] = {}
        self._stop_reason: str | None = None
        self._usage: Usage | None = None
        self._stopped = False

    def feed(self, delta: Delta) -> None:
        match delta:
            case TextDelta(index, text):
                # A text that was never opened opens itself; a call without a name is nothing.
                self._grow(index, Text("")).add(text, Text)
            case ArgumentsDelta(index, json):
                self._grow(index, Opaque("tool_use")).add(json, ToolCall)
            case ThinkingDelta(index, chars):
                self._grow(index, Thinking(0)).thought += chars
            case BlockStarted(index, part):
                self._blocks[index] = _Block(part)
            case BlockStopped(index, Thinking() as part):
                self._blocks[index] = _Block(part)
            case Started(id_, model, usage):
                self._id, self._model, self._usage = id_, model, usage
            case Stopping(stop_reason, usage):
                self._stop_reason = stop_reason or self._stop_reason
                self._usage = usage or self._usage
            case Stopped():
                self._stopped = True
            case StreamError():
                self.error = delta
            case _:
                pass

    def result(self) -> Completion | None:
        """None until the answer has ended, and for one that failed."""
        if not self._stopped or self.error is not None:
            return None
        return Completion(
            model=self._model,
            parts=tuple(block.finish() for _, block in sorted(self._blocks.items())),
            stop_reason=self._stop_reason,
            usage=self._usage,
            id=self._id,
        )

    def _grow(self, index: int, part: Part) -> _Block:
        return self._blocks.setdefault(index, _Block(part))
