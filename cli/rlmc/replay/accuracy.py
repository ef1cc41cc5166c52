"""The cache simulator against bills: what it says a call's input costs beside what the provider billed.

Rule: given only where a prompt parts from the one before (which a record without text cannot tell otherwise), and once
more given nothing at all. Only calls whose cache classes were billed count. Nothing is called tested that happened
fewer than a thousand times.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import field
from statistics import median
from typing import get_args

from rlmc.domain.chat import Usage
from rlmc.domain.frozen import dataclass
from rlmc.domain.money import Picodollars
from rlmc.domain.price import Price, cost
from rlmc.domain.turn import Model
from rlmc.pricing.catalog import PriceTable
from rlmc.replay.prompts import Expected, RecordedPrompt

KINDS: tuple[Expected, ...] = get_args(Expected)
ENOUGH = 1000


@dataclass(slots=True)
class Accuracy:
    """`model` None prices each call as its own model's, else all as one model's. `kinds` is what the simulator expected
    of the calls; of those "broken" the provider had lost a prefix that was still alive."""

    model: Model | None = None
    sessions: int = 0
    calls: int = 0
    unpriced: int = 0
    kinds: Counter[Expected] = field(default_factory=Counter)
    billed: Picodollars = 0
    predicted: Picodollars = 0
    open_predicted: Picodollars = 0
    first_billed: Picodollars = 0
    first_open: Picodollars = 0
    _errors: list[float] = field(default_factory=list)

    def add(self, prompts: Sequence[RecordedPrompt], prices: PriceTable) -> None:
        """One session."""
        billed = predicted = 0
        for prompt in prompts:
            call = prompt.call
            if call.cache != "billed":
                continue
            price = prices.lookup(self.model or Model(call.provider, call.model), call.at, call.prompt)
            if price is None:
                self.unpriced += 1
                continue
            usage = Usage(call.input, call.cache_read, call.cache_write_5m, call.cache_write_1h)
            own = cost(usage, price) or 0
            open_loop = _predicted(prompt, prompt.open_found, price)
            self.calls += 1
            self.kinds[prompt.expected] += 1
            self.open_predicted += open_loop
            if prompt.expected == "first":
                self.first_billed += own
                self.first_open += open_loop
            billed += own
            predicted += _predicted(prompt, prompt.found, price)
        if billed:
            self.sessions += 1
            self.billed += billed
            self.predicted += predicted
            self._errors.append(predicted / billed - 1)

    @property
    def error(self) -> float | None:
        """Of all input cost, as a share of what was billed: +0.01 is one per cent too much."""
        return _error(self.predicted, self.billed)

    @property
    def open_error(self) -> float | None:
        return _error(self.open_predicted, self.billed)

    @property
    def first_open_error(self) -> float | None:
        """Of first calls, when nothing is known of what others had put into the cache before."""
        return _error(self.first_open, self.first_billed)

    @property
    def median_error(self) -> float | None:
        """The error of the session in the middle."""
        return median(self._errors) if self._errors else None

    def tested(self, kind: Expected) -> bool:
        return self.kinds[kind] >= ENOUGH


def _predicted(prompt: RecordedPrompt, found: int, price: Price) -> Picodollars:
    written, long = prompt.through - found, prompt.lifetime == "1h"
    usage = Usage(
        input=prompt.call.prompt - prompt.through,
        cache_read=found,
        cache_write_5m=0 if long else written,
        cache_write_1h=written if long else 0,
    )
    return cost(usage, price) or 0


def _error(predicted: Picodollars, billed: Picodollars) -> float | None:
    return predicted / billed - 1 if billed else None
