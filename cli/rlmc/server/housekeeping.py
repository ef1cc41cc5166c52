"""What the daemon does now and then: the ledger is kept within its caps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

from rlmc.config.schema import Settings
from rlmc.ledger.retention import Caps
from rlmc.ledger.store import Ledger

FIRST_SECONDS = 120.0  # runs whose daemon has died bring their sessions back first
SECONDS = 6 * 3600.0


async def keep_house(ledger: Ledger, settings: Callable[[], Settings], in_use: Callable[[], Collection[str]]) -> None:
    """Soon, and then every few hours, by the settings then in force. `in_use` are ids of sessions."""
    await asyncio.sleep(FIRST_SECONDS)
    while True:
        wanted = settings()
        ledger.keep_within(Caps(wanted.ledger_max_age, wanted.ledger_max_size), in_use)
        await asyncio.sleep(SECONDS)
