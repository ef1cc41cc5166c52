"""Providers that refuse what the real ones refuse, in their words: whose reasoning may come back, and whose must.

Each server signs what it thinks and knows it again. A body it would not take is answered with 400, and so shows in
`refusals`; reasoning of somebody else's that it could have overlooked is in `foreign`.
"""

from __future__ import annotations

import hashlib
import json
import re
from abc import abstractmethod
from collections.abc import Iterator
from typing import Any

from aiohttp import web
from tests.support.loopback import LoopbackServer

Json = dict[str, Any]

_LEGAL = re.compile(r"[a-zA-Z0-9_-]{1,64}")


class Refused(Exception):
    """What the provider says to a body it does not take."""


class StrictServer(LoopbackServer):
    """`answers` are what the model says, one after another: (text, tool, arguments); after the last it says "done"."""

    def __init__(self, answers: list[tuple[str, str, Json]]) -> None:
        super().__init__()
        self.answers = answers
        self.bodies: list[Json] = []
        self.refusals: list[str] = []
        self.foreign: list[str] = []
        self.thoughts: list[str] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        number = len(self.bodies)
        self.bodies.append(body)
        try:
            self.check(body)
        except Refused as refused:
            self.refusals.append(str(refused))
            return web.json_response(self.error(str(refused)), status=400)
        answer = self.answers[number] if number < len(self.answers) else ("done", "", {})
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        for piece in self.stream(body, number, answer):
            await response.write(piece)
        await response.write_eof()
        return response

    @abstractmethod
    def check(self, body: Json) -> None: ...

    @abstractmethod
    def error(self, message: str) -> Json: ...

    @abstractmethod
    def stream(self, body: Json, number: int, answer: tuple[str, str, Json]) -> Iterator[bytes]: ...

    @property
    def written(self) -> set[str]:
        return set(self.thoughts)

    def think(self, number: int) -> str:
        """A thought nobody else has."""
        thought = f"{type(self).__name__} thinks of step {number}: " + hashlib.sha256(f"{number}".encode()).hexdigest()
        self.thoughts.append(thought)
        return thought


class StrictClaude(StrictServer):
    """Messages, with adaptive thinking. Says what the real API says to foreign thinking, to calls without results, to
    unknown fields and to blank text."""

    FIELDS = frozenset(
        {
            *("model", "max_tokens", "messages", "system", "tools", "tool_choice", "stream", "thinking", "metadata"),
            *("output_config", "cache_control", "context_management", "temperature", "stop_sequences"),
        }
    )
    BLOCKS = frozenset(
        {
            *("type", "text", "id", "name", "input", "tool_use_id", "content", "is_error", "source", "cache_control"),
            *("thinking", "signature", "data"),
        }
    )

    def check(self, body: Json) -> None:
        for field in body:
            if field not in self.FIELDS:
                raise Refused(f"{field}: Extra inputs are not permitted")
        waiting: list[str] = []
        for m, message in enumerate(body["messages"]):
            for field in message.keys() - {"role", "content"}:
                raise Refused(f"messages.{m}.{field}: Extra inputs are not permitted")
            content = message["content"]
            blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
            results = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
            if sorted(results) != sorted(waiting):
                missing = ", ".join(waiting)
                raise Refused(
                    f"messages.{m - 1}: `tool_use` ids were found without `tool_result` blocks immediately after: "
                    f"{missing}. Each `tool_use` block must have a corresponding `tool_result` block."
                )
            waiting = []
            for n, block in enumerate(blocks):
                self._block(f"messages.{m}.content.{n}", block)
                if block["type"] == "tool_use":
                    waiting.append(block["id"])

    def _block(self, place: str, block: Json) -> None:
        for field in block.keys() - self.BLOCKS:
            raise Refused(f"{place}.{field}: Extra inputs are not permitted")
        if block["type"] == "thinking" and not self._own(block):
            self.foreign.append(block["thinking"])
            raise Refused(f"{place}: Invalid `signature` in `thinking` block")
        if block["type"] == "text" and not block["text"].strip():
            raise Refused(f"{place}: text content blocks must be non-empty")
        if block["type"] == "tool_use" and not _LEGAL.fullmatch(block["id"]):
            raise Refused(f"{place}.id: String should match pattern '^[a-zA-Z0-9_-]+$'")

    def _own(self, block: Json) -> bool:
        return block["thinking"] in self.written and bool(block["signature"] == _signed(block["thinking"]))

    def error(self, message: str) -> Json:
        return {"type": "error", "error": {"type": "invalid_request_error", "message": message}}

    def stream(self, body: Json, number: int, answer: tuple[str, str, Json]) -> Iterator[bytes]:
        text, tool, arguments = answer
        usage = {"input_tokens": 1000, "output_tokens": 1}
        yield _event("message_start", message={"id": f"msg_{number}", "type": "message", "role": "assistant",
                     "model": body["model"], "content": [], "stop_reason": None, "usage": usage})  # fmt: skip
        thought = self.think(number)
        blocks: list[tuple[Json, list[Json]]] = [
            (
                {"type": "thinking", "thinking": "", "signature": ""},
                [
                    {"type": "thinking_delta", "thinking": thought},
                    {"type": "signature_delta", "signature": _signed(thought)},
                ],
            )
        ]
        if text:
            blocks.append(({"type": "text", "text": ""}, [{"type": "text_delta", "text": text}]))
        if tool:
            call = {"type": "tool_use", "id": f"toolu_claude_{number}", "name": tool, "input": {}}
            blocks.append((call, [{"type": "input_json_delta", "partial_json": json.dumps(arguments)}]))
        for index, (opening, deltas) in enumerate(blocks):
            yield _event("content_block_start", index=index, content_block=opening)
            for delta in deltas:
                yield _event("content_block_delta", index=index, delta=delta)
            yield _event("content_block_stop", index=index)
        stop = "tool_use" if tool else "end_turn"
        yield _event("message_delta", delta={"stop_reason": stop}, usage={"output_tokens": 40})
        yield _event("message_stop")


class StrictDeepSeek(StrictServer):
    """Chat Completions with thinking, on unless switched off: then every call in the history must have its own back."""

    MISSING = "The `reasoning_content` in the thinking mode must be passed back to the API."

    def thinks(self, body: Json) -> bool:
        return bool((body.get("thinking") or {}).get("type") != "disabled")

    def check(self, body: Json) -> None:
        if not self.thinks(body) and "reasoning_effort" in body:
            raise Refused("thinking options type cannot be disabled when reasoning_effort is set")
        waiting: list[str] = []
        for message in body["messages"]:
            if message["role"] == "tool":
                if message["tool_call_id"] not in waiting:
                    raise Refused(
                        "Messages with role 'tool' must be a response to a preceding message with 'tool_calls'"
                    )
                waiting.remove(message["tool_call_id"])
                continue
            if waiting:
                raise Refused("An assistant message with 'tool_calls' must be followed by tool messages")
            if message["role"] == "system" and message is not body["messages"][0]:
                raise Refused("System message must be at the beginning.")
            self._reasoning(body, message)
            waiting = [call["id"] for call in message.get("tool_calls") or []]

    def _reasoning(self, body: Json, message: Json) -> None:
        reasoning = message.get("reasoning_content")
        if reasoning and reasoning.strip() and reasoning not in self.written:
            self.foreign.append(reasoning)
        if message["role"] == "assistant" and message.get("tool_calls") and self.thinks(body):
            self.demand(reasoning)

    def demand(self, reasoning: str | None) -> None:
        if reasoning not in self.written:
            raise Refused(self.MISSING)

    def error(self, message: str) -> Json:
        error = {"message": message, "type": "invalid_request_error", "param": None, "code": "invalid_request_error"}
        return {"error": error}

    def stream(self, body: Json, number: int, answer: tuple[str, str, Json]) -> Iterator[bytes]:
        text, tool, arguments = answer

        def chunk(delta: Json, finish: str | None = None) -> bytes:
            choice = {"index": 0, "delta": delta, "finish_reason": finish}
            whole = {"id": f"c{number}", "object": "chat.completion.chunk", "created": 1, "model": body["model"]}
            return b"data: " + json.dumps(whole | {"choices": [choice]}).encode() + b"\n\n"

        yield chunk({"role": "assistant", "content": None})
        if self.thinks(body):
            for piece in _cut(self.think(number)):
                yield chunk({"reasoning_content": piece})
        for piece in _cut(text):
            yield chunk({"content": piece})
        if tool:
            # The id is used again on every turn, as some models do.
            function = {"name": tool, "arguments": ""}
            yield chunk({"tool_calls": [{"index": 0, "id": "call_0", "type": "function", "function": function}]})
            for piece in _cut(json.dumps(arguments)):
                yield chunk({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]})
        yield chunk({}, "tool_calls" if tool else "stop")
        usage = {"prompt_tokens": 1000, "completion_tokens": 50, "total_tokens": 1050}
        yield b"data: " + json.dumps({"id": f"c{number}", "choices": [], "usage": usage}).encode() + b"\n\n"
        yield b"data: [DONE]\n\n"


class StrictKimi(StrictDeepSeek):
    """Thinks whatever it is told, and wants the field on every message with calls; a blank one will do."""

    MISSING = "thinking is enabled but reasoning_content is missing in assistant tool call message"

    def thinks(self, body: Json) -> bool:
        return True

    def demand(self, reasoning: str | None) -> None:
        if not reasoning:
            raise Refused(self.MISSING)


def _signed(thought: str) -> str:
    return hashlib.sha256(f"claude {thought}".encode()).hexdigest()


def _event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def _cut(text: str, size: int = 7) -> list[str]:
    return [text[n : n + size] for n in range(0, len(text), size)]
