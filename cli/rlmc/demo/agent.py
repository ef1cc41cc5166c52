"""`python -m rlmc.demo.agent`: a scripted coding agent that talks to ANTHROPIC_BASE_URL the way Claude Code does.

Streams, runs the tool calls it is given, keeps the whole conversation, marks the cache, sends the same hint headers. It
writes one JSON line per turn on stdout and knows nothing of rlmc. The standard library alone, so that it starts fast.
"""

from __future__ import annotations

import http.client
import json
import os
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

from rlmc.demo import prompts
from rlmc.demo.tasks import TASKS
from rlmc.demo.workspace import Workspace

MODEL = "claude-opus-5-5"
MAX_TURNS = 80
_TITLE = {
    "type": "object",
    "properties": {"title": {"type": "string"}},
    "required": ["title"],
    "additionalProperties": False,
}


class AgentError(Exception):
    """The session cannot go on."""


class Api:
    """One connection to the model's address."""

    def __init__(self, base_url: str, key: str) -> None:
        parts = urlsplit(base_url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port
        self._path = parts.path.rstrip("/") + "/v1/messages?beta=true"
        self._session = str(uuid.uuid4())
        self._key = key
        self._connection = http.client.HTTPConnection(self._host, self._port, timeout=120)

    def close(self) -> None:
        self._connection.close()

    def ask(self, body: dict[str, Any], **hints: str) -> dict[str, Any]:
        """The streamed answer, put together."""
        headers = {
            "Accept": "application/json",
            "Content-Type": "application/json",
            "User-Agent": "rlmc-demo-agent/1",
            "X-Claude-Code-Session-Id": self._session,
            "anthropic-version": "2023-06-01",
            "x-api-key": self._key,
            **{f"x-claude-{name.replace('_', '-')}": value for name, value in hints.items()},
        }
        self._connection.request("POST", self._path, json.dumps(body).encode(), headers)
        response = self._connection.getresponse()
        if response.status != 200:
            raise AgentError(f"status {response.status}: {response.read().decode(errors='replace')[:400]}")
        return _assemble(_events(response))


class Agent:
    def __init__(self, api: Api) -> None:
        self._api = api
        self._workspace = Workspace()
        self._messages: list[dict[str, Any]] = []
        self._turns = 0

    def work(self) -> None:
        self._title(TASKS[0])
        for number, task in enumerate(TASKS, 1):
            self._task(number, task)

    def _title(self, task: str) -> None:
        body = {
            "model": MODEL,
            "messages": [{"role": "user", "content": [{"type": "text", "text": f"<session>\n{task}\n</session>"}]}],
            "system": [{"type": "text", "text": "You are naming a coding session. Answer with a short title."}],
            "tools": [],
            "max_tokens": 128_000,
            "output_config": {"format": {"type": "json_schema", "schema": _TITLE}},
            "stream": True,
        }
        hints = {"code_request_class": "auxiliary", "1p_request_class": "summary-extraction"}
        self._turn(0, body, hints)

    def _task(self, number: int, task: str) -> None:
        """Until the model answers without a tool call."""
        self._say(task)
        hints = {
            "code_request_class": "main",
            "1p_request_class": "main",
            "code_prompt_id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{number} {task}")),
        }
        while True:
            answer = self._turn(number, self._body(), hints)
            self._messages.append({"role": "assistant", "content": answer["content"]})
            results = [self._run(b) for b in answer["content"] if b["type"] == "tool_use"]
            if not results:
                return
            self._messages.append({"role": "user", "content": results})

    def _say(self, task: str) -> None:
        content = [{"type": "text", "text": task}]
        if self._messages:
            self._messages.append({"role": "user", "content": content})
            return
        rules = {"type": "text", "text": prompts.reminder()}
        self._messages.append({"role": "user", "content": [rules, *content]})
        # Current agents put what they know of the session into a system message behind the first words.
        self._messages.append({"role": "system", "content": "# Session\nThe user sees short texts only."})

    def _body(self) -> dict[str, Any]:
        return {
            "model": MODEL,
            "messages": _marked(self._messages),
            "system": prompts.system(),
            "tools": prompts.tools(),
            "metadata": {"user_id": "rlmc-demo"},
            "max_tokens": 128_000,
            "thinking": {"type": "adaptive"},
            "output_config": {"effort": "medium"},
            "stream": True,
        }

    def _turn(self, task: int, body: dict[str, Any], hints: dict[str, str]) -> dict[str, Any]:
        self._turns += 1
        if self._turns > MAX_TURNS:
            raise AgentError(f"no end in sight after {MAX_TURNS} turns")
        started = time.monotonic()
        answer = self._api.ask(body, **hints)
        usage = answer.get("usage", {})
        kinds = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
        line = {
            "turn": self._turns,
            "task": task,
            "asked": TASKS[task - 1] if task else None,
            "model": answer["model"],
            "does": _in_short(answer["content"]) if task else "names the session",
            "prompt_tokens": sum(int(usage.get(kind) or 0) for kind in kinds),
            "seconds": round(time.monotonic() - started, 3),
        }
        print(json.dumps(line), flush=True)
        return answer

    def _run(self, block: dict[str, Any]) -> dict[str, Any]:
        output, failed = self._workspace.run(block["name"], block["input"])
        result = {"type": "tool_result", "tool_use_id": block["id"], "content": output}
        return {**result, "is_error": True} if failed else result


def _marked(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The conversation with a cache marker on its newest block that is the user's."""
    at = max(n for n, m in enumerate(messages) if m["role"] == "user")
    *blocks, last = messages[at]["content"]
    marked = {"role": "user", "content": [*blocks, {**last, "cache_control": {"type": "ephemeral"}}]}
    return [*messages[:at], marked, *messages[at + 1 :]]


def _events(response: http.client.HTTPResponse) -> Iterator[dict[str, Any]]:
    for line in response:
        if line.startswith(b"data:"):
            yield json.loads(line[5:])


def _assemble(events: Iterator[dict[str, Any]]) -> dict[str, Any]:
    message: dict[str, Any] = {}
    pieces: dict[int, list[str]] = {}
    ended = False
    for event in events:
        match event["type"]:
            case "message_start":
                message = event["message"]
            case "content_block_start":
                message["content"].append(event["content_block"])
                pieces[event["index"]] = []
            case "content_block_delta":
                delta = event["delta"]
                if "signature" in delta:
                    message["content"][event["index"]]["signature"] = delta["signature"]
                else:
                    pieces[event["index"]].append(next(v for k, v in delta.items() if k != "type"))
            case "message_delta":
                message.update(event["delta"])
                message["usage"] = {**message.get("usage", {}), **event.get("usage", {})}
            case "message_stop":
                ended = True
            case "error":
                raise AgentError(f"the stream failed: {event['error'].get('message')}")
    if not ended:
        raise AgentError("the answer broke off")
    for index, parts in pieces.items():
        block = message["content"][index]
        match block["type"]:
            case "tool_use":
                block["input"] = json.loads("".join(parts) or "{}")
            case "text" | "thinking" as kind:
                block[kind] = "".join(parts)
    return message


def _in_short(content: list[dict[str, Any]]) -> str:
    calls = [b for b in content if b["type"] == "tool_use"]
    if not calls:
        return "answers"
    about = ("file_path", "pattern", "command")
    shown = (next((str(b["input"][k]) for k in about if k in b["input"]), "") for b in calls)
    return ", ".join(f"{b['name']} {s.rsplit('/', 1)[-1]}".strip() for b, s in zip(calls, shown, strict=True))


def main() -> int:
    base_url = os.environ.get("ANTHROPIC_BASE_URL")
    if not base_url:
        print("rlmc-demo-agent: ANTHROPIC_BASE_URL is not set; run `rlmc demo`", file=sys.stderr)
        return 2
    try:
        with closing(Api(base_url, os.environ.get("ANTHROPIC_API_KEY", "demo"))) as api:
            Agent(api).work()
    except (AgentError, OSError, http.client.HTTPException, KeyError, ValueError) as error:
        print(f"rlmc-demo-agent: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
