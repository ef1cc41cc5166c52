"""The body of `POST /v1/chat/completions`, typed loosely: what decisions and translations look at, and all names.

Rule: a field unknown here must cost a second look, never an error. The names known so far are listed only so that one
pass over the bytes tells which fields a request has.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from rlmc.wire.parse import parse

WHAT = "The request body"

INSTRUCTIONS = frozenset({"system", "developer"})
RESULTS = frozenset({"tool", "function"})


class Function(msgspec.Struct, gc=False):
    """Some clients and servers have the arguments as an object, not as its text."""

    name: str | None = None
    arguments: str | dict[str, Raw] | None = None


class Custom(msgspec.Struct, gc=False):
    name: str | None = None
    input: str | None = None


class Call(msgspec.Struct, gc=False):
    id: str | None = None
    function: Function | None = None
    custom: Custom | None = None


class Content(msgspec.Struct, gc=False):
    """One part of a message's content."""

    type: str = "text"
    text: str | None = None
    refusal: str | None = None
    image_url: Raw = Raw()
    file: Raw = Raw()


class WireMessage(msgspec.Struct, gc=False):
    role: str
    content: str | list[Content] | None = None
    name: str | None = None
    tool_calls: list[Call] | None = None
    tool_call_id: str | None = None
    function_call: Function | None = None
    refusal: str | None = None
    reasoning_content: Any = None
    reasoning: Any = None


class FunctionSpec(msgspec.Struct, gc=False):
    name: str = ""
    description: str | None = None
    parameters: Raw = Raw()
    strict: Any = None


class CustomSpec(msgspec.Struct, gc=False):
    name: str = ""
    description: str | None = None
    format: Raw = Raw()


class Tool(msgspec.Struct, gc=False):
    type: str = "function"
    function: FunctionSpec | None = None
    custom: CustomSpec | None = None


class JsonSchema(msgspec.Struct, gc=False):
    name: str = "answer"
    schema: Raw = Raw()
    strict: Any = None


class ResponseFormat(msgspec.Struct, gc=False):
    type: str = "text"
    json_schema: JsonSchema | None = None


class Body(msgspec.Struct, gc=False):
    model: str
    messages: list[WireMessage]
    tools: list[Tool] | UnsetType | None = UNSET
    tool_choice: Raw | UnsetType = UNSET
    response_format: ResponseFormat | UnsetType | None = UNSET
    stream: Any = UNSET
    max_completion_tokens: Any = UNSET
    max_tokens: Any = UNSET
    parallel_tool_calls: Any = UNSET
    n: Any = UNSET
    stop: Raw | UnsetType = UNSET
    temperature: Raw | UnsetType = UNSET
    top_p: Raw | UnsetType = UNSET
    top_k: Raw | UnsetType = UNSET
    reasoning_effort: Any = UNSET
    reasoning: Raw | UnsetType = UNSET
    thinking: Raw | UnsetType = UNSET
    enable_thinking: Any = UNSET
    prompt_cache_key: Any = UNSET
    user: Any = UNSET
    safety_identifier: Any = UNSET
    functions: Raw | UnsetType = UNSET
    function_call: Raw | UnsetType = UNSET
    modalities: Raw | UnsetType = UNSET
    audio: Raw | UnsetType = UNSET
    prediction: Raw | UnsetType = UNSET
    logprobs: Raw | UnsetType = UNSET
    top_logprobs: Raw | UnsetType = UNSET
    web_search_options: Raw | UnsetType = UNSET
    stream_options: Raw | UnsetType = UNSET
    presence_penalty: Raw | UnsetType = UNSET
    frequency_penalty: Raw | UnsetType = UNSET
    logit_bias: Raw | UnsetType = UNSET
    seed: Raw | UnsetType = UNSET
    store: Raw | UnsetType = UNSET
    metadata: Raw | UnsetType = UNSET
    service_tier: Raw | UnsetType = UNSET
    verbosity: Raw | UnsetType = UNSET
    prompt_cache_retention: Raw | UnsetType = UNSET
    prompt_cache_options: Raw | UnsetType = UNSET
    chat_template_kwargs: Raw | UnsetType = UNSET


class KnownBody(Body, forbid_unknown_fields=True, gc=False):
    pass


MESSAGES = msgspec.json.Decoder(list[WireMessage])

_KNOWN = msgspec.json.Decoder(KnownBody)
_LOOSE = msgspec.json.Decoder(Body)
_NAMES = msgspec.json.Decoder(dict[str, Raw])

# What a field can hold that says no more than leaving it out.
_NOTHING = frozenset({b"", b"null", b"[]", b"{}", b'""', b"false"})


def read_body(raw: bytes) -> tuple[Body, frozenset[str]]:
    """The body and the names of all its fields."""
    try:
        body: Body = _KNOWN.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # Either a field nobody here has heard of, or a fault that this second, loose look will name.
        return parse(_LOOSE, raw, WHAT), frozenset(parse(_NAMES, raw, WHAT).keys())
    return body, frozenset(name for name in body.__struct_fields__ if getattr(body, name) is not UNSET)


def said(value: Raw | UnsetType) -> bytes:
    """The JSON of a field that says something, else nothing."""
    if isinstance(value, UnsetType):
        return b""
    raw = bytes(value)
    return b"" if raw in _NOTHING else raw


def limit_of(body: Body) -> int | None:
    """How long the answer may be, under the newer or the older name."""
    for value in (body.max_completion_tokens, body.max_tokens):
        if type(value) is int:
            return value
    return None
