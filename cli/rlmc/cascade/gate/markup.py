"""Tool calls that leaked into the text as markup: the agent would see words where a call was meant, and stall."""

from __future__ import annotations

import re

from rlmc.domain.chat import ChatRequest, Completion
from rlmc.domain.turn import Finding

# Opening marks of tool-call templates in use: DeepSeek, Qwen/Hermes, GLM, Kimi, MiniMax, Mistral, Llama, Gemma,
# gpt-oss, Claude-like, and a patch that no tool was given.
_MARKS = re.compile(
    r"<\s*/?\s*(?:[|\uff5c]\s*)?(?:DSML|tool[_\u2581 ]?calls?|function_calls?|function=|invoke\b|antml:"
    r"|minimax:tool_call|arg_key|arg_value|parameter[ =])"
    r"|<[|\uff5c][^<>\n]{0,40}(?:tool|function|python)[^<>\n]{0,40}[|\uff5c]>"
    r"|\[/?TOOL_(?:CALLS?|REQUEST)\]"
    r"|<tool_code>|^[ \t]*(?:```|~~~)[ \t]*tool_(?:code|calls?)\b"
    r"|<\|(?:channel|constrain)\|>"
    r"|^\*\*\* Begin Patch$",
    re.IGNORECASE | re.MULTILINE,
)


def check(request: ChatRequest, draft: Completion) -> tuple[Finding, ...]:
    if not request.tools:
        return ()
    found = _MARKS.search(draft.text)
    return (Finding("markup", f"tool markup in the text: {found.group()!r}"),) if found else ()
