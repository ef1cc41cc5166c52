"""What a model's tokens cost, and so what a call costs."""

from __future__ import annotations

from rlmc.domain.chat import Usage
from rlmc.domain.frozen import dataclass
from rlmc.domain.money import Picodollars


@dataclass(frozen=True, slots=True)
class Price:
    """Picodollars per token of one model at one moment and prompt length; `web_search` per request.

    `source` says where the figures come from ("genai-prices 0.2.3", "override 2026-11-23", "simulated").
    """

    input: Picodollars
    output: Picodollars
    cache_read: Picodollars
    cache_write_5m: Picodollars
    cache_write_1h: Picodollars
    source: str
    web_search: Picodollars | None = None


def cost(usage: Usage, price: Price) -> Picodollars | None:
    """What one call costs; None when it holds a fee with no known price. Calls in `usage.others` are not included."""
    if usage.unpriced:
        return None
    total = (
        usage.input * price.input
        + usage.cache_read * price.cache_read
        + usage.cache_write_5m * price.cache_write_5m
        + usage.cache_write_1h * price.cache_write_1h
        + usage.output * price.output
    )
    if usage.web_searches:
        if price.web_search is None:
            return None
        total += usage.web_searches * price.web_search
    return total
