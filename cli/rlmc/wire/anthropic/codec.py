"""The Messages protocol behind the `Codec` seam; see the modules beside this one for each part."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from rlmc.domain.chat import ChatRequest, Completion, Failure, ToolSpec, Usage
from rlmc.domain.layout import Layout, Lifetime
from rlmc.domain.prompt import Prompt, Recall
from rlmc.domain.shape import Shape
from rlmc.wire import splice
from rlmc.wire.anthropic import failure as failures
from rlmc.wire.anthropic import response
from rlmc.wire.anthropic.brief import brief_body
from rlmc.wire.anthropic.draft import draft_body
from rlmc.wire.anthropic.marker import add_marker
from rlmc.wire.anthropic.prewarm import prewarm_body
from rlmc.wire.anthropic.prompt_read import read_prompt
from rlmc.wire.anthropic.prompt_write import write_prompt
from rlmc.wire.anthropic.request import decode_request
from rlmc.wire.anthropic.rewrite import StreamRewriter
from rlmc.wire.anthropic.stream import AnswerDecoder
from rlmc.wire.anthropic.tap import usage_tap
from rlmc.wire.anthropic.writer import MessageWriter
from rlmc.wire.codec import UsageTap
from rlmc.wire.deltas import deltas_of, written

_UNKNOWN_DAY = "1970-01-01T00:00:00Z"


class AnthropicCodec:
    name = "anthropic"
    path = "/v1/messages"
    own_headers: tuple[tuple[str, str], ...] = (("anthropic-version", "2023-06-01"),)

    def decode_request(self, raw: bytes, key: bytes = b"", before: Iterable[ChatRequest] = ()) -> ChatRequest:
        return decode_request(raw, key, before)

    def replace_model(self, raw: bytes, model: str) -> bytes:
        return splice.replace_value(raw, "model", msgspec.json.encode(model))

    def append_user_text(self, raw: bytes, text: str) -> bytes:
        message = {"role": "user", "content": [{"type": "text", "text": text}]}
        return splice.append_item(raw, "messages", msgspec.json.encode(message))

    def add_marker(self, raw: bytes, layout: Layout, block: int, ttl: Lifetime) -> bytes:
        return add_marker(raw, layout, block, ttl)

    def prewarm_body(self, raw: bytes) -> bytes:
        return prewarm_body(raw)

    def brief_body(
        self, brief_system: str, brief_text: str, model: str, effort: str | None, max_tokens: int, shape: Shape
    ) -> bytes:
        return brief_body(brief_system, brief_text, model, effort, max_tokens, shape)

    def draft_body(self, request: ChatRequest, model: str, shape: Shape, recall: Recall) -> bytes:
        return draft_body(request, model, shape, recall)

    def read_prompt(self, raw: bytes) -> Prompt:
        return read_prompt(raw)

    def write_prompt(
        self, prompt: Prompt, model: str, shape: Shape, recall: Recall, *, stream: bool, reason: bool
    ) -> bytes:
        return write_prompt(prompt, model, shape, recall, stream=stream, reason=reason)

    def decode_completion(self, raw: bytes) -> Completion:
        return response.decode_completion(raw)

    def encode_completion(self, completion: Completion, usage: Usage, tools: Sequence[ToolSpec] = ()) -> bytes:
        return response.encode_completion(completion, usage)

    def encode_completion_stream(
        self, completion: Completion, usage: Usage, tools: Sequence[ToolSpec] = ()
    ) -> Iterable[bytes]:
        writer = self.answer_writer(model=completion.model, message_id=completion.id, usage=usage)
        return written(deltas_of(completion, usage), writer)

    def stream_decoder(self) -> AnswerDecoder:
        return AnswerDecoder()

    def rewriter(self, *, drop_prefix: str = "") -> StreamRewriter:
        """Passes an answer of this protocol through, all but its reasoning as it came."""
        return StreamRewriter(drop_prefix=drop_prefix)

    def answer_writer(
        self, *, model: str, message_id: str, usage: Usage, tools: Sequence[ToolSpec] = ()
    ) -> MessageWriter:
        return MessageWriter(model, message_id, usage)

    def usage_tap(self, *, stream: bool, encoding: str | None) -> UsageTap:
        return usage_tap(stream=stream, encoding=encoding)

    def decode_failure(self, status: int, raw: bytes) -> Failure:
        return failures.decode_failure(status, raw)

    def encode_failure(self, status: int, failure: Failure) -> bytes:
        return failures.encode_failure(status, failure)

    def encode_error(self, status: int, message: str) -> bytes:
        return response.encode_error(status, message)

    def encode_stream_error(self, status: int, message: str) -> bytes:
        return response.encode_stream_error(response.error_kind(status), message)

    def ping(self) -> bytes:
        return response.ping()

    def count_body(self, tokens: int) -> bytes:
        return msgspec.json.encode({"input_tokens": tokens})

    def models_body(self, models: Sequence[str]) -> bytes:
        data = [{"type": "model", "id": one, "display_name": one, "created_at": _UNKNOWN_DAY} for one in models]
        ends = {"first_id": models[0] if models else None, "last_id": models[-1] if models else None}
        return msgspec.json.encode({"data": data, "has_more": False, **ends})


ANTHROPIC = AnthropicCodec()
