"""Recorded calls for tests of replay: short to write down, and as Hypothesis strategies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st
from tests.support.prices import MINUTE, OPUS, SECOND, START

from rlmc.domain.effect import Effect
from rlmc.replay.recorded import RecordedCall

EFFECTS: tuple[Effect | None, ...] = (None, *Effect)


def call(**changes: Any) -> RecordedCall:
    """A call in the middle of a task that reads a file; its prompt is 20,000 tokens, all but 100 of them cached."""
    known: dict[str, Any] = {
        "session": "s1",
        "thread": "",
        "project": "someone/something",
        "at": START,
        "clock": True,
        "provider": OPUS.provider,
        "model": OPUS.name,
        "follows": "tool-results",
        "first_of_task": False,
        "errors": 0,
        "previous": Effect.READ,
        "input": 0,
        "cache_read": 19_900,
        "cache_write_5m": 100,
        "cache_write_1h": 0,
        "cache": "billed",
        "output": 200,
        "output_estimated": False,
        "effect": Effect.READ,
        "known": True,
        "calls": 1,
        "text_chars": 40,
        "latency_s": 6.0,
    }
    return RecordedCall(**(known | changes))


def task(length: int, *, gap: int = 20 * SECOND, grow: int = 1_000, **changes: Any) -> list[RecordedCall]:
    """One task: the user's message, then a read after every read, in a prompt that grows and is billed as it should."""
    found = []
    for number in range(length):
        prompt = 20_000 + number * grow
        first = number == 0
        found.append(
            call(
                at=START + number * gap,
                follows="user" if first else "tool-results",
                first_of_task=first,
                previous=None if first else Effect.READ,
                cache_read=0 if first else prompt - grow,
                cache_write_5m=prompt if first else grow,
                **changes,
            )
        )
    return found


@st.composite
def sessions(draw: st.DrawFn, models: Sequence[str] = (OPUS.name,)) -> list[RecordedCall]:
    """Any session whose counts are possible: threads, gaps, errors, prompts that shrink, caches that are lost."""
    found: list[RecordedCall] = []
    at = START
    previous: dict[str, Effect | None] = {}
    for _ in range(draw(st.integers(1, 14))):
        at += draw(st.sampled_from((SECOND, 20 * SECOND, 4 * MINUTE, 6 * MINUTE, 70 * MINUTE)))
        thread = draw(st.sampled_from(("", "", "", "side-1")))
        prompt = draw(st.integers(1, 120_000))
        fresh = draw(st.integers(0, min(prompt, 50)))
        read = draw(st.integers(0, prompt - fresh))
        short = draw(st.sampled_from((0, prompt - fresh - read)))
        effect = draw(st.sampled_from(EFFECTS))
        follows = draw(st.sampled_from(("user", "tool-results", "tool-results", "other")))
        found.append(
            call(
                thread=thread,
                at=at,
                model=draw(st.sampled_from(models)),
                follows=follows,
                first_of_task=follows == "user",
                errors=draw(st.sampled_from((0, 0, 0, 1))),
                previous=previous.get(thread) if follows == "tool-results" else None,
                input=fresh,
                cache_read=read,
                cache_write_5m=short,
                cache_write_1h=prompt - fresh - read - short,
                output=draw(st.integers(1, 3_000)),
                effect=effect,
                known=draw(st.sampled_from((True, True, True, False))),
                calls=0 if effect is None else 1,
                text_chars=draw(st.sampled_from((0, 80, 4_000))),
            )
        )
        previous[thread] = effect
    return found


@st.composite
def conversations(draw: st.DrawFn) -> list[RecordedCall]:
    """As coding agents have them: one prompt that grows, pauses of all lengths, a prefix lost now and then."""
    found: list[RecordedCall] = []
    long = draw(st.booleans())
    at, before, previous = START, 0, None
    for number in range(draw(st.integers(1, 12))):
        at += draw(st.sampled_from((20 * SECOND, 20 * SECOND, 4 * MINUTE, 6 * MINUTE, 70 * MINUTE)))
        prompt = before + draw(st.integers(1_000, 20_000))
        read = draw(st.sampled_from((before, before, before, before // 2)))
        effect = draw(st.sampled_from(EFFECTS))
        first = number == 0 or draw(st.integers(0, 4)) == 0
        found.append(
            call(
                at=at,
                follows="user" if first else "tool-results",
                first_of_task=first,
                errors=draw(st.sampled_from((0, 0, 0, 1))),
                previous=None if first else previous,
                cache_read=read,
                cache_write_5m=0 if long else prompt - read,
                cache_write_1h=prompt - read if long else 0,
                output=draw(st.integers(1, 2_000)),
                effect=effect,
                known=draw(st.sampled_from((True, True, True, False))),
                calls=0 if effect is None else 1,
                text_chars=draw(st.sampled_from((0, 80, 4_000))),
            )
        )
        before, previous = prompt, effect
    return found
