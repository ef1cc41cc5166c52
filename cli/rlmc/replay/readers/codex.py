"""Rollouts of the Codex CLI: `~/.codex/sessions/<year>/<month>/<day>/rollout-*.jsonl`, one file a thread.

A line is `{timestamp, type, payload}`: the thread's facts (`session_meta`, `turn_context`), items of the conversation
(`response_item`) and events. An answer is the run of items up to its usage. What makes it hard:

- Usage comes as a `token_usage_record` right after the answer and again as a `token_count` event, in older versions as
  the event alone; the event comes after the results of the answer's calls and is repeated whenever limits change. What
  moves on with every call are the thread's totals.
- A thread that forks from another begins with a copy of it, its moments rewritten to the moment of the fork.
- Caches work by themselves: there is no time to live. Newer models bill what goes into them, which is told.
- Before there were events, lines were bare items without any usage. Such files are recognised and hold no calls.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import field
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Raw

from rlmc.domain.effect import Effect, worst
from rlmc.domain.frozen import dataclass
from rlmc.replay.readers.facts import Inbox, provider_of, seconds_between, unix_us
from rlmc.replay.readers.lines import decoded
from rlmc.replay.readers.reader import Reader, Reading
from rlmc.replay.recorded import RecordedCall

_NOTHING = Raw(b"")
_COPY_US = 2_000_000
"""How long after its first line a forked thread may still be writing its copy; no model answers as fast."""

_LINE_TYPES = frozenset({
    "session_meta", "response_item", "event_msg", "turn_context", "compacted", "token_usage_record", "world_state",
})  # fmt: skip
_CALLS = frozenset({
    "function_call", "custom_tool_call", "local_shell_call", "tool_search_call", "web_search_call",
    "image_generation_call",
})  # fmt: skip
_RESULTS = frozenset({
    "function_call_output", "custom_tool_call_output", "local_shell_call_output", "tool_search_output",
})  # fmt: skip
_BARE_ITEMS = frozenset({"message", "reasoning", *_CALLS, *_RESULTS})

# The client's words under the user's name, by how they begin, in lower case.
_NOTICES = (
    "<environment_context", "<user_instructions", "# agents.md instructions", "<permissions", "<collaboration_mode",
    "<turn_aborted", "<subagent_notification", "<skill", "<user_shell_command", "<user_action", "<recommended_plugins",
    "<goal_context", "<codex_internal_context", "<external_", "<hook_prompt", "warning: ",
)  # fmt: skip

# A result is text for the model. What begins it says how the command ended; what the command printed comes after.
_HEAD = 400
_EXIT = re.compile(rb"(?:exit code:|exited with code) *(-?\d+)", re.IGNORECASE)
_EXIT_FIELD = re.compile(rb'exit_code\\?" *: *(-?\d+)')
_REFUSED = re.compile(
    rb'"?\s*(?:err(?:or)?\b|failed |unsupported |aborted|execution error|tool call error|\w+(?: \w+)? failed)',
    re.IGNORECASE,
)

_Count = Annotated[int, msgspec.Meta(ge=-(10**12), le=10**12)]


class _Usage(msgspec.Struct, gc=False):
    input_tokens: _Count | None = None
    cached_input_tokens: _Count | None = None
    cache_write_input_tokens: _Count | None = None
    output_tokens: _Count | None = None


class _Line(msgspec.Struct, gc=False):
    type: str = ""
    timestamp: str | None = None
    ordinal: int | None = None
    payload: Raw = _NOTHING


class _Meta(msgspec.Struct, gc=False):
    id: str | None = None
    cwd: str | None = None
    forked_from_id: str | None = None
    model_provider: str | None = None
    subagent_history_start_ordinal: int | str | None = None


class _Bare(msgspec.Struct, gc=False):
    """A line of the oldest form: a first one of facts, then items as they are."""

    id: str | None = None
    role: str | None = None
    call_id: str | None = None
    record_type: str | None = None
    instructions: Raw = _NOTHING


class _Settings(msgspec.Struct, gc=False):
    model: str | None = None
    cwd: str | None = None


class _Text(msgspec.Struct, gc=False):
    type: str = ""
    text: str | None = None


class _Item(msgspec.Struct, gc=False):
    type: str = ""
    role: str | None = None
    name: str | None = None
    namespace: str | None = None
    call_id: str | None = None
    content: Raw = _NOTHING
    arguments: Raw = _NOTHING
    input: Raw = _NOTHING
    action: Raw = _NOTHING
    output: Raw = _NOTHING


class _Kind(msgspec.Struct, gc=False):
    type: str = ""


class _Event(_Usage):
    type: str = ""
    info: Raw = _NOTHING
    item: Raw = _NOTHING
    thread_settings: Raw = _NOTHING


class _Info(msgspec.Struct, gc=False):
    last_token_usage: _Usage | None = None
    total_token_usage: _Usage | None = None


class _Billed(msgspec.Struct, gc=False):
    usage: _Usage
    thread_id: str | None = None
    response_id: str | None = None
    thread_token_usage: _Usage | None = None


_LINE = msgspec.json.Decoder(_Line)
_META = msgspec.json.Decoder(_Meta)
_BARE = msgspec.json.Decoder(_Bare)
_SETTINGS = msgspec.json.Decoder(_Settings)
_ITEM = msgspec.json.Decoder(_Item)
_KIND = msgspec.json.Decoder(_Kind)
_EVENT = msgspec.json.Decoder(_Event)
_INFO = msgspec.json.Decoder(_Info)
_BILLED = msgspec.json.Decoder(_Billed)
_TEXTS = msgspec.json.Decoder(list[_Text])
_STRING = msgspec.json.Decoder(str)


class _Tokens(NamedTuple):
    """`input` is the whole prompt, `cached` and `written` parts of it."""

    input: int = 0
    cached: int = 0
    written: int = 0
    output: int = 0

    def since(self, earlier: _Tokens) -> _Tokens:
        """What came on top; everything, where the totals began anew."""
        more = _Tokens(*(now - before for now, before in zip(self, earlier, strict=True)))
        return more if min(more) >= 0 else self


def _tokens(usage: _Usage | None) -> _Tokens | None:
    if usage is None:
        return None
    found = (usage.input_tokens, usage.cached_input_tokens, usage.cache_write_input_tokens, usage.output_tokens)
    return _Tokens(*(max(0, count or 0) for count in found))


@dataclass(slots=True)
class _Answer:
    """An answer while its items come in."""

    follows: Inbox
    began: int | None
    ended: int | None
    text_chars: int = 0
    effects: list[Effect] = field(default_factory=list)


class _Rollout:
    """One thread: lines in, calls out."""

    def __init__(self, reading: Reading, name: str) -> None:
        self.calls: list[RecordedCall] = []
        self._reading = reading
        self._name = name
        self._owners: list[str] = []  # the thread's id, then those of the threads it holds a copy of
        self._forked = False
        self._own_from: int | None = None
        self._began: int | None = None
        self._provider: str | None = None
        self._project: str | None = None
        self._model = ""
        self._inbox = Inbox()
        self._later = Inbox()
        self._answer: _Answer | None = None
        self._waiting: dict[str, Effect] = {}
        self._totals: _Tokens | None = None
        self._last: _Tokens | None = None

    def add(self, raw: bytes) -> None:
        line = decoded(_LINE, raw)
        if line is None:
            self._reading.faults.broken += 1
            return
        at = unix_us(line.timestamp)
        self._began = at if self._began is None else self._began
        if self._own_from is not None and line.ordinal is not None and line.ordinal < self._own_from:
            return
        payload = line.payload if bytes(line.payload) else Raw(raw)
        match line.type:
            case "session_meta":
                known = self._meta(payload)
            case "turn_context":
                known = self._settings(payload)
            case "response_item":
                known = self._item(payload, at)
            case "event_msg":
                known = self._event(payload, at)
            case "token_usage_record":
                known = self._billed(payload, at)
            case "compacted":
                known = self._compacted()
            case kind if kind in _BARE_ITEMS:
                known = self._item(payload, at)
            case _:
                known = True  # of no use here, or newer than this reader
        if not known:
            self._reading.faults.broken += 1

    def close(self) -> list[RecordedCall]:
        self._give_up()
        return sorted(self.calls, key=lambda call: call.at)

    def _meta(self, payload: Raw) -> bool:
        meta = decoded(_META, payload)
        if meta is None:
            return False
        if meta.id is not None and meta.id not in self._owners:
            self._owners.append(meta.id)
        self._forked = self._forked or meta.forked_from_id is not None or len(self._owners) > 1
        if len(self._owners) <= 1:
            self._project, self._provider = meta.cwd, meta.model_provider
            start = str(meta.subagent_history_start_ordinal or "")
            self._own_from = int(start) if start.isdecimal() else None
        return True

    def _settings(self, payload: Raw) -> bool:
        settings = decoded(_SETTINGS, payload)
        if settings is None:
            return False
        self._model = settings.model or self._model
        self._project = settings.cwd or self._project
        return True

    def _compacted(self) -> bool:
        self._give_up()
        self._inbox.compact()
        return True

    def _event(self, payload: Raw, at: int | None) -> bool:
        kind = decoded(_KIND, payload)
        if kind is None:
            return False
        match kind.type:
            case "token_count":
                return self._token_count(payload, at)
            case "user_message":
                self._user(at)
            case "task_started" | "turn_started" | "turn_aborted":
                self._give_up()
            case "item_completed" | "thread_settings_applied":
                event = decoded(_EVENT, payload)
                if event is None:
                    return False
                if kind.type == "thread_settings_applied":
                    return self._settings(event.thread_settings)
                item = decoded(_KIND, event.item)
                if item is not None and item.type == "UserMessage":
                    self._user(at)
        return True

    def _item(self, payload: Raw, at: int | None) -> bool:
        item = decoded(_ITEM, payload)
        if item is None:
            return False
        if item.type == "message" and item.role == "assistant":
            texts = decoded(_TEXTS, item.content) or []
            self._open(at).text_chars += sum(len(text.text or "") for text in texts)
        elif item.type == "message" and item.role == "user":
            texts = decoded(_TEXTS, item.content) or []
            said = [text.text or "" for text in texts if text.type != "input_text" or _is_the_users(text.text or "")]
            if said:
                self._user(at)
                self._inbox.says("\n".join(said))
            else:
                self._incoming.at = at
        elif item.type == "reasoning":
            self._open(at)
        elif item.type in _CALLS:
            self._call(item, at)
        elif item.type in _RESULTS:
            inbox = self._incoming
            inbox.at = at
            inbox.results += 1
            inbox.errors += _failed(bytes(item.output))
            # A result without its call may be of anything.
            inbox.previous.append(self._waiting.pop(item.call_id or "", Effect.UNSAFE))
        elif item.type in ("compaction", "compaction_summary", "context_compaction"):
            self._compacted()
        return True

    @property
    def _incoming(self) -> Inbox:
        """Where what comes in now belongs: an answer without its usage is not over, so it is for the call after."""
        return self._inbox if self._answer is None else self._later

    def _user(self, at: int | None) -> None:
        self._give_up()
        self._inbox.user = True
        self._inbox.at = at

    def _open(self, at: int | None) -> _Answer:
        answer = self._answer
        if answer is None:
            answer = self._answer = _Answer(self._inbox, at, at)
            self._waiting.clear()
        elif at is not None:
            answer.ended = max(at, answer.ended or at)
        return answer

    def _call(self, item: _Item, at: int | None) -> None:
        answer = self._open(at)
        effect = self._reading.effect_of(*_named(item))
        answer.effects.append(effect)
        if item.call_id is not None:
            self._waiting[item.call_id] = effect

    def _give_up(self) -> None:
        """An answer whose usage never came: cut off, or of a version that told none."""
        if self._answer is not None:
            self._reading.faults.skipped += 1
            self._next()

    def _next(self) -> None:
        self._answer, self._inbox, self._later = None, self._later, Inbox()

    def _billed(self, payload: Raw, at: int | None) -> bool:
        billed = decoded(_BILLED, payload)
        if billed is None:
            return False
        copied = billed.thread_id is not None and bool(self._owners) and billed.thread_id != self._owners[0]
        if not copied and billed.response_id is not None:
            copied = not self._reading.seen.first(f"codex {billed.response_id}")
        self._usage(_tokens(billed.usage), _tokens(billed.thread_token_usage), at, copied=copied)
        return True

    def _token_count(self, payload: Raw, at: int | None) -> bool:
        event = decoded(_EVENT, payload)
        if event is None:
            return False
        if event.input_tokens is not None:  # the oldest form: the totals alone, without a name
            self._usage(None, _tokens(event), at, copied=False)
            return True
        if bytes(event.info) in (b"", b"null"):
            return True
        info = decoded(_INFO, event.info)
        if info is None:
            return False
        early = at is not None and self._began is not None and at - self._began < _COPY_US
        totals = _tokens(info.total_token_usage)
        self._usage(_tokens(info.last_token_usage), totals, at, copied=self._forked and early)
        return True

    def _usage(self, last: _Tokens | None, totals: _Tokens | None, at: int | None, *, copied: bool) -> None:
        """Usage ends an answer, unless it is the one that was told before."""
        if totals is not None:
            if totals == self._totals:
                return
            last = last or totals.since(self._totals or _Tokens())
            self._totals = totals
            if not copied:
                # All of them are marked: which file is read first, the thread's or that of a copy, is not known.
                new = [self._reading.seen.first(f"codex {owner} {totals}") for owner in self._owners]
                copied = not all(new)
        # After a compaction an estimate of the new prompt is told, as a total alone.
        if last is None or not last.input or (self._answer is None and last == self._last):
            return
        self._last = last
        if not copied:
            self._count(self._answer or _Answer(Inbox(), at, None), last, at)
        if self._answer is not None:
            self._next()
        elif at is not None:
            # Usage without items is of a call the client made for itself, such as a summary. What came in before it
            # still waits for its answer, and waits longer.
            self._inbox.at = at

    def _count(self, answer: _Answer, tokens: _Tokens, at: int | None) -> None:
        inbox = answer.follows
        began = answer.began if answer.began is not None else at
        start = inbox.at if inbox.at is not None and inbox.at <= (began or inbox.at) else began
        if start is None:
            self._reading.faults.skipped += 1
            return
        cached = min(tokens.cached, tokens.input)
        written = min(tokens.written, tokens.input - cached)
        self.calls.append(
            RecordedCall(
                session=self._owners[0] if self._owners else self._name,
                thread="",
                project=self._project,
                at=start,
                clock=True,
                provider=provider_of(self._model, self._provider or "openai"),
                model=self._model,
                follows=inbox.follows,
                first_of_task=inbox.user,
                user_chars=inbox.user_chars,
                hard=inbox.hard,
                approval=inbox.approval,
                errors=inbox.errors,
                previous=worst(inbox.previous),
                input=tokens.input - cached - written,
                cache_read=cached,
                cache_write_5m=written,
                cache_write_1h=0,
                cache="billed",
                output=tokens.output,
                output_estimated=False,
                effect=worst(answer.effects),
                known=bool(answer.text_chars or answer.effects),
                calls=len(answer.effects),
                text_chars=answer.text_chars,
                latency_s=seconds_between(start, answer.ended),
            )
        )


def _is_the_users(text: str) -> bool:
    beginning = text.lstrip()[:40].lower()
    return bool(beginning) and not beginning.startswith(_NOTICES)


def _named(item: _Item) -> tuple[str, str]:
    """A call's tool and its arguments as JSON text, however the item holds them."""
    if item.type == "local_shell_call":
        return "shell", _text(item.action)
    if item.type == "custom_tool_call":
        return item.name or "", f'{{"input":{_text(item.input)}}}'
    if item.type != "function_call":
        return item.type.removesuffix("_call"), _text(item.arguments if bytes(item.arguments) else item.action)
    name = f"{item.namespace}__{item.name}" if item.namespace else item.name or ""
    return name, decoded(_STRING, item.arguments) or "{}"


def _text(raw: Raw) -> str:
    return bytes(raw).decode(errors="replace") or "{}"


def _failed(output: bytes) -> bool:
    """Whether a tool's result says that it failed: by an exit status other than 0, or in its first words."""
    head, tail = output[:_HEAD], output[-_HEAD:]
    if head.startswith(b"{"):
        return b'"success":false' in (head + tail).replace(b" ", b"")
    if head.startswith(b"["):
        head = head.partition(b'"text"')[2].lstrip(b": ")
    status = _EXIT.search(head.partition(b"Output:")[0])
    if status is None and head.startswith(b'"{'):
        status = _EXIT_FIELD.search(tail) or _EXIT_FIELD.search(head)
    return int(status[1]) != 0 if status is not None else _REFUSED.match(head) is not None


def _sessions(files: Sequence[Path], reading: Reading) -> Iterator[list[RecordedCall]]:
    for path in files:
        rollout = _Rollout(reading, path.stem)
        for line in reading.lines(path):
            rollout.add(line)
        calls = rollout.close()
        if calls:
            yield calls


def _recognises(raw: bytes) -> bool:
    line = decoded(_LINE, raw)
    if line is None:
        return False
    if bytes(line.payload):
        return line.type in _LINE_TYPES
    bare = decoded(_BARE, raw)
    return bare is not None and (
        bare.record_type is not None
        or (bare.id is not None and bytes(bare.instructions) != b"")
        or (line.type in _BARE_ITEMS and (bare.role is not None or bare.call_id is not None))
    )


READER = Reader(
    name="codex",
    places=(".codex/sessions", ".codex/archived_sessions"),
    recognises=_recognises,
    sessions=_sessions,
)
