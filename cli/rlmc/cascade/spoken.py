"""The user's own words among what a client says in the user's name."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rlmc.domain.chat import Message, Text, ToolResult

# Texts a client puts into the user's mouth.
_NOT_THE_USER = (
    *("<system-reminder>", "[SYSTEM NOTIFICATION", "<task-notification>", "<local-command"),
    # Codex
    *("<environment_context>", "<user_instructions>", "# AGENTS.md instructions", "<permissions instructions>"),
    *("<collaboration_mode>", "<turn_aborted>", "<subagent_notification>", "<skill>", "<skills_instructions>"),
    *("<user_shell_command>", "<recommended_plugins>", "<goal_context", "<codex_internal_context", "<hook_prompt"),
    "Another language model started to solve this problem and produced a summary",
    # opencode
    *("Called the Read tool with the following input:", "The following tool was executed by the user"),
    "Summarize the task tool output above and continue with your task.",
    # qwen-code
    "This is the Qwen Code. We are setting up the context for our chat.",
)
_MARK = re.compile(r"\s*<([a-z][a-z_-]*)>")


def user_words(message: Message) -> str:
    """What the user says in a message; empty for anything but words of the user's own."""
    if message.role != "user":
        return ""
    texts = (_behind(p.text) for p in message.parts if isinstance(p, Text))
    return "\n".join(t for t in texts if t.strip())


def _behind(text: str) -> str:
    """What stands behind a client's own words in one text. They end where their mark is closed for the last time: what
    is told in them may hold such a mark itself, and is nobody's word."""
    if not text.lstrip().startswith(_NOT_THE_USER):
        return text
    mark = _MARK.match(text)
    end = text.rfind(f"</{mark[1]}>") if mark else -1
    return "" if mark is None or end < 0 else _behind(text[end + len(mark[1]) + 3 :].lstrip())


def current_task(messages: Sequence[Message]) -> Sequence[Message]:
    """The messages since the user last spoke. Words that come along with tool results are mostly the client's."""
    for n in range(len(messages) - 1, -1, -1):
        if user_words(messages[n]) and not any(isinstance(p, ToolResult) for p in messages[n].parts):
            return messages[n:]
    return messages
