"""Blocks of a streamed answer one after another, for servers that send them any other way.

Rules: of two blocks under way at once the later waits for the earlier; a block nobody ended ends before what follows;
numbers ascend. A well-formed answer passes as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from rlmc.domain.chat import (
    ArgumentsDelta,
    BlockStarted,
    BlockStopped,
    Delta,
    Part,
    Stopped,
    Stopping,
    StreamError,
    Text,
    TextDelta,
    ThinkingDelta,
)

_OfBlock = BlockStarted | BlockStopped | TextDelta | ArgumentsDelta | ThinkingDelta


class BlockOrder:
    """`finished` gives what a block that nobody ended amounts to, by the sender's number of it."""

    def __init__(self, finished: Callable[[int], Part | None]) -> None:
        self._finished = finished
        self._open: int | None = None  # the sender's number of the block under way
        self._number = -1  # our number of it, or of the last one
        self._waiting: list[_OfBlock] = []

    def add(self, delta: Delta, out: list[Delta]) -> None:
        """Appends to `out` what may go on with this delta."""
        if isinstance(delta, _OfBlock):
            self._of_block(delta, out)
            if self._waiting and self._open is None:
                self._go_on(out)
            return
        if isinstance(delta, Stopping | Stopped | StreamError):
            self._end(out)
        out.append(delta)

    def _of_block(self, delta: _OfBlock, out: list[Delta]) -> None:
        index = delta.index
        if index == self._open and not isinstance(delta, BlockStarted):
            out.append(delta if index == self._number else replace(delta, index=self._number))
            if isinstance(delta, BlockStopped):
                self._open = None
        elif self._open is not None or self._waiting:
            self._waiting.append(delta)
        elif isinstance(delta, BlockStarted):
            self._begin(delta, out)
        elif isinstance(delta, TextDelta):
            # A text that was never opened; a call without a name is nothing.
            self._begin(BlockStarted(index, Text("")), out)
            self._of_block(delta, out)

    def _begin(self, start: BlockStarted, out: list[Delta]) -> None:
        self._open = start.index
        self._number = max(start.index, self._number + 1)
        out.append(start if start.index == self._number else replace(start, index=self._number))

    def _go_on(self, out: list[Delta]) -> None:
        while self._waiting and self._open is None:
            waiting, self._waiting = self._waiting, []
            for delta in waiting:
                self._of_block(delta, out)

    def _end(self, out: list[Delta]) -> None:
        """Nothing more comes for any block."""
        while self._open is not None:
            out.append(BlockStopped(self._number, self._finished(self._open)))
            self._open = None
            self._go_on(out)
