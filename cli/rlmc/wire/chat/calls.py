"""The calls of a conversation, whichever of its spellings they have.

Rule: a call of the older single kind has no id, so it gets one by its place, and the next result is taken for its.
"""

from __future__ import annotations

import msgspec
from msgspec import Raw

from rlmc.domain.chat import ToolCall
from rlmc.wire.arguments import custom_arguments
from rlmc.wire.chat.request_shape import Call, Function, WireMessage
from rlmc.wire.parse import text_of


class CallReader:
    """Fed the messages in their order. `legacy` counts the calls of the single kind."""

    def __init__(self, legacy: int = 0) -> None:
        self.legacy = legacy

    def calls(self, message: WireMessage) -> list[ToolCall]:
        found = [_call(call) for call in message.tool_calls or ()]
        if message.function_call is not None and not found:
            self.legacy += 1
            function = message.function_call
            found.append(ToolCall(self._id(), function.name or "", arguments_of(function.arguments)))
        return found

    def answered(self, message: WireMessage) -> str:
        """The id of the call a result is for."""
        return (message.tool_call_id or "") if message.role == "tool" else self._id()

    def _id(self) -> str:
        return f"function_{self.legacy}"


def arguments_of(arguments: str | dict[str, Raw] | None) -> str:
    if isinstance(arguments, dict):
        return text_of(msgspec.json.encode(arguments), "The arguments of a call")
    return arguments or ""


def _call(call: Call) -> ToolCall:
    if call.custom is not None:
        return ToolCall(call.id or "", call.custom.name or "", custom_arguments(call.custom.input or ""))
    function = call.function or Function()
    return ToolCall(call.id or "", function.name or "", arguments_of(function.arguments))
