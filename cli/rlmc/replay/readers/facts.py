"""Small facts every format writes the same way: a moment, a model's provider, what a next call comes after."""

from __future__ import annotations

import re
from dataclasses import field
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from rlmc.cascade.keywords import is_approval, looks_hard
from rlmc.domain.effect import Effect
from rlmc.domain.frozen import dataclass
from rlmc.replay.recorded import Follows

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

UNKNOWN_PROVIDER = "unknown"
# By the beginning of the model's own name; a provider's name here is the one its prices go by.
_PROVIDERS = (
    ("claude", "anthropic"),
    ("gpt", "openai"),
    ("codex", "openai"),
    ("chatgpt", "openai"),
    ("deepseek", "deepseek"),
    ("kimi", "moonshot"),
    ("moonshot", "moonshot"),
    ("glm", "zai"),
    ("minimax", "minimax"),
    ("qwen", "qwen"),
)
_OPENAI_O = re.compile(r"o\d")


def unix_us(moment: str | None) -> int | None:
    """An ISO moment in unix microseconds; one without a zone is taken for UTC."""
    if not moment:
        return None
    try:
        parsed = datetime.fromisoformat(moment)
        if parsed.tzinfo is None:
            parsed = parsed.replace(tzinfo=UTC)
        return (parsed - _EPOCH) // _MICROSECOND
    except (ValueError, OverflowError):
        return None


@lru_cache(maxsize=256)
def provider_of(model: str, otherwise: str = UNKNOWN_PROVIDER) -> str:
    """Who sells a model, by its name. Clouds put their own words before it (`us.anthropic.claude-…`, `vendor/…`)."""
    name = model.lower().rpartition("/")[2]
    if model.startswith("sim/"):
        return "sim"
    if _OPENAI_O.match(name):
        return "openai"
    if "anthropic.claude" in name:
        return "anthropic"
    return next((provider for beginning, provider in _PROVIDERS if name.startswith(beginning)), otherwise)


def seconds_between(start: int | None, end: int | None) -> float | None:
    """A duration between two moments; None where one is missing or the clock went backwards."""
    return (end - start) / 1e6 if start is not None and end is not None and end >= start else None


@dataclass(slots=True)
class Inbox:
    """What came in since the last answer began, which is what the next call comes after.

    `previous` are the effects of the calls whose results came in. `at` is when the last of it came. `hard` and
    `approval` are readings of the user's words, as in the live proxy.
    """

    user: bool = False
    user_chars: int = 0
    hard: bool = False
    approval: bool = False
    compacted: bool = False
    results: int = 0
    errors: int = 0
    previous: list[Effect] = field(default_factory=list)
    at: int | None = None

    def says(self, text: str) -> None:
        """The user's words."""
        self.approval = not self.user and is_approval(text)
        self.user = True
        self.user_chars += len(text)
        self.hard = self.hard or looks_hard(text)

    def compact(self) -> None:
        """The history was replaced by a summary: results that were waiting are no longer in the prompt."""
        self.compacted = True
        self.results = self.errors = 0
        self.previous.clear()

    @property
    def follows(self) -> Follows:
        """The user's words decide, as in the live proxy."""
        if self.user:
            return "user"
        if self.results:
            return "tool-results"
        return "compaction" if self.compacted else "other"
