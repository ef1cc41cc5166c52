"""Requests of each protocol: decoded, read in full, written for every other protocol.

What holds for any bytes: a value or a `WireError`; what a request is judged by is what its reader would see in it; and
what could be read can be written for every protocol, as JSON that is a request there.
"""

from __future__ import annotations

import json
import zlib
from typing import Any

from tests.fuzz.target import Target

from rlmc.domain.chat import ChatRequest
from rlmc.domain.prompt import Prompt
from rlmc.domain.shape import Shape
from rlmc.errors import WireError
from rlmc.wire import PROTOCOLS, Codec

_CODECS = tuple(PROTOCOLS.values())
_SHAPES = (
    Shape(),
    Shape(output_format=True, media=True, metadata=True, strict=True, cache_key=True, custom_tools=True),
)


def _target(codec: Codec, tokens: tuple[bytes, ...]) -> Target:
    def run(data: bytes) -> bool:
        request, prompt = _request(codec, data), _prompt(codec, data)
        chance = zlib.crc32(data)
        shape = _SHAPES[chance & 1]
        if request is not None:
            _is_what_was_sent(request, data)
            assert codec.decode_request(data, b"key", (request,)) == request
            _drafted(codec, request, shape)
        if prompt is not None:
            other = _CODECS[(chance >> 1) % 3]
            body = other.write_prompt(prompt, "m", shape, {}, stream=bool(chance & 16), reason=bool(chance & 32))
            assert _model(body) == other.decode_request(body).model == "m"
        return request is not None

    return Target(f"requests-{codec.name}", run, (*_COMMON, *tokens), 1_800)


def _request(codec: Codec, data: bytes) -> ChatRequest | None:
    try:
        return codec.decode_request(data, b"key")
    except WireError:
        return None


def _prompt(codec: Codec, data: bytes) -> Prompt | None:
    try:
        return codec.read_prompt(data)
    except WireError:
        return None


def _is_what_was_sent(request: ChatRequest, data: bytes) -> None:
    """A model's provider reads the same model, the same mode and the same tools as were judged here."""
    seen = _value(data)
    if seen is None:
        return
    assert request.raw == data
    assert request.model == seen["model"]
    said = seen.get("stream")
    assert request.stream == (said is True) or not isinstance(said, bool | None)
    layout = request.layout
    assert len(layout.digests) == len(layout.chars) == len(layout.positions)
    assert list(layout.chars) == sorted(layout.chars)
    assert all(at < len(layout.digests) for at, _ in layout.marks)


def _drafted(codec: Codec, request: ChatRequest, shape: Shape) -> None:
    try:
        body = codec.draft_body(request, "m", shape, {})
    except WireError:
        return
    assert _model(body) == "m"


def _model(body: bytes) -> object:
    """What is no UTF-8 within a text goes through as it came: it is the provider's to judge."""
    return json.loads(body.decode(errors="replace"))["model"]


def _value(data: bytes) -> Any:
    """None for what Python's reader does not take: numbers of thousands of digits, deep nesting."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


_COMMON = (
    b'"model":"m",', b'"stream":true,', b'"model"', b'"messages":[],', b'"role":"system",', b'"role":"tool",', b'"a.b"',
    b'{"role":"user","content":"x"}', b'{"type":"object","properties":{"a":{"type":"string"}}}', b'"required"', b'"none"',
    b'"data:image/png;base64,AAAA"', b'"https://host/a.png"', b'"metadata":{"user_id":"u"},', b'{"type":"json_schema"}',
)  # fmt: skip

_TOKENS: dict[str, tuple[bytes, ...]] = {
    "anthropic": (
        b'{"type":"tool_use","id":"t","name":"Read","input":{"a":1}}', b'{"type":"tool_result","tool_use_id":"t"}',
        b'{"type":"thinking","thinking":"x","signature":"s"}', b'{"type":"redacted_thinking","data":"x"}',
        b'"cache_control":{"type":"ephemeral","ttl":"1h"},', b'{"type":"image","source":{"type":"base64"}}',
        b'{"type":"server_tool_use","id":"s","name":"web_search","input":{}}', b'"tool_choice":{"type":"any"},',
        b'{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}', b'"defer_loading":true,',
    ),
    "chat": (
        b'{"role":"tool","tool_call_id":"c","content":"x"}', b'"tool_choice":"required",', b'"n":2,', b'"stop":["a"],',
        b'{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"Read","arguments":"{}"}}]}',
        b'{"type":"image_url","image_url":{"url":"x"}}', b'{"role":"developer","content":"x"}', b'"max_completion_tokens":5,',
        b'{"type":"custom","custom":{"name":"p"}}', b'"response_format":{"type":"json_object"},', b'"reasoning_effort":"high",',
    ),
    "responses": (
        b'{"type":"function_call","call_id":"c","name":"Read","arguments":"{}"}', b'"input":"x",', b'"store":true,',
        b'{"type":"function_call_output","call_id":"c","output":"x"}', b'{"type":"item_reference","id":"i"}',
        b'{"type":"custom_tool_call","call_id":"c","name":"p","input":"x"}', b'"previous_response_id":"r",',
        b'{"type":"custom_tool_call_output","call_id":"c","output":"x"}', b'{"type":"reasoning","summary":[]}',
        b'{"type":"local_shell"}', b'{"type":"web_search"}', b'{"type":"namespace","name":"n","tools":[]}',
        b'"instructions":"x",', b'"text":{"format":{"type":"json_schema"}},', b'{"type":"input_image","file_id":"f"}',
    ),
}  # fmt: skip

TARGETS = tuple(_target(codec, _TOKENS[name]) for name, codec in PROTOCOLS.items())
