"""What a model is given back of its own reasoning: all that it wants, or none."""

from __future__ import annotations

from collections.abc import Iterable

from rlmc.domain.chat import ToolCall
from rlmc.domain.prompt import PromptMessage, Recall


def complete(messages: Iterable[PromptMessage], recall: Recall) -> bool:
    """Whether every message with calls has what was thought before them; then reasoning may stay on."""
    for message in messages:
        first = next((part for part in message.parts if isinstance(part, ToolCall)), None)
        if first is not None and first.id not in recall:
            return False
    return True
