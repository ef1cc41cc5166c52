"""Room for bodies: first come, first served, nobody for ever, and nothing is lost on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from rlmc.server.room import SMALL_BYTES, Bodies, NoRoom, Room

LONG, SHORT = 30.0, 0.02


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


async def waits(room: Room, wanted: int, seconds: float = LONG) -> asyncio.Task[int]:
    """Somebody who has begun to wait."""
    task = asyncio.create_task(room.take(wanted, seconds))
    await asyncio.sleep(0)
    assert not task.done()
    return task


def test_what_fits_is_let_in_at_once_and_what_does_not_waits_for_its_turn() -> None:
    async def work() -> None:
        room = Room(10)
        assert await room.take(6, LONG) == 6
        first, second = await waits(room, 7), await waits(room, 1)  # the second would fit, and came later
        assert (room.held, room.waiting) == (6, 2)
        room.give(6)
        assert await first == 7
        assert await second == 1
        assert (room.held, room.waiting) == (8, 0)

    run(work())


def test_nobody_waits_for_ever_and_who_leaves_lets_others_by() -> None:
    async def work() -> None:
        room = Room(10)
        await room.take(6, LONG)
        large = await waits(room, 7, SHORT)
        small = await waits(room, 4)
        with pytest.raises(NoRoom):
            await large
        assert await small == 4
        assert room.held == 10

    run(work())


def test_something_larger_than_the_room_gets_all_of_it() -> None:
    async def work() -> None:
        room = Room(10)
        assert await room.take(99, LONG) == 10
        room.give(10)
        assert room.held == 0

    run(work())


@pytest.mark.parametrize("admitted", [False, True])
def test_who_is_cancelled_while_waiting_takes_nothing(admitted: bool) -> None:
    """Also in the very moment in which it would have been let in."""

    async def work() -> None:
        room = Room(10)
        await room.take(10, LONG)
        leaving = await waits(room, 5)
        staying = await waits(room, 8)
        if admitted:
            room.give(10)
        leaving.cancel()
        if not admitted:
            room.give(10)
        with pytest.raises(asyncio.CancelledError):
            await leaving
        assert await staying == 8
        assert (room.held, room.waiting) == (8, 0)

    run(work())


def test_small_bodies_do_not_wait_behind_large_ones_and_all_is_given_back() -> None:
    async def work() -> None:
        bodies = Bodies(4 * SMALL_BYTES, LONG)
        async with bodies.room_for(4 * SMALL_BYTES) as large:
            waiting = asyncio.create_task(bodies.room_for(2 * SMALL_BYTES).__aenter__())
            await asyncio.sleep(0)
            async with bodies.room_for(SMALL_BYTES):
                assert (bodies.held, bodies.waiting) == (5 * SMALL_BYTES, 1)
            large.shrink(SMALL_BYTES)  # it had announced more than it was
            second = await waiting
            assert bodies.held == 3 * SMALL_BYTES
            second.shrink(0)
        assert (bodies.held, bodies.waiting) == (0, 0)

    run(work())
