"""Asking the simulated models in tests, without a server in between."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from typing import Any, TypeVar

from rlmc.upstream.simulated import SimulatedTransport
from rlmc.upstream.transport import UpstreamRequest


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


async def send(
    transport: SimulatedTransport, body: object, path: str = "/v1/messages", method: str = "POST"
) -> tuple[int, bytes]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    response = await transport.send(UpstreamRequest(method, f"sim://models{path}", [], raw))
    data = b"".join([chunk async for chunk in response.chunks()])
    await response.close()
    return response.status, data


def ask(body: dict[str, Any], transport: SimulatedTransport | None = None) -> dict[str, Any]:
    """The whole answer, as a plain body."""
    status, data = run(send(transport or SimulatedTransport(latency=0), body))
    answer: dict[str, Any] = json.loads(data)
    assert status == 200, answer
    return answer


def refused(body: object, **where: str) -> tuple[int, str, str]:
    status, data = run(send(SimulatedTransport(latency=0), body, **where))
    error = json.loads(data)
    assert error["type"] == "error"
    return status, error["error"]["type"], error["error"]["message"]
