"""When a provider's prompt cache is warm: lifetimes, least lengths, and what two prompts must share.

Rule: a cache belongs to one model and one beginning of a prompt; it lives from the start of the request that last used
it. Sources: the providers' caching pages as of November 2026. What is assumed is chosen to make a baseline cheaper,
never dearer.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

from rlmc.domain.chat import ChatRequest
from rlmc.domain.turn import Model

Ttl = Literal["5m", "1h"]

MINUTE = 60_000_000
LIFE: dict[Ttl, int] = {"5m": 5 * MINUTE, "1h": 60 * MINUTE}

# The shortest prompt each Claude model caches; the first prefix that fits decides.
_CLAUDE_MINIMUM: tuple[tuple[str, int], ...] = (
    ("claude-opus-5", 512),
    ("claude-opus-4-8", 1024),
    ("claude-opus-4-7", 2048),
    ("claude-opus-4", 4096),
    ("claude-sonnet-5-5", 512),
    ("claude-sonnet", 1024),
    ("claude-haiku-5", 512),
    ("claude-haiku", 4096),
    ("claude-fable", 512),
    ("claude-mythos", 512),
)
_DEFAULT_MINIMUM = 1024


@dataclass(frozen=True, slots=True)
class CacheRule:
    """`automatic`: prompts are cached without markers. `life` is that of an entry written without a marker."""

    minimum: int
    automatic: bool
    life: int


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """A cached beginning of a prompt: `tokens` long, last used by a request that started at `used_at`."""

    tokens: int
    used_at: int
    life: int

    def warm(self, at: int) -> int:
        """How many tokens a request that starts at `at` finds. One that started earlier, but ends later, finds all."""
        return self.tokens if at - self.used_at < self.life else 0


def rule_for(model: Model) -> CacheRule:
    name = model.name.lower().rsplit("/", 1)[-1].replace(".", "-")
    if model.provider == "sim":  # the embedded models behave like the newest Claude
        return CacheRule(minimum=512, automatic=False, life=LIFE["5m"])
    if name.startswith("claude-"):
        for prefix, minimum in _CLAUDE_MINIMUM:
            if name.startswith(prefix):
                return CacheRule(minimum=minimum, automatic=False, life=LIFE["5m"])
        return CacheRule(minimum=_DEFAULT_MINIMUM, automatic=False, life=LIFE["5m"])
    # Automatic caches publish no lifetime one could count on (30 minutes to days): an hour is on the careful side.
    return CacheRule(minimum=_DEFAULT_MINIMUM, automatic=True, life=LIFE["1h"])


def prefix_of(request: ChatRequest) -> str:
    """What tells apart the prompts of one conversation that cannot share a cache: their tools and output format.

    Tools stand first in a rendered prompt. Deferred ones are left out of it until they are looked up. The system text
    is left out on purpose: some clients change a line of it that the provider strips.
    """
    names = [tool.name for tool in request.tools if not tool.deferred]
    text = "\x00".join([*names, "format" if request.output_schema is not None else ""])
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
