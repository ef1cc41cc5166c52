"""The price table, made by a process of its own: the package it is made from is needed once, and would stay.

Rule: whatever goes wrong there, the table is made here. `python -m rlmc.upstream.prices_apart` writes it to stdout.
"""

from __future__ import annotations

import logging
import subprocess
import sys

import msgspec

from rlmc.pricing.catalog import PriceRow, PriceTable
from rlmc.upstream.prices import load_prices, price_rows

log = logging.getLogger("rlmc.prices")

_COMMAND = (sys.executable, "-P", "-m", "rlmc.upstream.prices_apart")
_SECONDS = 30.0


def load_prices_apart(command: tuple[str, ...] = _COMMAND) -> PriceTable:
    """Blocking, as `load_prices` is, and the same table."""
    if "genai_prices" in sys.modules:  # then there is nothing to save
        return load_prices()
    try:
        ran = subprocess.run(  # noqa: S603 - our own interpreter and module
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=_SECONDS, check=True
        )
        return PriceTable(msgspec.msgpack.decode(ran.stdout, type=list[PriceRow]))
    except (OSError, subprocess.SubprocessError, msgspec.MsgspecError) as error:
        log.info("prices are loaded here: %s", type(error).__name__)
        return load_prices()


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.msgpack.encode(price_rows()))
