"""A tidied conversation as items of this protocol's input."""

from __future__ import annotations

from collections.abc import Iterable, Set
from typing import Any

from msgspec import Raw

from rlmc.domain.chat import Text, ToolCall
from rlmc.domain.prompt import Attachment, PromptMessage, Recall, Result
from rlmc.domain.shape import Shape
from rlmc.wire.arguments import custom_text
from rlmc.wire.folded import unseen

Json = dict[str, Any]


def write_items(messages: Iterable[PromptMessage], shape: Shape, recall: Recall, customs: Set[str]) -> list[Any]:
    """`customs` are the tools that are called with one text."""
    found: list[Any] = []
    taking_text: set[str] = set()
    for message in messages:
        if message.role == "assistant":
            found.extend(_assistant(message, recall, customs))
            taking_text = {p.id for p in message.parts if isinstance(p, ToolCall) and p.name in customs}
        elif message.role == "system":
            found.append(_message("developer", message.parts, shape))
        else:
            results = [part for part in message.parts if isinstance(part, Result)]
            found.extend(_result(part, shape, custom=part.call_id in taking_text) for part in results)
            rest = [part for part in message.parts if not isinstance(part, Result)]
            if rest:
                found.append(_message("user", rest, shape))
    return found


def _assistant(message: PromptMessage, recall: Recall, customs: Set[str]) -> Iterable[Any]:
    given = False
    for part in message.parts:
        if isinstance(part, Text):
            content = [{"type": "output_text", "text": part.text, "annotations": []}]
            yield {"type": "message", "role": "assistant", "content": content}
        elif isinstance(part, ToolCall):
            if not given:
                yield from map(Raw, recall.get(part.id, ()))
                given = True
            if part.name in customs:
                text = custom_text(part.arguments)
                yield {"type": "custom_tool_call", "call_id": part.id, "name": part.name, "input": text}
            else:
                arguments = part.arguments.strip() or "{}"
                yield {"type": "function_call", "call_id": part.id, "name": part.name, "arguments": arguments}


def _message(role: str, parts: Iterable[Any], shape: Shape) -> Json:
    return {"type": "message", "role": role, "content": [_content(part, shape) for part in parts]}


def _result(result: Result, shape: Shape, *, custom: bool) -> Json:
    kind = "custom_tool_call_output" if custom else "function_call_output"
    content = [_content(part, shape) for part in result.content]
    output: str | list[Json] = content
    if all(part["type"] == "input_text" for part in content):
        text = "\n".join(part["text"] for part in content)
        output = f"ERROR: {text}" if result.is_error else text
    elif result.is_error:
        output = [{"type": "input_text", "text": "ERROR:"}, *content]
    return {"type": kind, "call_id": result.call_id, "output": output}


def _content(part: Text | Attachment, shape: Shape) -> Json:
    if isinstance(part, Text):
        return {"type": "input_text", "text": part.text}
    if part.text:
        return {"type": "input_text", "text": f"{part.name}:\n{part.text}" if part.name else part.text}
    if not shape.media or not (part.data or part.url):
        return {"type": "input_text", "text": unseen(part)}
    url = f"data:{part.media_type};base64,{part.data}" if part.data else part.url
    if part.kind == "image":
        return {"type": "input_image", "image_url": url, "detail": "auto"}
    if part.data:
        return {"type": "input_file", "file_data": url, "filename": part.name or "document.pdf"}
    return {"type": "input_file", "file_url": url}
