"""A fake of OpenAI: Chat Completions and Responses on one port, playing a script and recording what it is asked.
Whoever accepts gzip gets it.

with FakeOpenAi(lambda ask: Saying("hi") if ask.done else Saying(calls=(("read", {"path": "a"}),))) as up: ...
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from tests.support.loopback import LoopbackServer
from tests.support.speaking import Saying, said, whole

Json = dict[str, Any]

_PROTOCOLS = {"/chat/completions": "chat", "/responses": "responses"}
# Ids of what is said are counted from 0 in each answer; in a conversation each has its own.
_IDS = re.compile(rb'"(call|fc|msg|rs)_(\d+)"')


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. `tools` are the names of the client's tools, those in namespaces by their own name; `done` counts
    the calls since the user last spoke."""

    protocol: str
    path: str
    headers: dict[str, str]
    body: Json

    @property
    def model(self) -> str:
        return str(self.body.get("model"))

    @property
    def tools(self) -> list[str]:
        lists = [self.body.get("tools") or []]
        lists += [item["tools"] for item in self._items if item.get("type") == "additional_tools"]
        return [name for tools in lists for name in _names(tools)]

    @property
    def done(self) -> int:
        calls = 0
        for item in reversed(self._items):
            if item.get("role") == "user":
                break
            calls += len(item.get("tool_calls") or []) + (item.get("type") in ("function_call", "custom_tool_call"))
        return calls

    @property
    def _items(self) -> list[Json]:
        items = self.body["messages"] if self.protocol == "chat" else self.body["input"]
        return [item for item in items if isinstance(item, dict)]


class FakeOpenAi(LoopbackServer):
    """`asks` are the requests that were turns, `answers` what each got, `others` the paths of all other requests."""

    def __init__(self, script: Callable[[Ask], Saying]) -> None:
        super().__init__()
        self.script = script
        self.asks: list[Ask] = []
        self.answers: list[bytes] = []
        self.others: list[str] = []
        self.script_errors: list[Exception] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def __exit__(self, kind: object, *_: object) -> None:
        super().__exit__(kind)
        if kind is None and self.script_errors:
            raise AssertionError("the fake's script failed") from self.script_errors[0]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        protocol = next((name for end, name in _PROTOCOLS.items() if request.path.endswith(end)), None)
        if protocol is None or request.method != "POST":
            self.others.append(f"{request.method} {request.path}")
            return web.json_response({"object": "list", "data": []})
        headers = {name.lower(): value for name, value in request.headers.items()}
        ask = Ask(protocol, request.path, headers, await request.json())
        try:
            saying = self.script(ask)
        except Exception as error:  # a fault of the test, told when the fake is closed
            self.script_errors.append(error)
            return web.json_response({"error": {"message": f"script failed: {error!r}"}}, status=400)
        streamed = bool(ask.body.get("stream"))
        number = len(self.asks)
        data = said(protocol, saying) if streamed else json.dumps(whole(protocol, saying)).encode()
        data = _IDS.sub(lambda match: b'"%s_%dx%s"' % (match[1], number, match[2]), data)
        self.asks.append(ask)
        self.answers.append(data)
        if saying.stays:
            open_end = web.StreamResponse(headers={"content-type": "text/event-stream"})
            await open_end.prepare(request)
            await open_end.write(data)
            await asyncio.Event().wait()
        kind = "text/event-stream" if streamed else "application/json"
        answer = web.Response(body=data, headers={"content-type": kind, "x-request-id": f"req_{number}"})
        if "gzip" in headers.get("accept-encoding", ""):
            answer.enable_compression(web.ContentCoding.gzip)
        return answer


def _names(tools: list[Json]) -> list[str]:
    found = []
    for tool in tools:
        found += _names(tool["tools"]) if tool.get("type") == "namespace" else []
        name = tool.get("name") or (tool.get("function") or {}).get("name")
        found += [name] if isinstance(name, str) and tool.get("type") != "namespace" else []
    return found
