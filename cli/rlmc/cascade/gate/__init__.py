"""The gate: checks on a finished draft that need no model. A finding means the draft is not released.

Whether a call may be released for what it could do is the policy's business; see cascade/effects and the engine.
"""

from __future__ import annotations

from rlmc.cascade.gate import arguments, calls, edit, ending, markup, output_format, repeat, schema
from rlmc.cascade.gate.check import Check
from rlmc.domain.chat import ChatRequest, Completion
from rlmc.domain.turn import Finding

# In order of price: edits need the conversation read again, and the schema check compiles a validator.
CHECKS: tuple[Check, ...] = (
    ending.check,
    markup.check,
    calls.check,
    arguments.check,
    repeat.check,
    edit.check,
    output_format.check,
    schema.check,
)


def inspect(request: ChatRequest, draft: Completion) -> tuple[Finding, ...]:
    """The findings of the first check that has any; empty when the draft may be released."""
    for check in CHECKS:
        findings = check(request, draft)
        if findings:
            return findings
    return ()
