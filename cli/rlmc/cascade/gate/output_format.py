"""Where the request asks for JSON of a schema, a draft must be just that."""

from __future__ import annotations

from rlmc.cascade.gate.schema import problem_with
from rlmc.domain.chat import ChatRequest, Completion
from rlmc.domain.turn import Finding


def check(request: ChatRequest, draft: Completion) -> tuple[Finding, ...]:
    if request.output_schema is None or draft.tool_calls:
        return ()
    problem = problem_with(draft.text.strip() or "null", request.output_schema)
    return (Finding("output-format", problem),) if problem else ()
