"""What a protocol must be able to do, so that the server can serve it without knowing it.

Sources: the Messages API, Chat Completions and Responses as of November 2026. Every function is pure; given any bytes
it returns a value or raises `WireError` (`UnknownShape` for JSON that is well-formed but strange).

Two kinds of work meet here. What goes on in the client's own protocol is surgery on its bytes: `replace_model`,
`append_user_text`, `add_marker`. What goes to a model of another protocol, and every draft, is written anew from a
`Prompt`: `read_prompt` by the client's codec, `write_prompt` by the other one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from rlmc.domain.chat import ChatRequest, Completion, Delta, Failure, ToolSpec, Usage
from rlmc.domain.layout import Layout, Lifetime
from rlmc.domain.prompt import Prompt, Recall
from rlmc.domain.shape import Shape

__all__ = ["AnswerWriter", "Codec", "Shape", "StreamDecoder", "UsageTap"]


class StreamDecoder(Protocol):
    """Bytes of a streamed answer, cut anywhere, to deltas. `close` says what the end of the bytes means.

    Never raises: what breaks is a last `StreamError`. Of the deltas one can count on: a `Started` first; blocks one
    after another, each with a `BlockStarted` (a tool call with its id and name) and a `BlockStopped`, with ascending
    numbers; a `Stopping` with the final usage; then `Stopped`. A finished `Thinking` comes in its `BlockStopped`.
    """

    def feed(self, data: bytes) -> list[Delta]: ...
    def close(self) -> list[Delta]: ...


class AnswerWriter(Protocol):
    """Deltas of an answer, as a decoder gives them, to the events of a stream in this protocol.

    Reasoning, unknown blocks and events without meaning are passed over, and blocks numbered anew without gaps. What is
    fed may begin without a `Started`. A `StreamError` becomes the protocol's error; after it, or after `Stopped`,
    nothing more is written. `close` is for deltas that have ended: without either it is an error, never a clean end.
    """

    def feed(self, delta: Delta) -> bytes: ...
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
    """`path` is where turns of the protocol are posted, below the base URL of a provider's endpoint; `own_headers` are
    those every request of rlmc's own carries.

    `key` makes the digests of a request's layout its owner's own. `before` are requests it may go on from, the latest
    first: what is the same need not be read again, and the request that comes of it is the same, too. `prewarm_body` is
    the request in the form that only renews the cache; `brief_body` a whole answer to one text, asked of a model apart
    from any conversation.
    `draft_body` is for a draft model of the same protocol. `reason` false switches reasoning off where it can be done.
    `usage` of a written answer is the one the client is told; `tools` are those of the request it answers.
    """

    name: str
    path: str
    own_headers: tuple[tuple[str, str], ...]

    # requests
    def decode_request(self, raw: bytes, key: bytes = b"", before: Iterable[ChatRequest] = ()) -> ChatRequest: ...
    def replace_model(self, raw: bytes, model: str) -> bytes: ...
    def append_user_text(self, raw: bytes, text: str) -> bytes: ...
    def add_marker(self, raw: bytes, layout: Layout, block: int, ttl: Lifetime) -> bytes: ...
    def prewarm_body(self, raw: bytes) -> bytes: ...
    def brief_body(
        self, brief_system: str, brief_text: str, model: str, effort: str | None, max_tokens: int, shape: Shape
    ) -> bytes: ...
    def draft_body(self, request: ChatRequest, model: str, shape: Shape, recall: Recall) -> bytes: ...
    def read_prompt(self, raw: bytes) -> Prompt: ...
    def write_prompt(
        self, prompt: Prompt, model: str, shape: Shape, recall: Recall, *, stream: bool, reason: bool
    ) -> bytes: ...

    # answers
    def decode_completion(self, raw: bytes) -> Completion: ...
    def encode_completion(self, completion: Completion, usage: Usage, tools: Sequence[ToolSpec] = ()) -> bytes: ...
    def encode_completion_stream(
        self, completion: Completion, usage: Usage, tools: Sequence[ToolSpec] = ()
    ) -> Iterable[bytes]: ...
    def stream_decoder(self) -> StreamDecoder: ...
    def answer_writer(
        self, *, model: str, message_id: str, usage: Usage, tools: Sequence[ToolSpec] = ()
    ) -> AnswerWriter: ...
    def usage_tap(self, *, stream: bool, encoding: str | None) -> UsageTap: ...

    # errors and silence
    def decode_failure(self, status: int, raw: bytes) -> Failure: ...
    def encode_failure(self, status: int, failure: Failure) -> bytes: ...
    def encode_error(self, status: int, message: str) -> bytes: ...
    def encode_stream_error(self, status: int, message: str) -> bytes: ...
    def ping(self) -> bytes: ...

    # answers that are no turn's: a token count (where the protocol has it), the list of models
    def count_body(self, tokens: int) -> bytes: ...
    def models_body(self, models: Sequence[str]) -> bytes: ...
