"""A `Prompt` as a request body of this protocol.

Rules: only fields the endpoint is known to take; nothing is stored at the provider; the same beginning becomes the same
beginning, and the conversation stands last; the model's own reasoning comes back where it is kept, nobody else's ever.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

from rlmc.domain.chat import Text
from rlmc.domain.prompt import OutputFormat, Prompt, PromptMessage, Recall, ToolDefinition
from rlmc.domain.shape import Shape
from rlmc.wire.folded import choice_in_words, fold_system, format_in_words
from rlmc.wire.openai.fields import limit, number, short
from rlmc.wire.openai.names import with_legal_names
from rlmc.wire.recalled import complete
from rlmc.wire.responses.items_write import write_items
from rlmc.wire.schema_drops import without_keywords
from rlmc.wire.tidy import tidy

Json = dict[str, Any]

_CHOICES = {"auto": "auto", "any": "required", "none": "none"}


def write_prompt(prompt: Prompt, model: str, shape: Shape, recall: Recall, *, stream: bool, reason: bool) -> bytes:
    prompt = with_legal_names(prompt)
    tools = [_tool(tool, shape) for tool in prompt.tools]
    # What always reasons takes no forced call.
    forced = prompt.tool_choice in ("any", "tool")
    chosen = bool(tools) and shape.tool_choice and not (forced and shape.reasoning_back == "always")
    words = choice_in_words(prompt.tool_choice, prompt.forced_tool) if tools and not chosen else ""
    messages = tidy((*prompt.messages, PromptMessage("user", (Text(words),))))  # blank words are none
    if shape.system_role != "developer":  # elsewhere instructions may only stand at the beginning
        messages = fold_system(messages)
    on, given = _reasoning(messages, shape, recall, reason=reason and prompt.effort != "none")
    system = list(prompt.system)
    if prompt.output is not None and not shape.output_format:
        system.append(format_in_words(prompt.output))
    fields: Json = {
        "model": model,
        "stream": stream,
        "store": False,
        "include": ["reasoning.encrypted_content"] if shape.encrypted_reasoning else None,
        "max_output_tokens": limit(prompt.max_tokens, shape),
        "temperature": number(prompt.temperature),
        "top_p": number(prompt.top_p),
        "prompt_cache_key": short(prompt.cache_key) if shape.cache_key else None,
        "safety_identifier": short(prompt.user) if shape.metadata else None,
        "text": _output(prompt.output, shape) if prompt.output and shape.output_format else None,
        "instructions": "\n\n".join(system) or None,
        "tools": tools or None,
        "tool_choice": _choice(prompt, shape) if chosen else None,
        "parallel_tool_calls": False if tools and shape.parallel_tools and not prompt.parallel_tools else None,
    }
    body = {name: value for name, value in fields.items() if value is not None and name not in shape.drop_fields}
    body |= {name: value for name, value in shape.extra.items() if name not in body}
    body |= _effort(prompt.effort, shape, on=on)
    customs = {tool.name for tool in prompt.tools if tool.custom} if shape.custom_tools else set()
    return msgspec.json.encode(body | {"input": write_items(messages, shape, given, customs)})


def _reasoning(
    messages: tuple[PromptMessage, ...], shape: Shape, recall: Recall, *, reason: bool
) -> tuple[bool, Recall]:
    """Whether the model is to reason, and what of its own it is given back."""
    if shape.reasoning_back == "always":
        return reason, recall
    if shape.reasoning_back == "if_all":
        reason = reason and complete(messages, recall)
        return reason, recall if reason else {}
    # Reasoning that comes back sealed need not be given back, yet a model goes on better where it is.
    return reason, recall if reason and shape.encrypted_reasoning else {}


def _effort(effort: str | None, shape: Shape, *, on: bool) -> Json:
    if effort in shape.efforts and (on or effort == "none"):
        return {"reasoning": {"effort": effort}}
    return {} if on else dict(shape.reasoning_off)


def _output(output: OutputFormat, shape: Shape) -> Json:
    if output.schema.strip() == b"{}":
        return {"format": {"type": "json_object"}}
    schema = without_keywords(output.schema, shape.schema_drops)
    wanted = {"type": "json_schema", "name": output.name, "schema": schema, "strict": output.strict is True}
    return {"format": wanted}


def _tool(tool: ToolDefinition, shape: Shape) -> Json:
    said: Json = {"description": tool.description} if tool.description else {}
    if tool.custom and shape.custom_tools:
        return {"type": "custom", "name": tool.name, **said, **({"format": Raw(tool.format)} if tool.format else {})}
    schema = without_keywords(tool.schema, shape.schema_drops)
    # Unsaid, it would be strict, which few schemas stand.
    strict = shape.strict and tool.strict is True
    return {"type": "function", "name": tool.name, **said, "parameters": schema, "strict": strict}


def _choice(prompt: Prompt, shape: Shape) -> str | Json | None:
    if prompt.tool_choice != "tool":
        return _CHOICES.get(prompt.tool_choice or "")
    custom = shape.custom_tools and any(tool.custom and tool.name == prompt.forced_tool for tool in prompt.tools)
    return {"type": "custom" if custom else "function", "name": prompt.forced_tool}
