"""Calls an agent makes beside its work, told by the words of their prompts where no header tells them.

Words are those of Claude Code, Codex, opencode, qwen-code and aider. Rule: words for a judgement may stand anywhere
near the beginning; any other kind is only told by how a prompt begins, word for word, so that in doubt a call is work.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from rlmc.domain.chat import ChatRequest, Message, Text

# What decides whether an action may be taken. One too many costs a draft; one too few could cost more.
_JUDGEMENTS = (
    *("security monitor for autonomous", "security classifier", "safety classifier"),
    *("judging one planned coding-agent action", "risk assessment of a coding-agent", "approvals reviewer"),
)
_JUDGED = (
    "The following is the Codex agent history whose request action you are assessing",
    ">>> APPROVAL REQUEST START",
)
_ASKED_TO_JUDGE = ("you are judging one planned", "you are performing a risk assessment")
# A prompt that says so at once is about nothing else.
_EARLY_JUDGEMENTS = ("guardian", "risk assessment", "permission classifier", "auto-approve")
_EARLY = 200

# A text about the session which nobody works with further.
_ASIDES = (
    "you are a title generator.",  # opencode
    "summarize what was done in this conversation.",  # opencode
    "you are an expert software engineer that generates concise, one-line git commit messages",  # aider
)
# A text that takes the place of the history: what it leaves out is lost.
_COMPACTIONS = (
    "you are an anchored context summarization assistant",  # opencode
    "you are a helpful ai assistant tasked with summarizing conversations",  # opencode, Claude Code
    "you are performing a context checkpoint compaction",  # Codex
    "you are the component that summarizes internal chat history",  # qwen-code
    "*briefly* summarize this partial conversation about programming",  # aider
)
_ASKED_TO_COMPACT = (
    "CRITICAL: Respond with TEXT ONLY. Do NOT call any tools.",  # Claude Code
    "You are performing a CONTEXT CHECKPOINT COMPACTION",  # Codex
    "First, reason in your scratchpad. Then, generate the <state_snapshot>",  # qwen-code
    "Provide a detailed prompt for continuing our conversation above",  # opencode
)


def is_judgement(request: ChatRequest) -> bool:
    """A safety check: whether an action may be taken."""
    if _head(request.system_head).judgement:
        return True
    said = _early(request.messages)
    return any(words in said for words in _JUDGED) or said.lstrip()[:_EARLY].lower().startswith(_ASKED_TO_JUDGE)


def is_aside(request: ChatRequest) -> bool:
    """A title, a summary for the user or a commit message."""
    return not request.tools and _head(request.system_head).aside


def is_compaction(request: ChatRequest, last: Message | None) -> bool:
    """`last` is the message that is to be answered."""
    if _head(request.system_head).compaction:
        return True
    asked = _texts(last) if last is not None and last.role == "user" else ""
    return any(words in asked for words in _ASKED_TO_COMPACT)


class _Head(NamedTuple):
    """What the beginning of a system text says its calls are."""

    judgement: bool
    aside: bool
    compaction: bool


@lru_cache(maxsize=32)  # all turns of a conversation have the same one
def _head(text: str) -> _Head:
    text = text.lower()
    begin = text.lstrip()
    judgement = any(words in text for words in _JUDGEMENTS) or any(
        words in text[:_EARLY] for words in _EARLY_JUDGEMENTS
    )
    return _Head(judgement, begin.startswith(_ASIDES), begin.startswith(_COMPACTIONS))


def _early(messages: Sequence[Message]) -> str:
    """What is said before the first answer."""
    said: list[str] = []
    for message in messages:
        if message.role == "assistant":
            break
        said.append(_texts(message))
    return "\n".join(said)


def _texts(message: Message) -> str:
    return "\n".join(part.text for part in message.parts if isinstance(part, Text))
