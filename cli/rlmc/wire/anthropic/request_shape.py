"""The body of `POST /v1/messages`, typed loosely: what decisions look at, and the names of everything else.

Rule: a field unknown here must cost a second look, never an error. The names known so far are listed only so that one
pass over the bytes tells which fields a request has.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from rlmc.wire.anthropic.blocks import Block, CacheMarker
from rlmc.wire.parse import parse

WHAT = "The request body"

ATTRIBUTION = "x-anthropic-billing-header"
"""How the system block begins in which a client says who it is; Anthropic's own API keeps it from the model."""


class SystemBlock(msgspec.Struct, gc=False):
    type: str = ""
    text: str = ""
    cache_control: CacheMarker | None = None


class WireMessage(msgspec.Struct, gc=False):
    role: str
    content: str | list[Block]
    output_config: Raw = Raw()
    clear_at: Raw = Raw()


class Annotations(msgspec.Struct, gc=False):
    read_only: Any = msgspec.field(name="readOnlyHint", default=None)


class Tool(msgspec.Struct, gc=False):
    type: str | None = None
    name: str = ""
    description: str | None = None
    input_schema: Raw = Raw()
    strict: Raw = Raw()
    input_examples: Raw = Raw()
    allowed_callers: Raw = Raw()
    defer_loading: Any = None
    annotations: Annotations | None = None
    cache_control: CacheMarker | None = None


class ToolChoice(msgspec.Struct, gc=False):
    type: str
    name: Raw = Raw()
    disable_parallel_tool_use: Any = None


class Mode(msgspec.Struct, gc=False):
    type: str = ""
    budget_tokens: Raw = Raw()


class Format(msgspec.Struct, gc=False):
    schema: Raw = Raw()


class OutputConfig(msgspec.Struct, gc=False):
    format: Format | None = None


class Body(msgspec.Struct, gc=False):
    model: str
    messages: list[WireMessage]
    system: str | list[SystemBlock] | UnsetType | None = UNSET
    tools: list[Tool] | UnsetType | None = UNSET
    max_tokens: Any = UNSET
    stream: Any = UNSET
    thinking: Mode | UnsetType | None = UNSET
    tool_choice: ToolChoice | UnsetType | None = UNSET
    output_config: Raw | UnsetType = UNSET
    output_format: Raw | UnsetType = UNSET
    cache_control: CacheMarker | UnsetType | None = UNSET
    safeguards: Raw | UnsetType = UNSET
    metadata: Raw | UnsetType = UNSET
    context_management: Raw | UnsetType = UNSET
    temperature: Raw | UnsetType = UNSET
    top_p: Raw | UnsetType = UNSET
    top_k: Raw | UnsetType = UNSET
    stop_sequences: Raw | UnsetType = UNSET
    service_tier: Raw | UnsetType = UNSET
    speed: Raw | UnsetType = UNSET
    inference_geo: Raw | UnsetType = UNSET
    container: Raw | UnsetType = UNSET
    diagnostics: Raw | UnsetType = UNSET
    compaction: Raw | UnsetType = UNSET
    mcp_servers: Raw | UnsetType = UNSET
    fallbacks: Raw | UnsetType = UNSET
    fallback_credit_token: Raw | UnsetType = UNSET
    thread: Raw | UnsetType = UNSET
    billing_policy: Raw | UnsetType = UNSET


class KnownBody(Body, forbid_unknown_fields=True, gc=False):
    pass


OUTPUT_CONFIG = msgspec.json.Decoder(OutputConfig | None)
OUTPUT_FORMAT = msgspec.json.Decoder(Format | None)

MESSAGES = msgspec.json.Decoder(list[WireMessage])

_KNOWN = msgspec.json.Decoder(KnownBody)
_LOOSE = msgspec.json.Decoder(Body)
_NAMES = msgspec.json.Decoder(dict[str, Raw])


def read_body(raw: bytes) -> tuple[Body, frozenset[str]]:
    """The body and the names of all its fields."""
    try:
        body: Body = _KNOWN.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # Either a field nobody here has heard of, or a fault that this second, loose look will name.
        return parse(_LOOSE, raw, WHAT), frozenset(parse(_NAMES, raw, WHAT).keys())
    return body, frozenset(name for name in body.__struct_fields__ if getattr(body, name) is not UNSET)
