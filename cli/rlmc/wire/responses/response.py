"""A finished answer: JSON to `Completion` and back.

Rules: a whole answer is read by the code that reads streamed ones, so that both amount to the same; one written here
holds no reasoning and no blank text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from rlmc.domain.chat import Completion, Part, Text, ToolCall, ToolSpec, Usage
from rlmc.errors import WireError
from rlmc.wire.arguments import custom_text
from rlmc.wire.assemble import Assembler
from rlmc.wire.openai.common import CREATED
from rlmc.wire.openai.errors import failure_in
from rlmc.wire.parse import parse
from rlmc.wire.responses.answer_shape import ANSWER
from rlmc.wire.responses.events import ItemReader
from rlmc.wire.responses.usage import write_usage

Json = dict[str, Any]

_WHAT = "The answer"
_ENDED = frozenset({None, "completed", "incomplete"})
_INCOMPLETE = {
    "max_tokens": "max_output_tokens",
    "model_context_window_exceeded": "max_output_tokens",
    "refusal": "content_filter",
}


def decode_completion(raw: bytes) -> Completion:
    answer = parse(ANSWER, raw, _WHAT)
    error = bytes(answer.error)
    if error not in (b"", b"null"):
        failure = failure_in(error)
        raise WireError(f"{_WHAT} is an error: {failure.kind}: {failure.message}")
    if answer.output is None or answer.status not in _ENDED:
        raise WireError(f"{_WHAT} is no response that has ended")
    assembler = Assembler()
    for delta in ItemReader().whole(answer):
        assembler.feed(delta)
    completion = assembler.result()
    if completion is None:
        raise WireError(f"{_WHAT} is no response")
    return completion


def encode_completion(completion: Completion, usage: Usage, tools: Sequence[ToolSpec]) -> bytes:
    ids, known = Ids(completion.id), {tool.name: tool for tool in tools}
    output: list[Json] = []
    for part in visible(completion.parts):
        tool = known.get(part.name) if isinstance(part, ToolCall) else None
        output.append(finished(part, ids.item(part, tool, len(output)), tool))
    return msgspec.json.encode(response(ids.response, completion.model, output, completion.stop_reason, usage))


class Ids:
    """What a response and its items are called, made from a message's id."""

    def __init__(self, message_id: str) -> None:
        self._base = message_id.removeprefix("msg_") or "0"
        self.response = f"resp_{self._base}"

    def item(self, part: Text | ToolCall, tool: ToolSpec | None, number: int) -> str:
        kind = "msg" if isinstance(part, Text) else "ctc" if tool is not None and tool.custom else "fc"
        return f"{kind}_{self._base}_{number}"


def visible(parts: Sequence[Part]) -> list[Text | ToolCall]:
    """The parts a client may be sent."""
    return [part for part in parts if isinstance(part, ToolCall) or (isinstance(part, Text) and part.text.strip())]


def output_text(text: str) -> Json:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def message_item(id_: str, text: str, status: str) -> Json:
    content = [output_text(text)] if text else []
    return {"type": "message", "id": id_, "status": status, "role": "assistant", "content": content}


def call_item(id_: str, call: ToolCall, tool: ToolSpec | None, status: str) -> Json:
    """The call as an item of the kind, and under the name, the client has declared."""
    name = tool.own_name if tool is not None and tool.own_name else call.name
    space = {"namespace": tool.namespace} if tool is not None and tool.namespace else {}
    head: Json = {"id": id_, "status": status, "call_id": call.id, "name": name, **space}
    if tool is not None and tool.custom:
        return {"type": "custom_tool_call", **head, "input": custom_text(call.arguments) if call.arguments else ""}
    return {"type": "function_call", **head, "arguments": call.arguments}


def finished(part: Text | ToolCall, id_: str, tool: ToolSpec | None) -> Json:
    if isinstance(part, Text):
        return message_item(id_, part.text, "completed")
    whole = ToolCall(part.id, part.name, part.arguments.strip() or "{}")
    return call_item(id_, whole, tool, "completed")


def response(id_: str, model: str, output: list[Json], stop: str | None, usage: Usage | None) -> Json:
    """`usage` is None for one that has only begun."""
    incomplete = _INCOMPLETE.get(stop or "")
    status = "in_progress" if usage is None else "incomplete" if incomplete else "completed"
    return {
        "id": id_,
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "error": None,
        "incomplete_details": {"reason": incomplete} if incomplete else None,
        "instructions": None,
        "metadata": {},
        "model": model,
        "output": output,
        "parallel_tool_calls": True,
        "temperature": None,
        "tool_choice": "auto",
        "tools": [],
        "top_p": None,
        "usage": None if usage is None else write_usage(usage),
    }
