"""One finished turn, as far as its baseline needs it."""

from __future__ import annotations

from dataclasses import dataclass

from rlmc.domain.chat import Usage
from rlmc.domain.turn import Model, Outcome
from rlmc.pricing.cache import Ttl


@dataclass(frozen=True, slots=True)
class TurnFacts:
    """Enough to replay a session from a ledger, without content.

    `conversation` is what a prompt cache belongs to, `prefix` the part of it that shares a beginning (see
    `cache.prefix_of`). `at` is the start of the request in unix microseconds, `ttl` the longest lifetime among its
    cache markers. `verify_calls` are the verify model's own calls of this turn in order (None: it sent no usage); a
    call the provider refused bills nothing and is an empty `Usage`. Of a direct or enhanced turn the last one is the
    answer; of an accepted or enhanced one, or before the last one of a direct turn, they carry `appended_chars` of
    draft and instruction behind the prompt. `draft` is the usage of the drafted answer, `answer_chars` the size of the
    answer the client received. `measured` is false when any usage here was reckoned because an answer broke off.
    """

    conversation: str
    at: int
    outcome: Outcome
    verify: Model
    ttl: Ttl | None
    prompt_chars: int
    verify_calls: tuple[Usage | None, ...] = ()
    draft: Usage | None = None
    appended_chars: int = 0
    answer_chars: int = 0
    measured: bool = True
    prefix: str = ""
