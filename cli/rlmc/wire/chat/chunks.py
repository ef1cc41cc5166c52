"""What the chunks of one answer mean, one after another; a whole answer is read as a single chunk.

Rules: blocks follow one another: thought, text, calls. The first call is told as it comes, the others wait for the end,
since servers may mix them. Text after a call has begun is passed over: no history can hold it there.
"""

from __future__ import annotations

import msgspec

from rlmc.domain.chat import (
    ArgumentsDelta,
    BlockStarted,
    BlockStopped,
    Delta,
    Part,
    Started,
    Stopping,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolCall,
    Usage,
)
from rlmc.wire.chat.answer_shape import Answer, CallPiece, Choice, Message
from rlmc.wire.chat.finish import stop_reason
from rlmc.wire.chat.fragments import Fragments, GrowingCall
from rlmc.wire.chat.think import ThinkSplitter
from rlmc.wire.chat.usage import read_usage


class _Thought:
    """Reasoning as it comes: the fields that held it, as its writer wants them back."""

    def __init__(self) -> None:
        self._strings: dict[str, list[str]] = {}
        self._details: list[object] = []
        self.chars = 0

    def present(self) -> bool:
        return bool(self._strings or self._details)

    def says_something(self) -> bool:
        return bool(self.chars or self._details)

    def say(self, field: str, text: str) -> None:
        self._strings.setdefault(field, []).append(text)

    def detail(self, details: list[object]) -> None:
        self._details.extend(details)

    def part(self) -> Thinking:
        fields: dict[str, object] = {name: "".join(pieces) for name, pieces in self._strings.items()}
        if self._details:
            fields["reasoning_details"] = self._details
        return Thinking(self.chars, msgspec.json.encode(fields))


class ChunkReader:
    """`finished` is the reason the server has given for the end, if it has."""

    def __init__(self) -> None:
        self.started = False
        self.finished: str | None = None
        self._out: list[Delta] = []
        self._index = -1
        self._open: Thinking | Text | GrowingCall | None = None
        self._thought = _Thought()
        self._thoughts = 0
        self._split = ThinkSplitter()
        self._fragments = Fragments()
        self._refused = False
        self._usage: Usage | None = None

    def read(self, answer: Answer, choice: Choice | None) -> list[Delta]:
        """`choice` is the one of the answer's that counts."""
        self._out = []
        for raw in (answer.usage, choice.usage if choice else None):
            self._usage = (read_usage(raw, answer.service_tier) if raw else None) or self._usage
        if choice is not None:
            if not self.started:
                self.started = True
                self._out.append(Started(answer.id or "", answer.model or "", None))
            message = choice.delta or choice.message
            if message is not None:
                self._message(message)
            self.finished = choice.finish_reason or self.finished
        return self._out

    def end(self) -> list[Delta]:
        """The answer is complete: what was waiting for that."""
        self._out = []
        self._text_over()
        first = self._open if isinstance(self._open, GrowingCall) else None
        self._stop()
        for growing in self._fragments.calls:
            if growing is not first:
                call = growing.call()
                self._start(ToolCall(call.id, call.name, ""))
                if call.arguments:
                    self._out.append(ArgumentsDelta(self._index, call.arguments))
                self._out.append(BlockStopped(self._index))
        self._rest_of_thought()
        reason = stop_reason(self.finished, calls=bool(self._fragments.calls), refused=self._refused)
        self._out.append(Stopping(reason, self._usage))
        return self._out

    # --- one message, or what is added to it -------------------------------------------------------------------------

    def _message(self, message: Message) -> None:
        strings = (("reasoning_content", message.reasoning_content), ("reasoning", message.reasoning))
        for n, (field, text) in enumerate(strings):
            if isinstance(text, str):
                # Some servers say the same under both names.
                again = n == 1 and text == message.reasoning_content
                self._think(field, text, chars=0 if again else len(text))
        if isinstance(message.reasoning_details, list):
            self._thought.detail(message.reasoning_details)
        content = message.content
        if isinstance(content, list):
            content = "".join([piece.text or "" for piece in content if piece.type == "text"])
        if content:
            self._content(content)
        if message.refusal:
            self._refused = True
            self._content(message.refusal)
        for piece in message.tool_calls or ():
            self._call(piece)
        if message.function_call is not None:
            self._call(CallPiece(0, function=message.function_call))

    def _think(self, field: str, text: str, *, chars: int) -> None:
        self._thought.say(field, text)
        if not chars:
            return
        self._thought.chars += chars
        if self._fragments.calls:
            return  # told after the calls
        if not isinstance(self._open, Thinking):
            self._stop()
            self._start(Thinking(0))
        self._out.append(ThinkingDelta(self._index, chars))

    def _content(self, text: str) -> None:
        thought, said = self._split.feed(text)
        if thought:
            self._think("reasoning_content", thought, chars=len(thought))
        if said:
            self._say(said)

    def _text_over(self) -> None:
        """No more text comes: what of it was held back, and the thought that stands before what comes next."""
        thought, said = self._split.rest()
        if thought:
            self._think("reasoning_content", thought, chars=len(thought))
        if said:
            self._say(said)

    def _say(self, text: str) -> None:
        if self._fragments.calls:
            return
        if not isinstance(self._open, Text):
            self._empty_thought()
            self._stop()
            self._start(Text(""))
        self._out.append(TextDelta(self._index, text))

    def _call(self, piece: CallPiece) -> None:
        if not self._fragments.calls:
            self._text_over()
            self._empty_thought()
        call, more = self._fragments.add(piece)
        if call is not self._fragments.calls[0] or call.custom or not more:
            return
        if self._open is not call:
            self._stop()
            self._start(ToolCall(call.id, call.name, ""), call)
        self._out.append(ArgumentsDelta(self._index, more))

    # --- blocks ------------------------------------------------------------------------------------------------------

    def _start(self, part: Part, call: GrowingCall | None = None) -> None:
        self._index += 1
        self._open = call or (part if isinstance(part, Thinking | Text) else None)
        self._out.append(BlockStarted(self._index, part))

    def _stop(self) -> None:
        """The block under way is over. A thought comes out whole, and what is thought later is another."""
        if isinstance(self._open, Thinking):
            self._out.append(BlockStopped(self._index, self._thought.part()))
            self._thought = _Thought()
            self._thoughts += 1
        elif self._open is not None:
            self._out.append(BlockStopped(self._index))
        self._open = None

    def _empty_thought(self) -> None:
        """Reasoning that was there and empty stays there: its writer may ask for it."""
        if not self._thoughts and not isinstance(self._open, Thinking) and self._thought.present():
            self._stop()
            self._start(Thinking(0))

    def _rest_of_thought(self) -> None:
        """What was thought after the last block had begun."""
        if self._thought.says_something() or (self._thought.present() and not self._thoughts):
            self._start(Thinking(0))
            self._stop()
