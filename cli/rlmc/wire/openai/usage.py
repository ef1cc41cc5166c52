"""Token counts of both protocols, where the prompt's include what came from a cache.

Rules: no count ever comes out negative; a lane with a price list of its own is named, not dropped.
"""

from __future__ import annotations

from typing import Any

from rlmc.domain.chat import Usage
from rlmc.domain.frozen import dataclass

Json = dict[str, Any]

# Beyond any prompt there is: a count above it is garbage, and would overflow the books.
_MOST = 10**9

_USUAL_TIERS = frozenset({"auto", "default", "standard"})
# DeepSeek's and Moonshot's own words for what was read from a cache.
_CACHED = ("prompt_cache_hit_tokens", "cached_tokens")


@dataclass(frozen=True, slots=True)
class Counts:
    """What a protocol calls the tokens of the prompt and of the answer."""

    prompt: str
    output: str

    def read(self, raw: object, tier: object = None) -> Usage | None:
        """None when the provider sent no token counts. `tier` is the service tier the answer came in."""
        if not isinstance(raw, dict) or not any(type(raw.get(name)) is int for name in (self.prompt, self.output)):
            return None
        prompt, output = _count(raw.get(self.prompt)), _count(raw.get(self.output))
        details = _object(raw.get(f"{self.prompt}_details"))
        read = min(prompt, _first_count(details.get("cached_tokens"), *(raw.get(name) for name in _CACHED)))
        written = min(prompt - read, _count(details.get("cache_write_tokens")))
        thinking = _count(_object(raw.get(f"{self.output}_details")).get("reasoning_tokens"))
        return Usage(
            input=prompt - read - written,
            cache_read=read,
            cache_write_5m=written,
            output=output,
            thinking=min(output, thinking),
            unpriced=(f"service_tier:{tier}"[:40],) if isinstance(tier, str) and tier not in _USUAL_TIERS else (),
        )

    def write(self, usage: Usage) -> Json:
        return {
            self.prompt: usage.prompt,
            f"{self.prompt}_details": {
                "cached_tokens": usage.cache_read,
                "cache_write_tokens": usage.cache_write_5m + usage.cache_write_1h,
            },
            self.output: usage.output,
            f"{self.output}_details": {"reasoning_tokens": usage.thinking},
            "total_tokens": usage.prompt + usage.output,
        }


def _first_count(*values: object) -> int:
    """The first that is said."""
    return _count(next((value for value in values if value is not None), 0))


def _count(value: object) -> int:
    return value if type(value) is int and 0 <= value <= _MOST else 0


def _object(value: object) -> Json:
    return value if isinstance(value, dict) else {}
