"""The provider of the load: that of the bench, and answers of any length for clients that read slowly.

`python -m tests.load.upstream [--port P] [--answer text|call]`. Rule: it writes no faster than the other side reads, as
a provider does, so that what piles up piles up in the daemon or nowhere.
"""

from __future__ import annotations

import argparse

from tests.bench.answers import events_of
from tests.bench.process import serve
from tests.bench.upstream import Answers, Exchange
from tests.load.requests import flood_of

_EVENTS = events_of("text")
_BEGIN, _END = b"".join(_EVENTS[:2]), b"".join(_EVENTS[-3:])
# Few large events: what is to be seen is what becomes of the bytes.
_PIECE = (
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"'
    + b"and so on " * 1_600
    + b'"}}\n\n'
)


def flood_size(pieces: int) -> int:
    """How many bytes of events such an answer has."""
    return len(_BEGIN) + pieces * len(_PIECE) + len(_END)


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


_CHUNK = _chunk(_PIECE)


class LongExchange(Exchange):
    """Also knows requests for a flood: so many pieces, as fast as they are taken."""

    def __init__(self, answers: Answers) -> None:
        super().__init__(answers)
        self._left = 0
        self._writable = True

    def on_message_complete(self) -> None:
        pieces = flood_of(self._body)
        if pieces is None:
            super().on_message_complete()
            return
        self._transport.write(self._answers.stream_head + _chunk(_BEGIN))
        self._left = pieces
        self._pour()

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        self._pour()

    def _pour(self) -> None:
        while self._left and self._writable and not self._transport.is_closing():
            self._left -= 1
            self._transport.write(_CHUNK if self._left else _CHUNK + _chunk(_END) + b"0\r\n\r\n")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.load.upstream")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--answer", choices=("text", "call"), default="text")
    options = parser.parse_args()
    answers = Answers(options.answer)
    serve(lambda: LongExchange(answers), options.port)


if __name__ == "__main__":
    main()
