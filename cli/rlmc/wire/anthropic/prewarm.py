"""The keep-alive form of a request: it reads and so renews what the cache holds of the prompt, and answers nothing.

Rule: but for `max_tokens` and `stream` it is the request to the byte, and where the API refuses the form there is none.
"""

from __future__ import annotations

import msgspec
from msgspec import Raw

from rlmc.errors import WireError
from rlmc.wire import splice
from rlmc.wire.anthropic.request_shape import Mode, ToolChoice
from rlmc.wire.parse import parse


class _OutputConfig(msgspec.Struct, gc=False):
    format: Raw = Raw()


class _Body(msgspec.Struct, gc=False):
    stream: Raw = Raw()
    thinking: Mode | None = None
    tool_choice: ToolChoice | None = None
    output_config: _OutputConfig | None = None
    output_format: Raw = Raw()
    compaction: Raw = Raw()
    safeguards: Raw = Raw()


_BODY = msgspec.json.Decoder(_Body)

_FORCED = frozenset({"any", "tool"})
_NOTHING = frozenset({b"", b"null", b"[]"})


def prewarm_body(raw: bytes) -> bytes:
    body = parse(_BODY, raw, "The request body")
    objection = _objection(body)
    if objection:
        raise WireError(f"A request with {objection} has no form that only warms the cache")
    silent = splice.replace_value(raw, "max_tokens", b"0")
    return splice.replace_value(silent, "stream", b"false") if len(body.stream) else silent


def _objection(body: _Body) -> str | None:
    if body.thinking is not None and body.thinking.type == "enabled":
        return "a thinking budget"
    if body.tool_choice is not None and body.tool_choice.type in _FORCED:
        return "a forced tool"
    if _asked(body.output_format) or (body.output_config is not None and _asked(body.output_config.format)):
        return "an output format"
    if _asked(body.compaction):
        return "a compaction"
    if _asked(body.safeguards):
        return "safeguards"
    return None


def _asked(value: Raw) -> bool:
    return bytes(value) not in _NOTHING
