"""A `Prompt` as a request body of this protocol.

Rules: only fields the endpoint is known to take; the same beginning becomes the same beginning, and the conversation
stands last; the model's own reasoning comes back where it wants it, nobody else's ever.
"""

from __future__ import annotations

from typing import Any

import msgspec

from rlmc.domain.chat import Text
from rlmc.domain.prompt import OutputFormat, Prompt, PromptMessage, Recall, ToolDefinition
from rlmc.domain.shape import Shape
from rlmc.wire.chat.choice import write_choice
from rlmc.wire.chat.messages_write import write_messages
from rlmc.wire.folded import choice_in_words, fold_system, format_in_words
from rlmc.wire.openai.fields import limit, number, short
from rlmc.wire.openai.names import with_legal_names
from rlmc.wire.recalled import complete
from rlmc.wire.schema_drops import without_keywords
from rlmc.wire.tidy import tidy

Json = dict[str, Any]

_MOST_STOPS = 4


def write_prompt(prompt: Prompt, model: str, shape: Shape, recall: Recall, *, stream: bool, reason: bool) -> bytes:
    prompt = with_legal_names(prompt)
    tools = [_tool(tool, shape) for tool in prompt.tools]
    forced = bool(tools) and prompt.tool_choice in ("any", "tool")
    # What always reasons takes no forced call.
    chosen = bool(tools) and shape.tool_choice and not (forced and shape.reasoning_back == "always")
    words = choice_in_words(prompt.tool_choice, prompt.forced_tool) if tools and not chosen else ""
    messages = tidy((*prompt.messages, PromptMessage("user", (Text(words),))))  # blank words are none
    if shape.system_role != "developer":  # elsewhere instructions may only stand at the beginning
        messages = fold_system(messages)
    wanted = reason and prompt.effort != "none" and not (forced and chosen and _switches_off(shape))
    on, given = _reasoning(messages, shape, recall, reason=wanted)
    fields: Json = {
        "model": model,
        "stream": stream,
        "stream_options": {"include_usage": True} if stream and shape.stream_usage else None,
        shape.output_limit: limit(prompt.max_tokens, shape),
        "temperature": number(prompt.temperature),
        "top_p": number(prompt.top_p),
        "stop": list(prompt.stop[:_MOST_STOPS]) or None,
        "prompt_cache_key": short(prompt.cache_key) if shape.cache_key else None,
        "safety_identifier": short(prompt.user) if shape.metadata else None,
        "response_format": _output(prompt.output, shape) if prompt.output and shape.output_format else None,
        "tools": tools or None,
        "tool_choice": write_choice(prompt.tool_choice, prompt.forced_tool) if chosen else None,
        "parallel_tool_calls": False if tools and shape.parallel_tools and not prompt.parallel_tools else None,
    }
    body = {name: value for name, value in fields.items() if value is not None and name not in shape.drop_fields}
    body |= {name: value for name, value in shape.extra.items() if name not in body}
    body |= _effort(prompt.effort, shape, on=on)
    system = list(prompt.system)
    if prompt.output is not None and not shape.output_format:
        system.append(format_in_words(prompt.output))
    head = [{"role": shape.system_role, "content": "\n\n".join(system)}] if system else []
    return msgspec.json.encode(body | {"messages": head + write_messages(messages, shape, given)})


def _reasoning(
    messages: tuple[PromptMessage, ...], shape: Shape, recall: Recall, *, reason: bool
) -> tuple[bool, Recall | None]:
    """Whether the model is to reason, and what of its own it is given back; None where it wants nothing."""
    if shape.reasoning_back == "always":
        return reason, recall
    if shape.reasoning_back == "if_all" and reason:
        return (True, recall) if complete(messages, recall) else (False, None)
    return reason, None


def _switches_off(shape: Shape) -> bool:
    """Whether reasoning goes off for good: such models take no forced call while it is on. Where it is only turned down
    they do."""
    return bool(shape.reasoning_off) and "reasoning_effort" not in shape.reasoning_off


def _effort(effort: str | None, shape: Shape, *, on: bool) -> Json:
    if effort in shape.efforts and (on or effort == "none"):
        return {"reasoning_effort": effort}
    return {} if on else dict(shape.reasoning_off)


def _output(output: OutputFormat, shape: Shape) -> Json:
    if output.schema.strip() == b"{}":
        return {"type": "json_object"}
    schema = without_keywords(output.schema, shape.schema_drops)
    return {
        "type": "json_schema",
        "json_schema": {"name": output.name, "schema": schema, "strict": output.strict is True},
    }


def _tool(tool: ToolDefinition, shape: Shape) -> Json:
    function: Json = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    function["parameters"] = without_keywords(tool.schema, shape.schema_drops)
    if shape.strict and tool.strict is not None:
        function["strict"] = tool.strict
    return {"type": "function", "function": function}
