"""Token counts of the Messages API, read with suspicion and written for the client's context meter.

Rules: no count ever comes out negative; a cache write without a lifetime is a five-minute one; a fee this version has
no price for is named, not dropped.
"""

from __future__ import annotations

from typing import Any

from rlmc.domain.chat import Usage

Json = dict[str, Any]

# Beyond any prompt there is: a count above it is garbage, and would overflow the books.
_MOST = 10**9

# Fees of the server's own tools: one with a price of its own, one that is free.
_SEARCHES = "web_search_requests"
_KNOWN = frozenset({_SEARCHES, "web_fetch_requests"})
_NUMBERS = (int, float)

_TOKEN_FIELDS = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")


class UsageTrack:
    """The usage of a streamed answer: what `message_start` says, overwritten by what each `message_delta` restates."""

    def __init__(self) -> None:
        self._seen: Json = {}

    def update(self, usage: object) -> Usage | None:
        if isinstance(usage, dict):
            self._seen.update({name: value for name, value in usage.items() if value is not None})
        return read_usage(self._seen)


def read_usage(raw: object) -> Usage | None:
    """None when the provider sent no token counts."""
    if not isinstance(raw, dict) or raw.keys().isdisjoint(_TOKEN_FIELDS):
        return None
    short, long = _writes(raw)
    output = _count(raw.get("output_tokens"))
    tools = _object(raw.get("server_tool_use"))
    return Usage(
        input=_count(raw.get("input_tokens")),
        cache_read=_count(raw.get("cache_read_input_tokens")),
        cache_write_5m=short,
        cache_write_1h=long,
        output=output,
        thinking=min(output, _count(_object(raw.get("output_tokens_details")).get("thinking_tokens"))),
        web_searches=_count(tools.get(_SEARCHES)),
        others=_others(raw.get("iterations")),
        unpriced=_unpriced(raw, tools),
    )


def write_usage(usage: Usage, output: int) -> Json:
    """The usage a client reads at the start of an answer, or with a whole one."""
    return {
        **write_prompt(usage),
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write_5m,
            "ephemeral_1h_input_tokens": usage.cache_write_1h,
        },
        "output_tokens": output,
    }


def write_prompt(usage: Usage) -> Json:
    return {
        "input_tokens": usage.input,
        "cache_creation_input_tokens": usage.cache_write_5m + usage.cache_write_1h,
        "cache_read_input_tokens": usage.cache_read,
    }


def _count(value: object) -> int:
    return value if type(value) is int and 0 <= value <= _MOST else 0


def _object(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _writes(raw: Json) -> tuple[int, int]:
    total = _count(raw.get("cache_creation_input_tokens"))
    split = _object(raw.get("cache_creation"))
    short = _count(split.get("ephemeral_5m_input_tokens"))
    long = _count(split.get("ephemeral_1h_input_tokens"))
    # A later event may restate the total without its split; what it adds lives as long as the rest.
    more = max(0, total - short - long)
    return (short, long + more) if long and not short else (short + more, long)


def _others(iterations: object) -> tuple[tuple[str, Usage], ...]:
    if not isinstance(iterations, list):
        return ()
    found = []
    for entry in iterations:
        if isinstance(entry, dict) and entry.get("type") != "message":
            model = entry.get("model")
            usage = read_usage({name: value for name, value in entry.items() if name != "iterations"})
            if usage is not None:
                found.append((model if isinstance(model, str) else "", usage))
    return tuple(found)


def _unpriced(raw: Json, tools: Json) -> tuple[str, ...]:
    fees = [name for name, value in tools.items() if name not in _KNOWN and isinstance(value, _NUMBERS) and value > 0]
    # Lanes and places with a price list of their own.
    if raw.get("speed") == "fast":
        fees.append("speed:fast")
    if raw.get("service_tier") not in (None, "standard"):
        fees.append(f"service_tier:{raw['service_tier']}"[:40])
    if raw.get("inference_geo") == "us":
        fees.append("inference_geo:us")
    return tuple(fees)
