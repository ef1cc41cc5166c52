"""A draft that goes round in circles: the call that just failed once more, or a tool's output as arguments."""

from __future__ import annotations

import re

import msgspec

from rlmc.cascade.gate.edit import COVERED
from rlmc.cascade.gate.history import exchanges
from rlmc.cascade.inner_calls import inner_calls
from rlmc.cascade.spoken import current_task
from rlmc.domain.chat import ChatRequest, Completion, ToolCall
from rlmc.domain.turn import Finding

# What clients and tools wrap around results; no argument has a use for it.
_MARKUP = re.compile(
    r"<\s*/?\s*(?:system-reminder|tool_use_error|tool_result|tool_output|function_results?|persisted-output"
    r"|local-command-std(?:out|err)|task-notification|bash-std(?:out|err))\b"
    r"|</\s*(?:antml:\w+|invoke|function_calls?|tool_calls?|tool_use)\s*>",
    re.IGNORECASE,
)


def check(request: ChatRequest, draft: Completion) -> tuple[Finding, ...]:
    calls = draft.tool_calls
    if not calls:
        return ()
    failed = [(call, _meaning(call)) for call in _failed_calls(request)]
    for call in calls:
        if _MARKUP.search(_plain(call.arguments)):
            return (Finding("repeat", f"{call.name}: a tool's output as arguments"),)
        if any(call.name == old.name and _meaning(call) == meaning for old, meaning in failed):
            return (Finding("repeat", f"{call.name}: the same call failed before"),)
    return ()


def _failed_calls(request: ChatRequest) -> list[ToolCall]:
    """Calls of the current task that came back as errors, with no file changed since: after a change it is no longer
    the same call, however it is spelt."""
    failed: list[ToolCall] = []
    for exchange in exchanges(current_task(request.messages)):
        if exchange.failed:
            failed.append(exchange.call)
        elif any(inner.name in COVERED for inner in inner_calls(exchange.call) or ()):
            failed.clear()
    return failed


def _meaning(call: ToolCall) -> str:
    """The arguments in one spelling. Clients fill in what a model left out: a false or a null says as much as nothing.
    What is no JSON is its own spelling."""
    try:
        value = msgspec.json.decode(call.arguments or "{}")
        if isinstance(value, dict):
            value = {name: inner for name, inner in value.items() if inner is not None and inner is not False}
        return msgspec.json.encode(value, order="deterministic").decode()
    except (ValueError, RecursionError):
        return call.arguments


def _plain(arguments: str) -> str:
    """The JSON text without escapes that would hide markup."""
    return re.sub(r"\\u003c", "<", arguments, flags=re.IGNORECASE).replace("\\/", "/")
