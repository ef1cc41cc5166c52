"""A client's request as another model may be asked it.

Rules: only top-level fields known to be safe go out, so a new field of the client can never break a draft; nothing
depends on anything but the request and the shape, so the same beginning always becomes the same beginning.
"""

from __future__ import annotations

import msgspec
from msgspec import Raw

from rlmc.domain.chat import ChatRequest
from rlmc.domain.prompt import Recall
from rlmc.domain.shape import Shape
from rlmc.wire.anthropic.blocks import MOST_MARKERS
from rlmc.wire.anthropic.draft_history import DraftMessage, History
from rlmc.wire.anthropic.request_shape import ATTRIBUTION
from rlmc.wire.anthropic.tools import runs_at_provider
from rlmc.wire.anthropic.top_level import Json, present, shaped
from rlmc.wire.parse import parse, text_of

_WHAT = "The request body"

# What tools keep: providers differ on the rest (deferring, strictness, examples, who may call).
_TOOL_FIELDS = frozenset({"name", "description", "input_schema", "cache_control"})
_TYPED_TOOL_DROPS = frozenset(
    {"defer_loading", "eager_input_streaming", "allowed_callers", "input_examples", "strict", "annotations"}
)

_NOTHING = Raw()


class _SystemBlock(msgspec.Struct, gc=False):
    text: str = ""
    cache_control: Raw = _NOTHING


class _OutputConfig(msgspec.Struct, gc=False):
    format: Raw = _NOTHING


class _Body(msgspec.Struct, gc=False):
    messages: list[DraftMessage]
    system: str | list[_SystemBlock] | None = None
    tools: list[dict[str, Raw]] | None = None
    tool_choice: Raw = _NOTHING
    temperature: Raw = _NOTHING
    top_p: Raw = _NOTHING
    top_k: Raw = _NOTHING
    stop_sequences: Raw = _NOTHING
    metadata: Raw = _NOTHING
    output_config: _OutputConfig | None = None
    cache_control: Raw = _NOTHING


_BODY = msgspec.json.Decoder(_Body)
_STRING = msgspec.json.Decoder(str)


def draft_body(request: ChatRequest, model: str, shape: Shape, recall: Recall) -> bytes:
    body = parse(_BODY, request.raw, _WHAT)
    history = History(shape, recall if shape.reasoning_back == "always" else None)
    for message in body.messages:
        history.add(message)
    system = [*_system(body.system, shape), *_format_in_words(request, shape)]
    tools = _tools(body.tools or [], history.tools_named, shape)
    fields: Json = {
        "model": model,
        "max_tokens": _max_tokens(request.max_tokens, shape),
        "stream": True,
        "thinking": None if shape.thinking_off == "omit" else {"type": shape.thinking_off},
        "temperature": body.temperature,
        "top_p": body.top_p,
        "top_k": body.top_k,
        "stop_sequences": body.stop_sequences,
        "metadata": body.metadata if shape.metadata else None,
        "output_config": _output_config(body, shape),
        "cache_control": body.cache_control if shape.cache_control else None,
        "system": system or None,
        "tools": tools or None,
        "tool_choice": body.tool_choice if shape.tool_choice and tools else None,
    }
    draft = shaped(fields, shape, reason=False)
    _limit_markers(draft, [*tools, *system, *_blocks(history.messages)])
    # Last, so that a longer conversation is the same bytes with more behind them.
    return msgspec.json.encode(draft | {"messages": history.messages})


def _max_tokens(asked: int | None, shape: Shape) -> int | None:
    if asked is None or shape.max_output is None:
        return asked if asked is not None else shape.max_output
    return min(asked, shape.max_output)


def _output_config(body: _Body, shape: Shape) -> Json | None:
    wanted = body.output_config.format if body.output_config else _NOTHING
    return {"format": wanted} if shape.output_format and present(wanted) else None


def _format_in_words(request: ChatRequest, shape: Shape) -> list[Json]:
    """A provider that knows no output format is told of it; whether it complied is for the gate to see."""
    schema = text_of(request.output_schema or b"{}", _WHAT)
    if schema == "{}" or shape.output_format:
        return []
    text = f"Answer with one JSON value that satisfies this JSON Schema, and with nothing else:\n{schema}"
    return [{"type": "text", "text": text}]


def _system(system: str | list[_SystemBlock] | None, shape: Shape) -> list[Json]:
    blocks = [_SystemBlock(system)] if isinstance(system, str) else system or []
    kept: list[Json] = []
    for block in blocks:
        text = block.text
        if text.startswith(ATTRIBUTION) and not shape.attribution:
            text = text.partition("\n")[2]
        if not text.strip():
            continue
        new: Json = {"type": "text", "text": text}
        if shape.cache_control and present(block.cache_control):
            new["cache_control"] = block.cache_control
        kept.append(new)
    return kept


def _tools(tools: list[dict[str, Raw]], named: set[str], shape: Shape) -> list[Json]:
    """The client's tools, without those a tool search has not brought in yet."""
    kept: list[Json] = []
    for tool in tools:
        kind = _string(tool.get("type"))
        if runs_at_provider(kind) or (_is_true(tool.get("defer_loading")) and _string(tool.get("name")) not in named):
            continue
        if kind in {None, "custom"}:
            new: Json = {name: value for name, value in tool.items() if name in _TOOL_FIELDS}
        else:
            new = {name: value for name, value in tool.items() if name not in _TYPED_TOOL_DROPS}
        if not shape.cache_control:
            new.pop("cache_control", None)
        kept.append(new)
    return kept


def _string(value: Raw | None) -> str | None:
    return parse(_STRING, value, _WHAT) if value is not None and present(value) else None


def _is_true(value: Raw | None) -> bool:
    return value is not None and bytes(value) == b"true"


def _blocks(messages: list[Json]) -> list[Json]:
    """All blocks in the order of the prompt, those inside tool results before the result's own marker."""
    found: list[Json] = []
    for message in messages:
        for block in message["content"]:
            if isinstance(block, Raw):
                continue
            inner = block.get("content")
            if isinstance(inner, list):
                found.extend(inner)
            found.append(block)
    return found


def _limit_markers(draft: Json, blocks: list[Json]) -> None:
    """At most as many as the API takes, the top-level one included; the last ones cover the most."""
    marked = [block for block in blocks if "cache_control" in block]
    allowed = MOST_MARKERS - ("cache_control" in draft)
    for block in marked[: max(0, len(marked) - allowed)]:
        del block["cache_control"]
