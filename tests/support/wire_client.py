"""A client that hides nothing: raw bytes out, raw bytes in, over a socket of its own."""

from __future__ import annotations

import http.client
import json
import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.support.messages import assemble

KEY_HEADERS = {
    "x-api-key": "sk-ant-test-0000",
    "anthropic-version": "2023-06-01",
    "content-type": "application/json",
}
LOGIN_HEADERS = {
    "authorization": "Bearer sk-ant-oat-0000",
    "anthropic-beta": "claude-code-20250219,oauth-2025-04-20",
    "anthropic-version": "2023-06-01",
    "content-type": "application/json",
}


@dataclass
class Got:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def message(self) -> dict[str, Any]:
        """The answer as a message, streamed or not."""
        if self.headers.get("content-type", "").startswith("text/event-stream"):
            return assemble(self.body)
        return self.json


def send(
    base_url: str,
    body: dict[str, Any] | bytes | None,
    path: str = "/v1/messages?beta=true",
    *,
    headers: dict[str, str] | None = None,
    method: str = "POST",
    **more: str,
) -> Got:
    """Keyword arguments are further headers, with `_` for `-`."""
    parts = urlsplit(base_url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    raw = json.dumps(body).encode() if isinstance(body, dict) else body
    named = (KEY_HEADERS if headers is None else headers) | {k.replace("_", "-"): v for k, v in more.items()}
    try:
        connection.request(method, parts.path + path, raw, named)
        response = connection.getresponse()
        return Got(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
    finally:
        connection.close()


def raw_request(base_url: str, body: dict[str, Any]) -> socket.socket:
    """A request on its way, to be read from or hung up on."""
    parts = urlsplit(base_url)
    raw = json.dumps(body).encode()
    client = socket.create_connection((parts.hostname or "", parts.port or 0), timeout=30)
    head = f"POST {parts.path}/v1/messages HTTP/1.1\r\nhost: {parts.netloc}\r\ncontent-length: {len(raw)}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in KEY_HEADERS.items())
    client.sendall(head.encode() + b"\r\n" + raw)
    return client
