"""A transport that is made with its first request."""

from __future__ import annotations

import asyncio

from rlmc.upstream.on_demand import OnDemand
from rlmc.upstream.simulated import SimulatedTransport
from rlmc.upstream.transport import Transport, UpstreamRequest

MODELS = UpstreamRequest("GET", "sim://models/v1/models", [], b"")


def test_it_is_made_once_and_only_when_it_is_asked() -> None:
    made: list[Transport] = []

    def make() -> Transport:
        made.append(SimulatedTransport())
        return made[-1]

    async def asked() -> list[int]:
        transport = OnDemand(make)
        assert not made
        statuses = [(await transport.send(MODELS)).status for _ in range(2)]
        await transport.close()
        return statuses

    assert asyncio.run(asked()) == [200, 200]
    assert len(made) == 1


def test_one_that_nobody_asked_is_not_made_to_be_closed() -> None:
    def make() -> Transport:
        raise AssertionError

    asyncio.run(OnDemand(make).close())
