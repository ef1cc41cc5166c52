"""An answer told again in a client's protocol while it still comes in: one decoder, one writer, and what lies between.

Rules: no reasoning gets through, it is handed to whoever keeps it; calls get ids of rlmc's own, which are legal and
unique everywhere; a word at the front may be dropped. What breaks ends in the protocol's error, never in a clean end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from rlmc.domain.chat import (
    BlockStarted,
    BlockStopped,
    Delta,
    StreamError,
    Text,
    TextDelta,
    Thinking,
    ToolCall,
)
from rlmc.wire.codec import AnswerWriter, StreamDecoder
from rlmc.wire.prefix import PrefixFilter

Mint = Callable[[int], str]
"""The id of the n-th call of an answer."""


class Retelling:
    """`reasoning` are the blocks of reasoning so far, `calls` the ids given out, `error` is what broke it. `names` are
    what the client calls tools that were sent under other names. `note` sees every delta first."""

    def __init__(
        self,
        decoder: StreamDecoder,
        writer: AnswerWriter,
        *,
        mint: Mint | None = None,
        names: Mapping[str, str] | None = None,
        drop_prefix: str = "",
        note: Callable[[Delta], None] = lambda _: None,
    ) -> None:
        self._decoder = decoder
        self._writer = writer
        self._mint = mint
        self._names = names or {}
        self._prefix = PrefixFilter(drop_prefix)
        self._note = note
        self._text: int | None = None
        self.reasoning: list[bytes] = []
        self.calls: list[str] = []
        self.error: StreamError | None = None

    def feed(self, data: bytes) -> bytes:
        return self._tell(self._decoder.feed(data))

    def close(self) -> bytes:
        """The bytes have ended."""
        return self._tell(self._decoder.close()) + self._writer.close()

    def fail(self, message: str) -> bytes:
        """The bytes will not come to their end: the client is told so, in the midst of its answer."""
        return self._writer.feed(StreamError("api_error", message))

    def _tell(self, deltas: Iterable[Delta]) -> bytes:
        out: list[bytes] = []
        for delta in deltas:
            self._note(delta)
            out.extend(self._writer.feed(one) for one in self._changed(delta))
        return b"".join(out)

    def _changed(self, delta: Delta) -> list[Delta]:
        match delta:
            case StreamError():
                self.error = self.error or delta
                return [delta]
            case BlockStopped(_, Thinking(block=block)):
                if block:
                    self.reasoning.append(block)
                return [delta]
            case BlockStarted(index, ToolCall() as call):
                given = self._mint(len(self.calls)) if self._mint else call.id
                self.calls.append(given)
                return [
                    *self._held(),
                    BlockStarted(index, replace(call, id=given, name=self._names.get(call.name, call.name))),
                ]
            case BlockStarted(index, Text(text)) if not self._prefix.decided:
                self._text = index
                out = self._prefix.feed(text)
                return [BlockStarted(index, Text("")), *([TextDelta(index, out)] if out else [])]
            case TextDelta(index, text) if not self._prefix.decided:
                out = self._prefix.feed(text)
                return [TextDelta(index, out)] if out else []
            case BlockStopped(index) if index == self._text:
                return [*self._held(), delta]
            case _:
                return [delta]

    def _held(self) -> list[Delta]:
        """What was held back because it might still have been the word to drop. A blank says nothing of that."""
        index, self._text = self._text, None
        if index is None or self._prefix.decided or self._prefix.skip_blank():
            return []
        rest = self._prefix.rest()
        return [TextDelta(index, rest)] if rest else []
