"""What a protocol must be able to do, so that the server can serve it without knowing it.

Source for the Anthropic codec: the Messages API as of November 2026. Every function is pure; given any bytes it returns
a value or raises `WireError` (`UnknownShape` for JSON that is well-formed but strange).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from rlmc.domain.chat import ChatRequest, Completion, Delta, Usage
from rlmc.domain.draft_shape import DraftShape

__all__ = ["Codec", "DraftShape", "Rewriter", "StreamDecoder", "UsageTap"]


class StreamDecoder(Protocol):
    """Bytes of a streamed answer, cut anywhere, to deltas. `close` says what the end of the bytes means."""

    def feed(self, data: bytes) -> list[Delta]: ...
    def close(self) -> list[Delta]: ...


class Rewriter(Protocol):
    """Bytes of a streamed answer to bytes for the client, with thinking taken out; see `Codec.rewriter`."""

    def feed(self, data: bytes) -> bytes: ...
    def close(self) -> bytes: ...


class UsageTap(Protocol):
    """Watches relayed bytes (a stream or one JSON body) and keeps what the books need. Must be cheap and never raise.

    `usage` is the newest cumulative usage; `complete` is true once the answer has properly ended; `output_chars`
    counts visible characters seen, for reckoning the cost of an answer that broke off.
    """

    model: str | None
    usage: Usage | None
    stop_reason: str | None
    complete: bool
    error: str | None
    output_chars: int

    def feed(self, data: bytes) -> None: ...
    def close(self) -> None: ...


class Codec(Protocol):
    name: str

    def decode_request(self, raw: bytes) -> ChatRequest: ...
    def replace_model(self, raw: bytes, model: str) -> bytes: ...
    def append_user_text(self, raw: bytes, text: str) -> bytes: ...
    def draft_body(self, request: ChatRequest, model: str, shape: DraftShape) -> bytes: ...
    def decode_completion(self, raw: bytes) -> Completion: ...
    def encode_completion(self, completion: Completion, usage: Usage) -> bytes: ...
    def encode_completion_stream(self, completion: Completion, usage: Usage) -> Iterable[bytes]: ...
    def encode_error(self, status: int, message: str) -> bytes: ...
    def encode_stream_error(self, kind: str, message: str) -> bytes: ...
    def ping(self) -> bytes: ...
    def stream_decoder(self) -> StreamDecoder: ...
    def rewriter(
        self,
        *,
        drop_prefix: str = "",
        model: str | None = None,
        usage: Usage | None = None,
        message_id: str | None = None,
    ) -> Rewriter: ...
    def usage_tap(self, *, stream: bool, encoding: str | None) -> UsageTap: ...
