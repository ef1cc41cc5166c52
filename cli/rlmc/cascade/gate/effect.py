"""Only calls that read or plan may come from a draft; edits and shell are the verify model's."""

from __future__ import annotations

from rlmc.cascade.effects import RELEASED, effect_of
from rlmc.domain.chat import ChatRequest, Completion
from rlmc.domain.turn import Finding


def check(_request: ChatRequest, draft: Completion) -> tuple[Finding, ...]:
    return tuple(
        Finding("effect", f"{call.name} may {effect_of(call.name)}")
        for call in draft.tool_calls
        if effect_of(call.name) not in RELEASED
    )
