"""Reading Anthropic answers in tests, written apart from the product's own codec."""

from __future__ import annotations

import json
from typing import Any


def events(raw: bytes) -> list[tuple[str, dict[str, Any]]]:
    """The events of a stream, as (name, data)."""
    found = []
    for chunk in raw.decode().replace("\r\n", "\n").split("\n\n"):
        lines = [line for line in chunk.split("\n") if line and not line.startswith(":")]
        fields = dict(line.split(": ", 1) for line in lines)
        if "data" in fields:
            found.append((fields.get("event", ""), json.loads(fields["data"])))
    return found


def assemble(raw: bytes) -> dict[str, Any]:
    """The message a streamed answer amounts to. `complete` tells whether it ended properly."""
    message: dict[str, Any] = {}
    arguments: dict[int, str] = {}
    complete = False
    for name, data in events(raw):
        assert name == data["type"]
        match name:
            case "message_start":
                message = data["message"]
            case "content_block_start":
                assert data["index"] == len(message["content"])
                message["content"].append(dict(data["content_block"]))
            case "content_block_delta":
                block, delta = message["content"][data["index"]], data["delta"]
                match delta["type"]:
                    case "text_delta":
                        block["text"] += delta["text"]
                    case "thinking_delta":
                        block["thinking"] += delta["thinking"]
                    case "signature_delta":
                        block["signature"] = delta["signature"]
                    case "input_json_delta":
                        arguments[data["index"]] = arguments.get(data["index"], "") + delta["partial_json"]
            case "message_delta":
                message |= data["delta"]
                message["usage"] = message.get("usage", {}) | data.get("usage", {})
            case "message_stop":
                complete = True
    for index, text in arguments.items():
        message["content"][index]["input"] = json.loads(text or "{}")
    return message | {"complete": complete}


def texts(message: dict[str, Any]) -> str:
    return "".join(b["text"] for b in message["content"] if b["type"] == "text")


def calls(message: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(b["name"], b["input"]) for b in message["content"] if b["type"] == "tool_use"]
