"""Names of tools, which Anthropic lets be longer than OpenAI's protocols do: what they are sent under, and back.

Rule: a name that is legal everywhere stays; another one always becomes the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from hashlib import sha256

from rlmc.domain.chat import ToolCall, ToolSpec
from rlmc.domain.prompt import Prompt

_LONGEST = 64
_ILLEGAL = re.compile(r"[^A-Za-z0-9_-]")


@lru_cache(maxsize=4096)  # asked of every tool of a request, on every answer
def legal_name(whole: str) -> str:
    legal = _ILLEGAL.sub("_", whole)
    return legal if legal == whole and 0 < len(whole) <= _LONGEST else digested(whole, legal)


def digested(whole: str, legal: str) -> str:
    return f"{legal[:48]}_{sha256(whole.encode('utf-8', 'replace')).hexdigest()[:12]}"


def with_legal_names(prompt: Prompt) -> Prompt:
    """The prompt with every tool, and every call of one, under a name that may be sent."""
    called = (part.name for message in prompt.messages for part in message.parts if isinstance(part, ToolCall))
    if all(legal_name(name) == name for name in {*called, *(tool.name for tool in prompt.tools)}):
        return prompt
    messages = tuple(
        replace(
            message,
            parts=tuple(
                replace(part, name=legal_name(part.name)) if isinstance(part, ToolCall) else part
                for part in message.parts
            ),
        )
        for message in prompt.messages
    )
    return replace(
        prompt,
        messages=messages,
        tools=tuple(replace(tool, name=legal_name(tool.name)) for tool in prompt.tools),
        forced_tool=legal_name(prompt.forced_tool) if prompt.forced_tool else "",
    )


def own_names(tools: Iterable[ToolSpec]) -> Mapping[str, str]:
    """What a client calls its tools, by the names they are sent under; of those alone that differ."""
    return {legal_name(tool.name): tool.name for tool in tools if legal_name(tool.name) != tool.name}
