"""The Responses protocol behind the `Codec` seam; see the modules beside this one for each part."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from rlmc.domain.chat import ChatRequest, Completion, ToolSpec, Usage
from rlmc.domain.prompt import Prompt, Recall
from rlmc.domain.shape import Shape
from rlmc.wire import splice
from rlmc.wire.codec import UsageTap
from rlmc.wire.deltas import deltas_of, written
from rlmc.wire.openai.common import OpenAiCodec
from rlmc.wire.responses import errors, response
from rlmc.wire.responses.brief import brief_body
from rlmc.wire.responses.prompt_read import read_prompt
from rlmc.wire.responses.prompt_write import write_prompt
from rlmc.wire.responses.request import decode_request
from rlmc.wire.responses.stream import AnswerDecoder
from rlmc.wire.responses.tap import usage_tap
from rlmc.wire.responses.writer import EventWriter


class ResponsesCodec(OpenAiCodec):
    name = "responses"
    path = "/v1/responses"

    def decode_request(self, raw: bytes, key: bytes = b"", before: Iterable[ChatRequest] = ()) -> ChatRequest:
        return decode_request(raw, key, before)

    def append_user_text(self, raw: bytes, text: str) -> bytes:
        item = msgspec.json.encode(_user(text))
        start, end = splice.span(raw, "input")
        if raw[start : start + 1] == b'"':
            # One text stands for one message of the user's, which it becomes here.
            said = b'{"type":"message","role":"user","content":%b}' % raw[start:end]
            return splice.replace_value(raw, "input", b"[%b,%b]" % (said, item))
        return splice.append_item(raw, "input", item)

    def brief_body(
        self, brief_system: str, brief_text: str, model: str, effort: str | None, max_tokens: int, shape: Shape
    ) -> bytes:
        return brief_body(brief_system, brief_text, model, effort, max_tokens, shape)

    def draft_body(self, request: ChatRequest, model: str, shape: Shape, recall: Recall) -> bytes:
        return write_prompt(read_prompt(request.raw), model, shape, recall, stream=True, reason=False)

    def read_prompt(self, raw: bytes) -> Prompt:
        return read_prompt(raw)

    def write_prompt(
        self, prompt: Prompt, model: str, shape: Shape, recall: Recall, *, stream: bool, reason: bool
    ) -> bytes:
        return write_prompt(prompt, model, shape, recall, stream=stream, reason=reason)

    def decode_completion(self, raw: bytes) -> Completion:
        return response.decode_completion(raw)

    def encode_completion(self, completion: Completion, usage: Usage, tools: Sequence[ToolSpec] = ()) -> bytes:
        return response.encode_completion(completion, usage, tools)

    def encode_completion_stream(
        self, completion: Completion, usage: Usage, tools: Sequence[ToolSpec] = ()
    ) -> Iterable[bytes]:
        writer = self.answer_writer(model=completion.model, message_id=completion.id, usage=usage, tools=tools)
        return written(deltas_of(completion, usage), writer)

    def stream_decoder(self) -> AnswerDecoder:
        return AnswerDecoder()

    def answer_writer(
        self, *, model: str, message_id: str, usage: Usage, tools: Sequence[ToolSpec] = ()
    ) -> EventWriter:
        return EventWriter(model, message_id, usage, tools)

    def usage_tap(self, *, stream: bool, encoding: str | None) -> UsageTap:
        return usage_tap(stream=stream, encoding=encoding)

    def encode_stream_error(self, status: int, message: str) -> bytes:
        return errors.failed_event(response.response("resp_0", "", [], None, None), status, message)

    def count_body(self, tokens: int) -> bytes:
        return msgspec.json.encode({"object": "response.input_tokens", "input_tokens": tokens})


def _user(text: str) -> dict[str, object]:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


RESPONSES = ResponsesCodec()
