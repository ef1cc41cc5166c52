"""The Messages protocol behind the `Codec` seam; see the modules beside this one for each part."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from rlmc.domain.chat import ChatRequest, Completion, Usage
from rlmc.domain.draft_shape import DraftShape
from rlmc.domain.layout import Layout, Lifetime
from rlmc.wire import splice
from rlmc.wire.anthropic import response
from rlmc.wire.anthropic.brief import brief_body
from rlmc.wire.anthropic.draft import draft_body
from rlmc.wire.anthropic.marker import add_marker
from rlmc.wire.anthropic.prewarm import prewarm_body
from rlmc.wire.anthropic.request import decode_request
from rlmc.wire.anthropic.rewrite import StreamRewriter
from rlmc.wire.anthropic.stream import AnswerDecoder, encode_completion_stream
from rlmc.wire.anthropic.tap import usage_tap
from rlmc.wire.anthropic.text_stream import TextStreamWriter
from rlmc.wire.codec import UsageTap


class AnthropicCodec:
    name = "anthropic"

    def decode_request(self, raw: bytes, key: bytes = b"") -> ChatRequest:
        return decode_request(raw, key)

    def replace_model(self, raw: bytes, model: str) -> bytes:
        return splice.replace_value(raw, "model", msgspec.json.encode(model))

    def append_user_text(self, raw: bytes, text: str) -> bytes:
        message = {"role": "user", "content": [{"type": "text", "text": text}]}
        return splice.append_item(raw, "messages", msgspec.json.encode(message))

    def add_marker(self, raw: bytes, layout: Layout, block: int, ttl: Lifetime) -> bytes:
        return add_marker(raw, layout, block, ttl)

    def prewarm_body(self, raw: bytes) -> bytes:
        return prewarm_body(raw)

    def brief_body(self, brief_system: str, brief_text: str, model: str, effort: str | None, max_tokens: int) -> bytes:
        return brief_body(brief_system, brief_text, model, effort, max_tokens)

    def draft_body(self, request: ChatRequest, model: str, shape: DraftShape) -> bytes:
        return draft_body(request, model, shape)

    def decode_completion(self, raw: bytes) -> Completion:
        return response.decode_completion(raw)

    def encode_completion(self, completion: Completion, usage: Usage) -> bytes:
        return response.encode_completion(completion, usage)

    def encode_completion_stream(self, completion: Completion, usage: Usage) -> Iterable[bytes]:
        return encode_completion_stream(completion, usage)

    def encode_error(self, status: int, message: str) -> bytes:
        return response.encode_error(status, message)

    def encode_stream_error(self, status: int, message: str) -> bytes:
        return response.encode_stream_error(response.error_kind(status), message)

    def ping(self) -> bytes:
        return response.ping()

    def stream_decoder(self) -> AnswerDecoder:
        return AnswerDecoder()

    def rewriter(self, *, drop_prefix: str = "") -> StreamRewriter:
        return StreamRewriter(drop_prefix=drop_prefix)

    def text_stream(self, *, model: str, message_id: str, usage: Usage) -> TextStreamWriter:
        return TextStreamWriter(model, message_id, usage)

    def usage_tap(self, *, stream: bool, encoding: str | None) -> UsageTap:
        return usage_tap(stream=stream, encoding=encoding)


ANTHROPIC = AnthropicCodec()
