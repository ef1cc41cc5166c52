"""Normalised traces: JSON lines, one record a model call, made from sessions of several agents.

A record names its `session` and `model`, its prompt as `in_fresh`, `in_cached` and `in_cache_write` (of which `cw_1h`
for an hour), its output as `out`, the classes of its tool calls and what it came `after`. What a source does not tell
is null: without `tools` nothing is known of the answer. Records of one session lie together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import field
from pathlib import Path
from typing import Annotated

import msgspec

from rlmc.cascade.keywords import is_approval, looks_hard
from rlmc.domain.effect import Effect, worst
from rlmc.domain.frozen import dataclass
from rlmc.replay.readers.facts import provider_of, unix_us
from rlmc.replay.readers.lines import decoded
from rlmc.replay.readers.reader import Reader, Reading
from rlmc.replay.recorded import CacheSource, Follows, RecordedCall

_EFFECTS = {
    "read": Effect.READ,
    "plan": Effect.PLAN,
    "shell_ro": Effect.SHELL_SAFE,
    "edit": Effect.EDIT,
}
_FOLLOWS: dict[str | None, Follows] = {"user": "user", "tool_result": "tool-results", "compact": "compaction"}
# An answer of nothing but thinking was cut off, or its end was not kept.
_NOT_KNOWN = frozenset({"unknown", "thinking_only"})


# Bounds, so that a damaged record is no record instead of a number nobody can reckon with.
_Count = Annotated[int, msgspec.Meta(ge=0, le=10**12)]
_Seconds = Annotated[float, msgspec.Meta(ge=-1e10, le=1e10)]


class _Tool(msgspec.Struct, gc=False):
    cls: str = ""


class _User(msgspec.Struct, gc=False):
    chars: _Count | None = None


class _Record(msgspec.Struct, gc=False):
    session: str
    model: str
    in_total: _Count | None
    repo: str | None = None
    ts: str | None = None
    t: _Seconds | None = None
    gap_start_s: _Seconds | None = None
    in_cached: _Count | None = None
    in_cache_write: _Count | None = None
    in_fresh: _Count | None = None
    cw_1h: _Count | None = None
    cache_src: str | None = None
    out: _Count | None = None
    out_src: str | None = None
    latency_s: _Seconds | None = None
    reply: str | None = None
    text_chars: _Count | None = None
    tools: list[_Tool] | None = None
    after: str | None = None
    after_errors: _Count | None = None
    since_user: _Count | None = None
    user: _User | None = None
    user_snip: str | None = None
    sidechain: bool | None = None
    subagent: str | None = None


_RECORD = msgspec.json.Decoder(_Record)


@dataclass(slots=True)
class _Thread:
    """`answered` is the worst effect of the thread's last answer: what results that come next are results of."""

    name: str
    answered: Effect | None = None


@dataclass(slots=True)
class _Session:
    """The calls of one session. `side` are its side chains by agent and by the start of their last call."""

    name: str
    calls: list[RecordedCall] = field(default_factory=list)
    main: _Thread = field(default_factory=lambda: _Thread(""))
    side: dict[tuple[str, int], _Thread] = field(default_factory=dict)
    side_count: int = 0
    began: int | None = None

    def add(self, record: _Record) -> None:
        thread = self._thread(record)
        effects = [_EFFECTS.get(tool.cls, Effect.UNSAFE) for tool in record.tools or ()]
        effect = worst(effects)
        follows = _FOLLOWS.get(record.after, "other")
        at, clock = self._start(record)
        write, long = record.in_cache_write or 0, record.cw_1h or 0
        long = min(write, max(0, long))
        # The record keeps the length of the user's message, and its beginning.
        said = (record.user.chars or 0) if record.user is not None else 0
        words = record.user_snip or ""
        self.calls.append(
            RecordedCall(
                session=self.name,
                thread=thread.name,
                project=record.repo,
                at=at,
                clock=clock,
                provider=provider_of(record.model),
                model=record.model,
                follows=follows,
                first_of_task=follows == "user" and not record.since_user,
                user_chars=said,
                hard=looks_hard(words),
                approval=is_approval(words),
                errors=record.after_errors or 0,
                previous=thread.answered if follows == "tool-results" else None,
                input=record.in_fresh or 0,
                cache_read=record.in_cached or 0,
                cache_write_5m=write - long,
                cache_write_1h=long,
                cache=_cache(record.cache_src),
                output=record.out or 0,
                output_estimated=(record.out_src or "").startswith("estimated"),
                effect=effect,
                known=record.tools is not None and record.reply not in _NOT_KNOWN,
                calls=len(effects),
                text_chars=record.text_chars or 0,
                latency_s=record.latency_s,
            )
        )
        thread.answered = effect

    def _start(self, record: _Record) -> tuple[int, bool]:
        since = round((record.t or 0.0) * 1e6)
        at = unix_us(record.ts)
        if at is None:
            return (since, False) if self.began is None else (self.began + since, True)
        if self.began is None:
            self.began = at - since
        return at, True

    def _thread(self, record: _Record) -> _Thread:
        """The thread of a record. A side chain goes by its agent's kind, and several of a kind run at a time; which of
        them goes on is told by the gap to the start of its last call."""
        if not record.sidechain and not record.subagent:
            return self.main
        kind, start = record.subagent or "side", record.t or 0.0
        thread = None
        if record.gap_start_s is not None:
            last = round((start - record.gap_start_s) * 1000)
            # Both moments were rounded, so they may miss each other by a thousandth.
            near = next((m for m in (last, last - 1, last + 1) if (kind, m) in self.side), last)
            thread = self.side.pop((kind, near), None)
        if thread is None:
            self.side_count += 1
            thread = _Thread(f"{kind}-{self.side_count}")
        self.side[kind, round(start * 1000)] = thread
        return thread


def _cache(source: str | None) -> CacheSource:
    if source == "usage":
        return "billed"
    return "derived" if source is not None and source.startswith("derived") else "none"


def _sessions(files: Sequence[Path], reading: Reading) -> Iterator[list[RecordedCall]]:
    for path in files:
        session: _Session | None = None
        for line in reading.lines(path):
            record = decoded(_RECORD, line)
            if record is None:
                reading.faults.broken += 1
                continue
            if not (record.in_fresh or record.in_cached or record.in_cache_write):
                reading.faults.skipped += 1
                continue
            if session is None or session.name != record.session:
                if session is not None:
                    yield sorted(session.calls, key=_at)
                session = _Session(record.session)
            session.add(record)
        if session is not None:
            yield sorted(session.calls, key=_at)


def _at(call: RecordedCall) -> int:
    return call.at


def _recognises(line: bytes) -> bool:
    return decoded(_RECORD, line) is not None


READER = Reader(name="trace", places=(), recognises=_recognises, sessions=_sessions)
