"""A tidied conversation in this protocol's messages.

Rules: every result is a message of its own, right after its call, and what a user says or shows comes behind them; text
is one string wherever nothing but text is said, which every server reads.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from rlmc.domain.chat import Text, ToolCall
from rlmc.domain.prompt import Attachment, PromptMessage, Recall, Result
from rlmc.domain.shape import Shape
from rlmc.wire.folded import unseen

Json = dict[str, Any]

_NO_OUTPUT = "(no output)"

_FIELDS = msgspec.json.Decoder(dict[str, Any])


def write_messages(messages: Iterable[PromptMessage], shape: Shape, recall: Recall | None) -> list[Json]:
    """`recall` is None where the model gets no reasoning back."""
    found: list[Json] = []
    for message in messages:
        if message.role == "assistant":
            found.append(_assistant(message, shape, recall))
        elif message.role == "system":
            found.append({"role": shape.system_role, "content": _content(message.parts, shape)})
        else:
            found.extend(_user(message, shape))
    return found


def _assistant(message: PromptMessage, shape: Shape, recall: Recall | None) -> Json:
    calls = [part for part in message.parts if isinstance(part, ToolCall)]
    said = [part for part in message.parts if not isinstance(part, ToolCall)]
    new: Json = _thought(calls[0], shape, recall) if calls and recall is not None else {}
    new |= {"role": "assistant", "content": _content(said, shape) if said else None}
    if calls:
        new["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments.strip() or "{}"},
            }
            for call in calls
        ]
    return new


def _thought(call: ToolCall, shape: Shape, recall: Recall) -> Json:
    """The fields that hold what the model thought before its calls."""
    fields: Json = {}
    for block in recall.get(call.id, ()):
        for name, value in _FIELDS.decode(block).items():
            before = fields.get(name)
            joined = type(value) is type(before) and isinstance(value, str | list)
            fields[name] = before + value if joined else value
    if not fields and shape.reasoning_back == "always":
        fields[shape.reasoning_field] = " "  # the field must be there, and nobody else's thoughts may be
    return fields


def _user(message: PromptMessage, shape: Shape) -> list[Json]:
    found: list[Json] = []
    shown: list[Text | Attachment] = []
    for part in message.parts:
        if isinstance(part, Result):
            files = [one for one in part.content if isinstance(one, Attachment) and _is_shown(one, shape)]
            text = "\n".join(_placed(one, shape) for one in part.content)
            text = f"ERROR: {text}" if part.is_error else text
            found.append(
                {"role": "tool", "tool_call_id": part.call_id, "content": text if text.strip() else _NO_OUTPUT}
            )
            if files:
                shown += [Text(f"Of the result of {part.call_id}:"), *files]
    shown += [part for part in message.parts if isinstance(part, Text | Attachment)]
    if shown:
        found.append({"role": "user", "content": _content(shown, shape)})
    return found


def _placed(part: Text | Attachment, shape: Shape) -> str:
    """Inside a result, which most servers read as text alone."""
    if isinstance(part, Attachment) and _is_shown(part, shape):
        return f"[{part.kind}: see the message below]"
    return _text(part)


def _content(parts: Iterable[Any], shape: Shape) -> str | list[Json]:
    parts = list(parts)
    if not any(isinstance(part, Attachment) and _is_shown(part, shape) for part in parts):
        return "\n\n".join(map(_text, parts))
    return [_file(part) if _is_shown(part, shape) else {"type": "text", "text": _text(part)} for part in parts]


def _text(part: Text | Attachment) -> str:
    if isinstance(part, Text):
        return part.text
    if part.text:
        return f"{part.name}:\n{part.text}" if part.name else part.text
    return f"[{part.kind}: {part.url}]" if part.url and part.kind == "document" else unseen(part)


def _is_shown(part: Text | Attachment, shape: Shape) -> bool:
    """Whether the model gets to see it; a document only as its bytes."""
    if not isinstance(part, Attachment) or not shape.media:
        return False
    return bool(part.data or (part.url and part.kind == "image"))


def _file(part: Attachment) -> Json:
    url = f"data:{part.media_type};base64,{part.data}" if part.data else part.url
    if part.kind == "image":
        return {"type": "image_url", "image_url": {"url": url}}
    return {"type": "file", "file": {"file_data": url, "filename": part.name or "document.pdf"}}
