"""A recorded session as replay needs it: one value a model call, whatever kind of file it came from.

Rule: no content. A reader looks at texts, keeps counts and classes, and forgets the texts.
"""

from __future__ import annotations

from typing import Literal

from rlmc.domain.effect import Effect
from rlmc.domain.frozen import dataclass

Follows = Literal["user", "tool-results", "compaction", "other"]
CacheSource = Literal["billed", "derived", "none"]


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """One model call and its answer.

    `session` is the agent's session, `thread` what shares a prompt inside it ("" for the main loop, else a sub-agent's
    or side chain's id). `project` is the directory or repository it ran in. `at` is the start of the request in unix
    microseconds; without `clock` the record holds no time of day, and it is microseconds since the session's start.

    `follows` says what the call comes after; `first_of_task` is true for the first call after a user message. `errors`
    are failed results among those that just came in, `previous` the worst effect among the calls they answer.

    The prompt's tokens come in the four disjoint classes of `Usage`; `cache` says whether the provider billed them so,
    whether they were derived, or nothing is known of a cache. `output` are billed output tokens, thinking included;
    `output_estimated` when they were reckoned from the length of what was written.

    `effect` is the worst effect among the answer's tool calls, None for an answer without calls; `known` is false
    where the record does not tell what the answer was. `calls` counts its tool calls, `text_chars` its visible text.
    `by_draft` marks an answer that rlmc itself had a draft model give. `user_chars` is the length of the user's message
    a task begins with, `hard` whether it looks hard, `approval` whether it says no more than "go on".
    """

    session: str
    thread: str
    project: str | None
    at: int
    clock: bool
    provider: str
    model: str
    follows: Follows
    first_of_task: bool
    errors: int
    previous: Effect | None
    input: int
    cache_read: int
    cache_write_5m: int
    cache_write_1h: int
    cache: CacheSource
    output: int
    output_estimated: bool
    effect: Effect | None
    known: bool
    calls: int
    text_chars: int
    latency_s: float | None = None
    by_draft: bool = False
    user_chars: int = 0
    hard: bool = False
    approval: bool = False

    @property
    def prompt(self) -> int:
        return self.input + self.cache_read + self.cache_write_5m + self.cache_write_1h


@dataclass(slots=True)
class ReadingFaults:
    """What a reader met and passed over. `broken` lines were no JSON or no record, `skipped` had nothing to replay."""

    broken: int = 0
    skipped: int = 0
    files: int = 0
