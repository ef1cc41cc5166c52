"""Token counts of this protocol, where the prompt's include what came from a cache.

Rules: no count ever comes out negative; a lane with a price list of its own is named, not dropped.
"""

from __future__ import annotations

from typing import Any

from rlmc.domain.chat import Usage

Json = dict[str, Any]

# Beyond any prompt there is: a count above it is garbage, and would overflow the books.
_MOST = 10**9

_TOKEN_FIELDS = ("prompt_tokens", "completion_tokens")
_USUAL_TIERS = frozenset({"auto", "default", "standard"})


def read_usage(raw: object, tier: object = None) -> Usage | None:
    """None when the provider sent no token counts. `tier` is the service tier the answer came in."""
    if not isinstance(raw, dict) or not any(type(raw.get(name)) is int for name in _TOKEN_FIELDS):
        return None
    prompt, output = _count(raw.get("prompt_tokens")), _count(raw.get("completion_tokens"))
    details = _object(raw.get("prompt_tokens_details"))
    read = min(
        prompt, _first_count(details.get("cached_tokens"), raw.get("prompt_cache_hit_tokens"), raw.get("cached_tokens"))
    )
    written = min(prompt - read, _count(details.get("cache_write_tokens")))
    thinking = _count(_object(raw.get("completion_tokens_details")).get("reasoning_tokens"))
    return Usage(
        input=prompt - read - written,
        cache_read=read,
        cache_write_5m=written,
        output=output,
        thinking=min(output, thinking),
        unpriced=(f"service_tier:{tier}"[:40],) if isinstance(tier, str) and tier not in _USUAL_TIERS else (),
    )


def write_usage(usage: Usage) -> Json:
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.output,
        "total_tokens": usage.prompt + usage.output,
        "prompt_tokens_details": {
            "cached_tokens": usage.cache_read,
            "cache_write_tokens": usage.cache_write_5m + usage.cache_write_1h,
        },
        "completion_tokens_details": {"reasoning_tokens": usage.thinking},
    }


def _first_count(*values: object) -> int:
    """The first that is said; DeepSeek and Moonshot have words of their own for it."""
    return _count(next((value for value in values if value is not None), 0))


def _count(value: object) -> int:
    return value if type(value) is int and 0 <= value <= _MOST else 0


def _object(value: object) -> Json:
    return value if isinstance(value, dict) else {}
