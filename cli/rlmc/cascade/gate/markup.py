"""Markup in the text: tool calls that leaked into it, over which the agent would stall, and marks by which models and
clients tell who speaks, which in a later turn could pass for somebody else's words."""

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
    r"|<\|(?:channel|constrain|start|message|call|return|im_start|im_end|im_sep|eot_id|eom_id|start_header_id"
    r"|end_header_id|system|user|assistant|endoftext)\|>"
    r"|\[/?(?:INST|TOOL_RESULTS|AVAILABLE_TOOLS|SYSTEM_PROMPT)\]|<start_of_turn>"
    r"|<\s*/?\s*(?:system-reminder|tool_(?:result|response|output|use_error)|function_results?|task-notification"
    r"|local-command-std(?:out|err)|environment_context|user_instructions|permissions instructions)\b"
    r"|^\*\*\* Begin Patch$",
    re.IGNORECASE | re.MULTILINE,
)


def check(request: ChatRequest, draft: Completion) -> tuple[Finding, ...]:
    if not request.tools:
        return ()
    found = _MARKS.search(draft.text)
    return (Finding("markup", f"tool markup in the text: {found.group()!r}"),) if found else ()
