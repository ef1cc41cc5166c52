"""Prices of models by provider, date, hour of the day and length of the prompt: a plain table that is handed in.

Rule: what the table does not know is None, never 0 and never a neighbour's price. Two rules fill gaps *inside* a known
price, see `complete`. Models that run on the user's own machine cost nothing; that is known, not unknown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Literal, NamedTuple

from rlmc.domain.chat import Usage
from rlmc.domain.frozen import dataclass
from rlmc.domain.money import Picodollars, add
from rlmc.domain.price import Price, cost
from rlmc.domain.turn import Model

DAY_MINUTES = 24 * 60
_MINUTE = 60_000_000
_MEMO_LIMIT = 1024

LOCAL_PROVIDERS = frozenset({"ollama", "llama.cpp", "vllm", "lmstudio"})
_NOTHING = Usage()


@dataclass(frozen=True, slots=True)
class NameRule:
    """How a row recognises a model's name (compared in lower case). `dated`: the name and a date, `x-20261001`."""

    kind: Literal["exact", "prefix", "suffix", "contains", "dated"]
    text: str

    def matches(self, name: str) -> bool:
        match self.kind:
            case "exact":
                return name == self.text
            case "prefix":
                return name.startswith(self.text)
            case "suffix":
                return name.endswith(self.text)
            case "contains":
                return self.text in name
            case "dated":
                return name != self.text and undated(name) == self.text


@dataclass(frozen=True, slots=True)
class Card:
    """The price of a whole request whose prompt is longer than `above` tokens."""

    above: int
    price: Price


@dataclass(frozen=True, slots=True)
class Rate:
    """What holds from `since` on (unix microseconds), or daily within `minutes` of the UTC day; `cards` ascend."""

    cards: tuple[Card, ...]
    since: int | None = None
    minutes: tuple[int, int] | None = None

    @property
    def always(self) -> bool:
        return self.since is None and self.minutes is None

    def active(self, at: int) -> bool:
        if self.since is not None and at < self.since:
            return False
        if self.minutes is None:
            return True
        start, end = self.minutes
        now = at // _MINUTE % DAY_MINUTES
        return start <= now < end if start <= end else now >= start or now < end

    def card(self, prompt_tokens: int) -> Price | None:
        found = None
        for card in self.cards:
            if prompt_tokens > card.above:
                found = card.price
        return found


_LOCAL = Rate((Card(-1, Price(0, 0, 0, 0, 0, source="local")),))


@dataclass(frozen=True, slots=True)
class PriceRow:
    """One model of one provider. The last active rate holds, so exceptions stand after the rule."""

    provider: str
    names: tuple[NameRule, ...]
    rates: tuple[Rate, ...]

    def matches(self, name: str) -> bool:
        return any(rule.matches(name) for rule in self.names)


class Charge(NamedTuple):
    """What a call costs, None when any part of it is unknown, and where the price comes from."""

    cost: Picodollars | None
    source: str | None


class PriceTable:
    """Rows in order of precedence: the first row that knows the name and has an active rate decides.

    A dated snapshot (`claude-x-20261001`) without a row of its own costs what the model without the date costs.
    """

    def __init__(self, rows: Iterable[PriceRow]) -> None:
        self._rows: dict[str, list[PriceRow]] = {}
        for row in rows:
            self._rows.setdefault(row.provider, []).append(row)
        # Names this very table, so that a replay can say whether it reckons with the prices of then.
        self.version = hashlib.blake2b(repr(self._rows).encode(), digest_size=6).hexdigest()
        self._memo: dict[tuple[str, str], tuple[Rate, ...]] = {}

    def lookup(self, model: Model, at: int, prompt_tokens: int) -> Price | None:
        rate = self.rate(model, at)
        return None if rate is None else rate.card(prompt_tokens)

    def rate(self, model: Model, at: int) -> Rate | None:
        """What holds for the model at this moment, whatever the length of the prompt."""
        if model.provider in LOCAL_PROVIDERS:
            return None if _runs_elsewhere(model) else _LOCAL
        for rate in self._rates(model):
            if rate.always or rate.active(at):
                return rate
        return None

    def charge(self, model: Model, usage: Usage, at: int) -> Charge:
        """The cost of one call with everything billed inside it (`usage.others`, at their own models' prices)."""
        prompt = usage.prompt
        if not prompt and usage == _NOTHING:
            return Charge(0, None)  # nothing was billed: no price is needed to know that
        price = self.lookup(model, at, prompt)
        own = None if price is None else cost(usage, price)
        if not usage.others:
            return Charge(own, None if price is None else price.source)
        amounts = [own]
        for name, other in usage.others:
            amounts.append(self.charge(Model(model.provider, name or model.name), other, at).cost)
        return Charge(add(amounts), None if price is None else price.source)

    def _rates(self, model: Model) -> tuple[Rate, ...]:
        """All that may hold for the model, the first active one before the others."""
        key = (model.provider, model.name)  # a tuple's hash is far cheaper than a model's
        known = self._memo.get(key)
        if known is None:
            name = model.name.lower()
            rows = self._rows.get(model.provider, [])
            found = [row for row in rows if row.matches(name)]
            if not found and undated(name) != name:
                found = [row for row in rows if row.matches(undated(name))]
            known = tuple([rate for row in found for rate in reversed(row.rates)])
            if len(self._memo) >= _MEMO_LIMIT:  # names come from clients: never keep more than a few
                self._memo.clear()
            self._memo[key] = known
        return known


def complete(
    *,
    source: str,
    input: Picodollars,
    output: Picodollars,
    cache_read: Picodollars | None = None,
    cache_write_5m: Picodollars | None = None,
    cache_write_1h: Picodollars | None = None,
    web_search: Picodollars | None = None,
    anthropic: bool = False,
) -> Price:
    """A price with the classes its source leaves out filled in.

    Providers with automatic caches charge nothing extra for a write, so a write without a price of its own is plain
    input; so is a read, where no discount is published. A 1-hour write without a price costs twice the input at
    Anthropic (its published multiplier) and what any other write costs elsewhere.
    """
    write = input if cache_write_5m is None else cache_write_5m
    long_write = 2 * input if anthropic else write
    return Price(
        input=input,
        output=output,
        cache_read=input if cache_read is None else cache_read,
        cache_write_5m=write,
        cache_write_1h=long_write if cache_write_1h is None else cache_write_1h,
        source=source,
        web_search=web_search,
    )


def undated(name: str) -> str:
    """The name without a trailing `-20261001`, `@20261001` or `-2026-10-01`."""
    head, tail = name[:-9], name[-9:]
    if head and tail[:1] in ("-", "@") and _is_date(tail[1:]):
        return head
    head, tail = name[:-11], name[-11:]
    if head and tail[:1] == "-" and tail[5:6] == "-" and tail[8:9] == "-" and _is_date(tail[1:].replace("-", "")):
        return head
    return name


def _is_date(text: str) -> bool:
    return len(text) == 8 and text.isascii() and text.isdigit() and text[:2] in ("19", "20")


def _runs_elsewhere(model: Model) -> bool:
    # Ollama serves its vendor's cloud under the same address; what a plan charges per token is not published.
    return model.name.lower().endswith((":cloud", "-cloud"))
