"""Drafted tool calls by name and number: only tools of this request, no more calls than asked for, none twice."""

from __future__ import annotations

from collections import Counter

from rlmc.domain.chat import ChatRequest, Completion, ToolResult
from rlmc.domain.turn import Finding

MAX_CALLS = 8


def check(request: ChatRequest, draft: Completion) -> tuple[Finding, ...]:
    calls = draft.tool_calls
    if not calls:
        return ()
    if request.tool_choice == "none":
        return (Finding("calls", "a call where the request allows none"),)
    limit = MAX_CALLS if request.parallel_tools else 1
    if len(calls) > limit:
        return (Finding("calls", f"{len(calls)} calls, at most {limit}"),)
    usable = {t.name for t in request.tools if not t.server and not t.deferred} | _found(request)
    unknown = next((c.name for c in calls if c.name not in usable), None)
    if unknown is not None:
        return (Finding("calls", f"no tool named {unknown[:80]!r}"),)
    declared = Counter(t.name for t in request.tools)
    if any(declared[c.name] > 1 for c in calls):
        return (Finding("calls", "a tool that is declared twice"),)
    if len({(c.name, c.arguments) for c in calls}) < len(calls):
        return (Finding("calls", "the same call twice"),)
    return ()


def _found(request: ChatRequest) -> set[str]:
    """Deferred tools that a tool search has brought into the conversation."""
    found = {name for m in request.messages for p in m.parts if isinstance(p, ToolResult) for name in p.references}
    return {t.name for t in request.tools if t.deferred and t.name in found}
