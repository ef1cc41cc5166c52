"""The body of `POST /v1/responses`, typed loosely: what is looked at here, and the names of everything else.

Rule: a field unknown here must cost a second look, never an error.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

from rlmc.wire.arguments import custom_arguments
from rlmc.wire.parse import parse

WHAT = "The request body"

INSTRUCTIONS = frozenset({"system", "developer"})
CALLS = frozenset({"function_call", "custom_tool_call"})
OUTPUTS = frozenset({"function_call_output", "custom_tool_call_output"})
HOSTED_CALLS = frozenset(
    {
        *("web_search_call", "file_search_call", "code_interpreter_call", "image_generation_call", "computer_call"),
        *("mcp_call", "mcp_list_tools", "mcp_approval_request", "tool_search_call", "program"),
        *("local_shell_call", "shell_call", "apply_patch_call"),
    }
)
"""Items of history that tell of calls of a provider's own tools."""
HOSTED_OUTPUTS = frozenset(
    {
        *("computer_call_output", "mcp_approval_response", "tool_search_output", "program_output"),
        *("local_shell_call_output", "shell_call_output", "apply_patch_call_output"),
    }
)
"""Items of history that answer such calls."""
STORED = ("previous_response_id", "conversation", "prompt", "background")
"""Fields that name what only the provider holds, or are to be held there."""
NOT_A_TURN = (*STORED, "context_management")
"""Fields that ask for what no other model's answer has."""


class Part(msgspec.Struct, gc=False):
    """A piece of a message's content, or of a tool's output."""

    type: str = ""
    text: str | None = None
    refusal: str | None = None
    image_url: str | None = None
    file_data: str | None = None
    file_url: str | None = None
    file_id: str | None = None
    filename: str | None = None


class Item(msgspec.Struct, gc=False):
    """Any item of the input. Messages may leave their type out."""

    type: str = "message"
    role: str | None = None
    content: str | list[Part] | None = None
    call_id: str | None = None
    name: str | None = None
    namespace: str | None = None
    arguments: Any = None
    input: str | None = None
    output: str | list[Part] | dict[str, Raw] | None = None
    tools: Raw = Raw()
    summary: Raw = Raw()
    encrypted_content: str | None = None


class Tool(msgspec.Struct, gc=False):
    """A tool of any type; a namespace holds further ones."""

    type: str = "function"
    name: str = ""
    description: str | None = None
    parameters: Raw = Raw()
    format: Raw = Raw()
    strict: bool | None = None
    tools: list[Tool] | None = None


class Choice(msgspec.Struct, gc=False):
    type: str = ""
    name: str | None = None
    mode: str | None = None


class Format(msgspec.Struct, gc=False):
    type: str = "text"
    name: str = ""
    schema: Raw = Raw()
    strict: bool | None = None


class TextConfig(msgspec.Struct, gc=False):
    format: Format | None = None


class Reasoning(msgspec.Struct, gc=False):
    effort: str | None = None


class Body(msgspec.Struct, gc=False):
    model: str
    input: str | list[Item]
    instructions: str | None = None
    stream: bool | None = None
    max_output_tokens: int | None = None
    tools: list[Tool] | None = None
    tool_choice: str | Choice | None = None
    parallel_tool_calls: bool | None = None
    text: TextConfig | None = None
    reasoning: Reasoning | None = None
    temperature: Raw = Raw()
    top_p: Raw = Raw()
    prompt_cache_key: str | None = None
    safety_identifier: str | None = None
    user: str | None = None
    previous_response_id: Raw = Raw()
    conversation: Raw = Raw()
    prompt: Raw = Raw()
    background: Raw = Raw()
    context_management: Raw = Raw()
    store: Raw = Raw()


TOOLS = msgspec.json.Decoder(list[Tool])
ITEMS = msgspec.json.Decoder(list[Item])

_BODY = msgspec.json.Decoder(Body)
_NAMES = msgspec.json.Decoder(dict[str, Raw])
_NOTHING = frozenset({b"", b"null", b"false", b"[]", b"{}"})


def read_body(raw: bytes) -> Body:
    return parse(_BODY, raw, WHAT)


def names_of(raw: bytes) -> frozenset[str]:
    """The names of all the request's fields."""
    return frozenset(parse(_NAMES, raw, WHAT).keys())


def said(value: Raw) -> bool:
    return bytes(value) not in _NOTHING


def tools_of(item: Item) -> list[Tool]:
    """Those an item of the input declares."""
    return parse(TOOLS, item.tools, WHAT) if said(item.tools) else []


def arguments_of(item: Item) -> str:
    """Those of a call. They should be text, yet some clients give the object itself."""
    if item.type == "custom_tool_call":
        return custom_arguments(item.input or "")
    given = item.arguments
    return given if isinstance(given, str) else "" if given is None else msgspec.json.encode(given).decode()


def output_parts(item: Item) -> list[Part]:
    """What an output that is no bare text is made of."""
    return item.output if isinstance(item.output, list) else []
