"""What a provider would bill: its own token counts, prompt cache and prices, written apart from the product.

The cache follows the published rules: written at markers only, read by walking back at most 20 places from a marker,
nothing below 512 tokens, 5 minutes or 1 hour from the start of the request that wrote or last read it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
SECONDS = {"5m": 300, "1h": 3600}


@dataclass(frozen=True, slots=True)
class Prices:
    """Picodollars per token."""

    input: int
    output: int
    cache_read: int
    cache_write_5m: int
    cache_write_1h: int


@dataclass(slots=True)
class Bill:
    """One request's tokens by class. `picodollars` is None where the model has no price."""

    model: str
    prices: Prices | None
    input: int
    cache_read: int
    cache_write_5m: int
    cache_write_1h: int
    output: int = 0

    @property
    def prompt(self) -> int:
        return self.input + self.cache_read + self.cache_write_5m + self.cache_write_1h

    @property
    def picodollars(self) -> int | None:
        if self.prices is None:
            return None
        return (
            self.input * self.prices.input
            + self.output * self.prices.output
            + self.cache_read * self.prices.cache_read
            + self.cache_write_5m * self.prices.cache_write_5m
            + self.cache_write_1h * self.prices.cache_write_1h
        )

    def usage(self, output: int) -> Json:
        return {
            "input_tokens": self.input,
            "cache_creation_input_tokens": self.cache_write_5m + self.cache_write_1h,
            "cache_read_input_tokens": self.cache_read,
            "cache_creation": {
                "ephemeral_5m_input_tokens": self.cache_write_5m,
                "ephemeral_1h_input_tokens": self.cache_write_1h,
            },
            "output_tokens": output,
            "service_tier": "standard",
        }


def count(text: str) -> int:
    return math.ceil(len(text) / 4)


@dataclass
class CachingBiller:
    """Counts and bills requests. `clock` is in seconds."""

    clock: Callable[[], float]
    prices: dict[str, Prices] = field(default_factory=dict)
    minimum: int = 512
    # Cached prefixes with the moment they lapse: (model, blocks from the very start) -> (until, lifetime).
    warm: dict[tuple[str, tuple[str, ...]], tuple[float, str]] = field(default_factory=dict)

    def price_of(self, model: str) -> Prices | None:
        fits = [name for name in self.prices if model.startswith(name)]
        return self.prices[max(fits, key=len)] if fits else None

    def open(self, body: Json) -> tuple[Bill, Callable[[], None]]:
        """The bill so far, and what to call once the answer has begun: only then is the cache written."""
        now = self.clock()
        model = str(body.get("model"))
        blocks, marks, places = _lay_out(body)
        sizes = [count(b) for b in blocks]
        read, renew = 0, set[tuple[str, ...]]()
        for mark in marks:
            for end in range(mark, -1, -1):
                if places[mark] - places[end] >= 20 or sum(sizes[: end + 1]) < self.minimum:
                    break
                prefix = tuple(blocks[: end + 1])
                if self.warm.get((model, prefix), (now, ""))[0] > now:
                    renew.add(prefix)
                    read = max(read, end + 1)
                    break
        written = {"5m": 0, "1h": 0}
        put: dict[tuple[str, ...], str] = {p: self.warm[model, p][1] for p in renew}
        done = read
        for mark, lifetime in sorted(marks.items()):
            if mark >= done and sum(sizes[: mark + 1]) >= self.minimum:
                written[lifetime] += sum(sizes[done : mark + 1])
                put[tuple(blocks[: mark + 1])] = lifetime
                done = mark + 1
        bill = Bill(
            model=model,
            prices=self.price_of(model),
            input=sum(sizes[done:]),
            cache_read=sum(sizes[:read]),
            cache_write_5m=written["5m"],
            cache_write_1h=written["1h"],
        )

        def begun() -> None:
            for prefix, lifetime in put.items():
                self.warm[model, prefix] = (now + SECONDS[lifetime], lifetime)

        return bill, begun


def _lay_out(body: Json) -> tuple[list[str], dict[int, str], list[int]]:
    """The prompt's blocks as texts, the index of each marked one with its lifetime, and each block's place."""
    blocks: list[str] = []
    marks: dict[int, str] = {}
    places: list[int] = []
    last = ""
    for kind, block in _walk(body):
        control = block.get("cache_control")
        if control:
            marks[len(blocks)] = control.get("ttl", "5m")
        runs_on = kind == last and kind in ("tool_use", "tool_result")
        places.append(places[-1] + (not runs_on) if places else 0)
        last = kind
        blocks.append(json.dumps([kind, {k: v for k, v in block.items() if k != "cache_control"}]))
    if body.get("cache_control") and blocks:
        marks.setdefault(len(blocks) - 1, body["cache_control"].get("ttl", "5m"))
    return blocks, marks, places


def _walk(body: Json) -> Iterable[tuple[str, Json]]:
    for tool in body.get("tools") or []:
        yield "tool", tool
    for block in _as_blocks(body.get("system")):
        yield "system", block
    yield "choice", {"tool_choice": body.get("tool_choice")}
    for message in body["messages"]:
        for block in _as_blocks(message["content"]):
            kind = str(block.get("type"))
            yield (kind, block) if kind.startswith("tool_") else (f"{message['role']} {kind}", block)


def _as_blocks(content: Any) -> list[Json]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return content or []
