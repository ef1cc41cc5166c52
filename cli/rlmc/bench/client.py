"""One request to a session's address, as an agent would make it, and what came back.

Rule: whatever goes wrong is a value. Neither the address, which holds the session's token, nor a word of the request or
the answer gets into an error's text.
"""

from __future__ import annotations

import http.client
import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import field
from typing import Any
from urllib.parse import urlsplit

from rlmc.bench.task import Answer, Call, Task
from rlmc.domain.frozen import dataclass

MAX_TOKENS = 8192
SECONDS = 600.0
BUSY = frozenset({429, 503, 529})
"""Statuses after which another try may do."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where to ask and how to show who pays. `model` is asked for; the session's settings have the last word."""

    base_url: str = field(repr=False)
    model: str
    auth: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Posted:
    """What came back for some bytes: an answer's bytes, where `problem` is empty. See `Reply`."""

    status: int
    seconds: float
    raw: bytes = b""
    problem: str = ""
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """`answer` is None where there is none; `problem` then says why. `status` 0 is no answer at all. `retry_after` is
    in seconds, where the other side named it."""

    status: int
    seconds: float
    answer: Answer | None = None
    problem: str = ""
    retry_after: float | None = None


def ask(address: Address, task: Task, seconds: float = SECONDS) -> Reply:
    posted = post(address, json.dumps(_body(address.model, task)).encode(), seconds)
    if posted.problem:
        return Reply(posted.status, posted.seconds, problem=posted.problem, retry_after=posted.retry_after)
    answer = _answer(posted.raw)
    return Reply(200, posted.seconds, answer, "" if answer is not None else "an answer of another shape")


def post(address: Address, body: bytes, seconds: float = SECONDS) -> Posted:
    """Every request is a conversation of its own."""
    parts = urlsplit(address.base_url)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "rlmc/1",
        "X-Claude-Code-Session-Id": str(uuid.uuid4()),
        "anthropic-version": "2023-06-01",
        **address.auth,
    }
    connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=seconds)
    began = time.monotonic()
    try:
        connection.request("POST", f"{parts.path.rstrip('/')}/v1/messages", body, headers)
        response = connection.getresponse()
        raw = response.read()
    except (OSError, http.client.HTTPException) as error:
        return Posted(0, time.monotonic() - began, problem=f"no answer: {type(error).__name__}")
    finally:
        connection.close()
    took = time.monotonic() - began
    if response.status != 200:
        wait = _wait(response.headers.get("retry-after"))
        return Posted(response.status, took, problem=_problem(raw), retry_after=wait)
    return Posted(200, took, raw)


def _body(model: str, task: Task) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": model,
        "max_tokens": MAX_TOKENS,
        "messages": [{"role": "user", "content": [{"type": "text", "text": task.prompt}]}],
    }
    return {**body, "tools": [dict(tool) for tool in task.tools]} if task.tools else body


def _answer(raw: bytes) -> Answer | None:
    try:
        blocks = json.loads(raw)["content"]
        text = "\n".join(block["text"] for block in blocks if block["type"] == "text")
        calls = tuple(Call(block["name"], dict(block["input"])) for block in blocks if block["type"] == "tool_use")
    except (ValueError, KeyError, TypeError):
        return None
    return Answer(text, calls)


def _problem(raw: bytes) -> str:
    """The kind of the error, a word of the protocol's."""
    try:
        kind = json.loads(raw)["error"]["type"]
    except (ValueError, KeyError, TypeError):
        kind = None
    return kind if isinstance(kind, str) and kind.replace("_", "").isalnum() and len(kind) <= 60 else "error"


def _wait(text: str | None) -> float | None:
    try:
        seconds = float(text or "")
    except ValueError:
        return None
    return seconds if 0 <= seconds < float("inf") else None
