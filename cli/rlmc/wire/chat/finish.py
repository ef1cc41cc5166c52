"""Why an answer ended, in this protocol's words and in the domain's.

Rule: that tools are called is seen from the calls, since some servers say `stop` with them; an answer that was cut
short or refused stays one.
"""

from __future__ import annotations

_READ = {
    "stop": "end_turn",
    "length": "max_tokens",
    "content_filter": "refusal",
    "sensitive": "refusal",
    "model_context_window_exceeded": "model_context_window_exceeded",
}
_WRITTEN = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
}

FAILED = {
    "error": "api_error",
    "network_error": "api_error",
    "insufficient_system_resource": "overloaded_error",
}
"""What some servers give as a reason when they have failed, and the kind of failure it is."""


def stop_reason(finish: str | None, *, calls: bool, refused: bool = False) -> str:
    read = _READ.get(finish or "stop", "end_turn")
    if read != "end_turn":
        return read
    if calls:
        return "tool_use"
    return "refusal" if refused else "end_turn"


def finish_reason(stop: str | None, *, calls: bool) -> str:
    return _WRITTEN.get(stop or "", "tool_calls" if calls else "stop")
