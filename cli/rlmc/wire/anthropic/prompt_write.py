"""A `Prompt` as a request body of this protocol, for clients that speak another one.

Rules: only fields known to be safe; the same beginning becomes the same beginning, and the conversation stands last;
the model's own reasoning comes back where it wants it, nobody else's ever.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

from rlmc.domain.chat import Text, ToolCall
from rlmc.domain.prompt import Prompt, PromptMessage, PromptPart, Recall, Result, ToolDefinition
from rlmc.domain.shape import Shape
from rlmc.wire.anthropic.attachment import attachment
from rlmc.wire.anthropic.top_level import Json, shaped
from rlmc.wire.arguments import as_object
from rlmc.wire.folded import choice_in_words, fold_system, format_in_words
from rlmc.wire.recalled import complete
from rlmc.wire.tidy import tidy

_MAX_TOKENS = 32_000
_LONGEST_USER = 256
_BEGIN = "(The conversation begins.)"
_GO_ON = "(Go on.)"
_NO_OUTPUT = "(no output)"

_SCHEMA = msgspec.json.Decoder(dict[str, Raw])
_OBJECT = Raw(b'"object"')


def write_prompt(prompt: Prompt, model: str, shape: Shape, recall: Recall, *, stream: bool, reason: bool) -> bytes:
    # An operator's word in the middle may stand only where an assistant's follows, which is not known yet.
    messages = fold_system(tidy(prompt.messages))
    reason, recall = _reasoning(prompt, messages, shape, recall, reason=reason)
    tools = [_tool(tool) for tool in prompt.tools]
    choice, words = _choice(prompt, shape) if tools else (None, "")
    system = list(prompt.system)
    if prompt.output is not None and not _takes_format(prompt, shape):
        system.append(format_in_words(prompt.output))
    off = not reason and shape.reasoning_back != "always" and shape.thinking_off != "omit"
    fields: Json = {
        "model": model,
        "max_tokens": _max_tokens(prompt, shape),
        "stream": stream,
        "thinking": {"type": shape.thinking_off} if off else None,
        "temperature": Raw(prompt.temperature),
        "top_p": Raw(prompt.top_p),
        "top_k": Raw(prompt.top_k),
        "stop_sequences": [one for one in prompt.stop if one.strip()] or None,
        "metadata": _metadata(prompt, shape),
        "output_config": _output_config(prompt, shape, reason=reason),
        "cache_control": {"type": "ephemeral"} if shape.cache_control else None,
        "system": [{"type": "text", "text": text} for text in system] or None,
        "tools": tools or None,
        "tool_choice": choice,
    }
    body = shaped(fields, shape, reason=reason)
    return msgspec.json.encode(body | {"messages": _messages(messages, words, shape, recall)})


# --- what is asked of the model ----------------------------------------------------------------------------------


def _reasoning(
    prompt: Prompt, messages: tuple[PromptMessage, ...], shape: Shape, recall: Recall, *, reason: bool
) -> tuple[bool, Recall]:
    """Whether the model is to reason, and what of its own it is given back."""
    wanted = reason and prompt.effort != "none" and not (_forced(prompt) and _can_force(shape))
    if shape.reasoning_back == "always":
        return wanted, recall
    if shape.reasoning_back == "if_all" and wanted and complete(messages, recall):
        return True, recall
    return wanted and shape.reasoning_back == "no", {}


def _forced(prompt: Prompt) -> bool:
    return prompt.tool_choice in ("any", "tool") and bool(prompt.tools)


def _choice(prompt: Prompt, shape: Shape) -> tuple[Json | None, str]:
    """The field, or what is said instead at the end of the conversation, where a call cannot be forced: models that
    cannot but reason refuse it, as do some providers."""
    alone = {} if prompt.parallel_tools or not shape.parallel_tools else {"disable_parallel_tool_use": True}
    if _forced(prompt) and not _can_force(shape):
        field: Json | None = {"type": "auto", **alone} if alone and shape.tool_choice else None
        return field, choice_in_words(prompt.tool_choice, prompt.forced_tool)
    if not shape.tool_choice:
        return None, choice_in_words(prompt.tool_choice, prompt.forced_tool)
    if prompt.tool_choice == "tool":
        return {"type": "tool", "name": prompt.forced_tool, **alone}, ""
    if prompt.tool_choice == "none":
        return {"type": "none"}, ""
    return ({"type": prompt.tool_choice or "auto", **alone} if alone or prompt.tool_choice else None), ""


def _can_force(shape: Shape) -> bool:
    """A model with efforts reasons unless it is told not to, and not every one can be told so."""
    always = shape.thinking_off == "between_tools" or (shape.thinking_off == "omit" and bool(shape.efforts))
    return shape.tool_choice and shape.reasoning_back != "always" and not always


def _max_tokens(prompt: Prompt, shape: Shape) -> int:
    """Required here, though clients of other protocols may leave it open."""
    asked = prompt.max_tokens or min(shape.max_output or _MAX_TOKENS, _MAX_TOKENS)
    return min(asked, shape.max_output or asked)


def _metadata(prompt: Prompt, shape: Shape) -> Json | None:
    fits = prompt.user and len(prompt.user) <= _LONGEST_USER
    return {"user_id": prompt.user} if fits and shape.metadata else None


def _takes_format(prompt: Prompt, shape: Shape) -> bool:
    """A format without a schema is none here."""
    return shape.output_format and prompt.output is not None and prompt.output.schema.strip() != b"{}"


def _output_config(prompt: Prompt, shape: Shape, *, reason: bool) -> Json | None:
    config: Json = {}
    effort = "low" if prompt.effort == "minimal" else prompt.effort
    if reason and effort in shape.efforts:
        config["effort"] = effort
    if prompt.output is not None and _takes_format(prompt, shape):
        config["format"] = {"type": "json_schema", "schema": Raw(prompt.output.schema)}
    return config or None


def _tool(tool: ToolDefinition) -> Json:
    found: Json = {"name": tool.name, "input_schema": _schema(tool.schema)}
    if tool.description:
        found["description"] = tool.description
    return found


def _schema(schema: bytes) -> Raw | dict[str, Raw]:
    """Of an object, which other protocols need not say. What is no schema goes on as it is, to be judged there."""
    try:
        known = _SCHEMA.decode(schema)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Raw(schema)
    return Raw(schema) if "type" in known else {"type": _OBJECT, **known}


# --- the conversation --------------------------------------------------------------------------------------------


def _messages(messages: tuple[PromptMessage, ...], words: str, shape: Shape, recall: Recall) -> list[Json]:
    """It begins with the user, and ends there: what ends with the model's words is refused. `words` are the last."""
    found: list[Json] = []
    if not messages or messages[0].role != "user":
        found.append({"role": "user", "content": [_text(_BEGIN)]})
    found.extend({"role": message.role, "content": _content(message, shape, recall)} for message in messages)
    if found[-1]["role"] == "assistant":
        found.append({"role": "user", "content": [_text(words or _GO_ON)]})
    elif words:
        found[-1]["content"].append(_text(words))
    return found


def _content(message: PromptMessage, shape: Shape, recall: Recall) -> list[Any]:
    """A message with calls ends with them, and what was thought stands before the first."""
    calls = [part for part in message.parts if isinstance(part, ToolCall)]
    rest = [_block(part, shape) for part in message.parts if not isinstance(part, ToolCall)]
    thoughts = map(Raw, recall.get(calls[0].id, ())) if calls else ()
    return [*rest, *thoughts, *(_block(call, shape) for call in calls)]


def _block(part: PromptPart, shape: Shape) -> Json:
    match part:
        case Text(text):
            return _text(text)
        case ToolCall(id_, name, arguments):
            return {"type": "tool_use", "id": id_, "name": name, "input": Raw(as_object(arguments))}
        case Result():
            return _result(part, shape)
        case _:
            return attachment(part, shape)


def _result(result: Result, shape: Shape) -> Json:
    inner = [_block(one, shape) for one in result.content if not (isinstance(one, Text) and not one.text.strip())]
    block: Json = {"type": "tool_result", "tool_use_id": result.call_id, "content": inner}
    if len(inner) == 1 and inner[0]["type"] == "text":
        block["content"] = inner[0]["text"]
    if result.is_error:
        # An error without a word is refused.
        block |= {"content": block["content"] or _NO_OUTPUT, "is_error": True}
    return block if block["content"] else block | {"content": ""}


def _text(text: str) -> Json:
    return {"type": "text", "text": text}
