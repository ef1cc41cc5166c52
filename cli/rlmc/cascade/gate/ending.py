"""A draft must have ended well and say something: cut, refused and empty answers make clients ask again."""

from __future__ import annotations

from rlmc.domain.chat import ChatRequest, Completion, Opaque, Text, ToolCall
from rlmc.domain.turn import Finding


def check(_request: ChatRequest, draft: Completion) -> tuple[Finding, ...]:
    expected = "tool_use" if draft.tool_calls else "end_turn"
    if draft.stop_reason != expected:
        return (Finding("ending", f"stop reason {draft.stop_reason!r}, expected {expected!r}"),)
    if not any(isinstance(p, ToolCall) or (isinstance(p, Text) and p.text.strip()) for p in draft.parts):
        return (Finding("ending", "empty answer"),)
    strange = next((p.type for p in draft.parts if isinstance(p, Opaque)), None)
    if strange is not None:
        return (Finding("ending", f"block of type {strange!r}, which clients would echo back"),)
    return ()
