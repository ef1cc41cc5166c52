"""The clients of the matrix: bare sockets that see every byte, and the official SDKs with what they make of an answer.

Rule: a client knows a base URL and a body. It does not know whether rlmc is there.
"""

from __future__ import annotations

import json
import socket
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from tests.faults.seen import BROKEN, COMPLETE, NO_ANSWER, TIMEOUT, Heard, Seen, compared, heard_in
from tests.support import tools

Json = dict[str, Any]

KEY = "sk-fault-0000"
_PATHS = {"anthropic": "/v1/messages", "chat": "/v1/chat/completions", "responses": "/v1/responses"}
_NAMES = ("Read", "Grep", "Edit", "Bash")
MODELS = {"anthropic": "claude-opus-5-5", "chat": "gpt-6.1", "responses": "gpt-6.1"}


def request(protocol: str, turn: str, *, stream: bool) -> Json:
    """A turn's body. `turn`: "first" of a task, "read" (a file has just been read) or "plain" (no tools at all)."""
    if protocol == "anthropic":
        body: Json = {"model": MODELS[protocol], "max_tokens": 4_000, "stream": stream}
        messages: list[Json] = [{"role": "user", "content": "Fix it."}]
        if turn == "read":
            messages += [tools.use("t1", "Read", file_path="a.py"), tools.result("t1", "print('hello')")]
        declared = [tool for tool in tools.ALL if tool["name"] in _NAMES]
        return body | {"messages": messages} | ({} if turn == "plain" else {"tools": declared})
    items: list[Json] = [{"role": "user", "content": "Fix it."}]
    if turn == "read":
        raw = json.dumps({"file_path": "a.py"})
        if protocol == "chat":
            call = {"id": "call_9", "type": "function", "function": {"name": "Read", "arguments": raw}}
            items.append({"role": "assistant", "content": None, "tool_calls": [call]})
            items.append({"role": "tool", "tool_call_id": "call_9", "content": "print('hello')"})
        else:
            items.append({"type": "function_call", "call_id": "call_9", "name": "Read", "arguments": raw})
            items.append({"type": "function_call_output", "call_id": "call_9", "output": "print('hello')"})
    body = {"model": MODELS[protocol], "stream": stream}
    if turn != "plain":
        body["tools"] = [_openai_tool(protocol, name) for name in _NAMES]
    return body | ({"messages": items} if protocol == "chat" else {"store": False, "input": items})


def _openai_tool(protocol: str, name: str) -> Json:
    spec = next(tool for tool in tools.ALL if tool["name"] == name)
    function = {"name": name, "description": spec["description"], "parameters": spec["input_schema"]}
    if protocol == "responses":
        return {"type": "function", "strict": False, **function}
    return {"type": "function", "function": function}


class Client:
    def __init__(self, name: str, protocol: str) -> None:
        self.name, self.protocol = name, protocol


class Asking(Client, ABC):
    """One that is handed its request. `base_url` has no `/v1` at its end."""

    @abstractmethod
    def ask(self, base_url: str, body: Json, timeout: float) -> Seen: ...


class Raw(Asking):
    def __init__(self, protocol: str) -> None:
        super().__init__(f"raw {protocol}", protocol)

    def ask(self, base_url: str, body: Json, timeout: float) -> Seen:
        parts = urlsplit(base_url)
        raw = json.dumps(body).encode()
        head = (
            f"POST {parts.path}{_PATHS[self.protocol]} HTTP/1.1\r\nhost: {parts.netloc}\r\n"
            f"authorization: Bearer {KEY}\r\nanthropic-version: 2023-06-01\r\naccept-encoding: gzip\r\n"
            f"content-type: application/json\r\ncontent-length: {len(raw)}\r\nconnection: close\r\n\r\n"
        )
        received, how = b"", "end"
        try:
            with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=timeout) as line:
                line.sendall(head.encode() + raw)
                while data := line.recv(1 << 16):
                    received += data
        except TimeoutError:
            how = "timeout"
        except OSError:
            how = "broken"
        return self._seen(received, how)

    def _seen(self, received: bytes, how: str) -> Seen:
        head, apart, rest = received.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        if not apart or not first.startswith("HTTP/1.1 "):
            # Words that are no HTTP are no answer to anybody.
            return Seen(TIMEOUT if how == "timeout" else NO_ANSWER)
        headers = [(k.strip().lower(), v.strip()) for k, _, v in (line.partition(":") for line in lines)]
        named = dict(headers)
        if named.get("transfer-encoding") == "chunked":
            body, whole = _dechunked(rest)
        else:
            body, whole = rest, len(rest) == int(named.get("content-length", -1))
        end = COMPLETE if whole else TIMEOUT if how == "timeout" else BROKEN
        heard = heard_in(self.protocol, body, named.get("content-type", ""))
        return Seen(end, int(first.split()[1]), compared(headers), None, body, heard)


def _dechunked(raw: bytes) -> tuple[bytes, bool]:
    body = b""
    while True:
        size, apart, rest = raw.partition(b"\r\n")
        if not apart:
            return body, False
        length = int(size.split(b";")[0], 16)
        if length == 0:
            return body, rest.endswith(b"\r\n")
        body += rest[:length]
        if len(rest) < length + 2:
            return body, False
        raw = rest[length + 2 :]


class Sdk(Asking):
    """An official Python SDK, with one retry."""

    def __init__(self, package: str, protocol: str) -> None:
        super().__init__(f"{package} SDK" + ("" if protocol == "anthropic" else f" {protocol}"), protocol)
        self._package = package

    def ask(self, base_url: str, body: Json, timeout: float) -> Seen:
        heard, events, attempts = Heard(), [], [0]
        with self._client(base_url, timeout, attempts) as create:
            try:
                for event in create(body):
                    told = _told(event)
                    events.append(told)
                    heard.event(self.protocol, told)
            except Exception as error:
                response = getattr(error, "response", None)
                headers = getattr(response, "headers", {})
                kept = compared([(name, headers[name]) for name in ("retry-after", "request-id") if name in headers])
                status = getattr(error, "status_code", None)
                said = (getattr(error, "body", None), str(error) if status else None)
                return Seen(_kind(error), status, kept, said, events, heard.told(), attempts[0])
        return Seen(COMPLETE, 200, (), None, events, heard.told(), attempts[0])

    @contextmanager
    def _client(self, base_url: str, timeout: float, attempts: list[int]) -> Iterator[Any]:
        def count(_request: Any) -> None:
            attempts[0] += 1

        more: Json = {"api_key": KEY, "max_retries": 1, "timeout": timeout}
        hooks: Json = {"event_hooks": {"request": [count]}, "verify": False, "trust_env": False}
        if self._package == "anthropic":
            import anthropic

            line = anthropic.DefaultHttpxClient(**hooks)
            client: Any = anthropic.Anthropic(base_url=base_url, http_client=line, **more)
            create = client.messages.create
        else:
            import openai

            line = openai.DefaultHttpxClient(**hooks)
            client = openai.OpenAI(base_url=f"{base_url}/v1", http_client=line, **more)
            create = client.chat.completions.create if self.protocol == "chat" else client.responses.create

        def events(body: Json) -> Iterator[Any]:
            answer = create(**body)
            if body["stream"]:
                yield from answer
            else:
                yield answer

        with client:
            yield events


def _told(event: Any) -> Json:
    # Pydantic warns of what it does not know; an SDK passes it on.
    return event.to_dict(mode="json", warnings=False) if hasattr(event, "to_dict") else {"no event": repr(event)}


_BREAKS = ("ReadError", "RemoteProtocolError", "IncompleteRead")


def _kind(error: Exception) -> str:
    """How the line broke under an SDK is not compared: see `seen`."""
    name = type(error).__name__
    cause = type(error.__cause__).__name__ if error.__cause__ is not None else ""
    if name in _BREAKS:
        return BROKEN
    if name == "APIConnectionError" and cause in (*_BREAKS, "ConnectError"):
        return f"{name}: {NO_ANSWER}"
    return f"{name} {cause}".strip()


RAW: tuple[Asking, ...] = tuple(Raw(protocol) for protocol in ("anthropic", "chat", "responses"))


def sdks() -> tuple[Asking, ...]:
    """Those that are installed."""
    there = (("anthropic", "anthropic"), ("openai", "chat"), ("openai", "responses"))
    return tuple(Sdk(package, protocol) for package, protocol in there if find_spec(package) is not None)
