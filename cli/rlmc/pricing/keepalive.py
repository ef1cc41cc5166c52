"""Whether it pays to keep a cache warm by a call that answers nothing.

Rule: a ping costs one read of the prompt; without it the next use would have to write the prompt anew. It pays if the
chance that the next use falls into the time the ping adds is greater than r / (w - r), for a read price r and a write
price w. The chance is that of a pause which has already lasted as long as the entry has lived.
"""

from __future__ import annotations

from rlmc.domain.layout import Lifetime
from rlmc.domain.price import Price
from rlmc.pricing.cache import LIFE
from rlmc.pricing.gaps import Pause, outlives

MARGIN_SECONDS = 20.0
"""How long before an entry lapses a ping is sent."""


def due_seconds(lifetime: Lifetime) -> float:
    """How long after the entry was last used a ping is due."""
    return LIFE[lifetime] / 1e6 - MARGIN_SECONDS


def chance(pause: Pause, lifetime: Lifetime, idle_seconds: float) -> float:
    """The probability that the next use comes after this entry would have lapsed but before the ping's would."""
    life = LIFE[lifetime] / 1e6
    still = outlives(pause, idle_seconds)
    if still <= 0:
        return 0.0
    lapse = idle_seconds + MARGIN_SECONDS
    return (outlives(pause, lapse) - outlives(pause, lapse + life - MARGIN_SECONDS)) / still


def pays(pause: Pause, lifetime: Lifetime, idle_seconds: float, price: Price | None) -> bool:
    """`idle_seconds` is how long ago the verify model was last really asked. An unknown price never pays."""
    if price is None:
        return False
    write = price.cache_write_1h if lifetime == "1h" else price.cache_write_5m
    if write <= price.cache_read:
        return False
    return chance(pause, lifetime, idle_seconds) > price.cache_read / (write - price.cache_read)
