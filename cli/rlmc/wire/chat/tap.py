"""Watches an answer on its way through and keeps what the books need, without a hand on the bytes.

Rules: a tap never raises, and looks closely only at the few chunks that can matter; text is counted, not decoded.
"""

from __future__ import annotations

import re

from rlmc.errors import WireError
from rlmc.wire.chat.answer_shape import ANSWER, error_in, first_choice
from rlmc.wire.chat.finish import FAILED, stop_reason
from rlmc.wire.chat.response import decode_completion
from rlmc.wire.chat.stream import DONE
from rlmc.wire.chat.usage import read_usage
from rlmc.wire.codec import UsageTap
from rlmc.wire.inflate import Inflater
from rlmc.wire.openai.errors import failure_in
from rlmc.wire.parse import parse
from rlmc.wire.sse import parse_block
from rlmc.wire.tap import EventTap, tap_on

# Inside a JSON string the quotes would be escaped: these are names of fields and nothing else. Most chunks have the
# first two with null.
_FIELDS = (b'"usage"', b'"finish_reason"', b'"error"')
_HOLDS = re.compile(rb'\s*:\s*["{]')
_SPOKEN = (b'"content"', b'"arguments"', b'"input"', b'"refusal"')
_TEXT = re.compile(rb'"\w+"\s*:\s*"')
# What could make more of a text than a text, or only might be looked at for it.
_STRANGE = re.compile(rb'["\\\n\r:\[]')
_CALLED = re.compile(rb'"(?:tool_calls"\s*:\s*\[\s*\{|function_call"\s*:\s*\{)')


def _tells(block: bytes) -> bool:
    """Whether an event holds more than a piece of the answer."""
    for field in _FIELDS:
        at = block.find(field)
        while at >= 0:
            at += len(field)
            if not block.startswith(b":null", at) and _HOLDS.match(block, at):
                return True
            at = block.find(field, at)
    return DONE in block or b"event:" in block


def _closing(block: bytes, start: int) -> int:
    """Where the string ends that begins here: at the first quote that no backslash makes a part of it. One without an
    end is as good as empty."""
    end = block.find(b'"', start)
    while end >= 0:
        if block[end - 1] != 0x5C:
            return end
        before = end
        while before > start and block[before - 1] == 0x5C:
            before -= 1
        if (end - before) % 2 == 0:
            return end
        end = block.find(b'"', end + 1)
    return start


class StreamTap(EventTap):
    """Nearly all chunks are like the one before, but for a piece of text. Of such a one that piece alone is looked at:
    in `_before` and `_behind`, the bytes around it, nothing else was to be found, and it has no quote to end it.
    """

    def __init__(self, inflater: Inflater | None = None) -> None:
        super().__init__(inflater)
        self._finish: str | None = None
        self._calls = False
        self._before = self._behind = b""

    def close(self) -> None:
        """An answer that has given a reason for its end is complete where the bytes end too."""
        super().close()
        if self._finish is not None and self.error is None:
            self.stop_reason = stop_reason(self._finish, calls=self._calls)
            self.complete = True

    def _event(self, block: bytes) -> None:
        if self.complete:
            return  # what comes behind the end is no part of the answer
        before, behind = self._before, self._behind
        if before and block.startswith(before) and block.endswith(behind):
            text = block[len(before) : len(block) - len(behind)]
            around = len(block) - len(text) == len(before) + len(behind)
            if around and _STRANGE.search(text) is None:
                self.output_chars += len(text)
                return
        said = self._count(block)
        if self.model is None or _tells(block):
            self._read(block)
        elif said is not None and b"_call" not in block:
            self._before, self._behind = block[: said[0]], block[said[1] :]

    def _count(self, block: bytes) -> tuple[int, int] | None:
        """Roughly: the bytes between the quotes, without the backslashes of escapes. Gives the place of the one piece
        of text there is, None where there are more, or none."""
        texts = 0
        start = end = 0
        for field in _SPOKEN:
            at = block.find(field)
            while at >= 0:
                opening = _TEXT.match(block, at)
                at += len(field)
                if opening is not None:
                    texts, start = texts + 1, opening.end()
                    at = end = _closing(block, start)
                    self.output_chars += end - start - block.count(b"\\", start, end)
                at = block.find(field, at)
        if not self._calls and b"_call" in block:
            # What looks like a call may stand in a line that is no data.
            self._calls = _CALLED.search(parse_block(block).data) is not None
        return (start, end) if texts == 1 and block.startswith(b'"', end) else None

    def _read(self, block: bytes) -> None:
        event = parse_block(block)
        data = event.data.strip()
        if not data or self.error is not None:
            return
        if data == DONE:
            self.stop_reason = stop_reason(self._finish, calls=self._calls)
            self.complete = True
            return
        try:
            answer = parse(ANSWER, data, "An event of the answer")
        except WireError:
            return
        error = data if event.name == "error" and not answer.error else error_in(answer, data)
        choice = first_choice(answer)
        if error:
            failure = failure_in(error)
            self.error = f"{failure.kind}: {failure.message}"
            return
        self.model = answer.model or self.model
        for raw in (answer.usage, choice.usage if choice else None):
            self.usage = (read_usage(raw, answer.service_tier) if raw else None) or self.usage
        if choice is not None and choice.finish_reason:
            self._finish = choice.finish_reason
            self.stop_reason = stop_reason(self._finish, calls=self._calls)
            if self._finish in FAILED:
                self.error = f"{FAILED[self._finish]}: {self._finish}"


def usage_tap(*, stream: bool, encoding: str | None) -> UsageTap:
    return tap_on(encoding, stream=StreamTap if stream else None, decode=decode_completion)
