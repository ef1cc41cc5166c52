"""Recorded calls at today's prices: the day is the replay's, the hour the record's own."""

from __future__ import annotations

from rlmc.domain.turn import Model
from rlmc.pricing.catalog import DAY_MINUTES, PriceTable, Rate

_MINUTE = 60_000_000
_DAY = DAY_MINUTES * _MINUTE
_NOON = _DAY // 2  # off-peak everywhere


class PricesOn(PriceTable):
    """A table as of one day. Where a record holds no time of day, it is noon (UTC), which no provider bills as a peak.

    A replay asks the same over and over, so rates are remembered; they change on the minute at most.
    """

    def __init__(self, table: PriceTable, day: int, *, clock: bool) -> None:
        self._table = table
        self._day = day // _DAY * _DAY
        self._clock = clock
        self._known: dict[tuple[str, str, int], Rate | None] = {}

    def rate(self, model: Model, at: int) -> Rate | None:
        minute = (at % _DAY if self._clock else _NOON) // _MINUTE
        key = (model.provider, model.name, minute)  # far cheaper to hash than a model
        try:
            return self._known[key]
        except KeyError:
            found = self._known[key] = self._table.rate(model, self._day + minute * _MINUTE)
            return found
