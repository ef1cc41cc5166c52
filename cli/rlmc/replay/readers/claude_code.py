"""Transcripts of Claude Code: `~/.claude/projects/<project>/<session>.jsonl`, and its sub-agents' beside them.

A line is one thing that happened: the user's words, tool results, or one block of an answer. An answer is therefore
spread over lines with the same message and request id, and its usage stands on each of them. What makes it hard:

- `output_tokens` are mostly what the stream began with. Where what was written is more, it is reckoned from that.
- Files repeat each other. A session that goes on from another begins with a copy of it, and sub-agents' files copy
  from the main one. An answer counts where it is met first.
- Results of an answer's first calls may stand between its blocks; they belong to the next call.
- Much under the user's name is the client's: reminders, notices, what a command printed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import field
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Raw

from rlmc.domain.effect import Effect, worst
from rlmc.domain.frozen import dataclass
from rlmc.replay.readers.facts import Inbox, provider_of, seconds_between, unix_us
from rlmc.replay.readers.lines import decoded, first_lines
from rlmc.replay.readers.reader import EffectOf, Reader, Reading
from rlmc.replay.readers.seen import Seen
from rlmc.replay.recorded import RecordedCall

CHARS_PER_TOKEN = 3.7
_LINES_KEPT = 200_000
_SUBAGENTS = "subagents"
_AGENT_FILE = "agent-"
_SYNTHETIC = "<synthetic>"  # the client's own words in the shape of an answer: an API error, a limit

# The client's words under the user's name. A command that prints something has run on the user's machine; one that
# prints nothing has become a prompt.
_NOTICES = ("<system-reminder>", "[SYSTEM NOTIFICATION", "<task-notification>", "[Request interrupted", "<bash-")
_COMMAND = ("<command-name>", "<command-message>")
_COMMAND_OUTPUT = "<local-command-"

# What cascade/draft.py and the live text stream mint; the model's own ids are 22 characters of base 62, so that one of
# them looks like this once in 10^13 times.
_MINTED = re.compile(r"msg_01[0-9a-f]{22}")
_OWN_REQUEST = "req_rlmc_"

_Count = Annotated[int, msgspec.Meta(ge=0, le=10**12)]


class _CacheCreation(msgspec.Struct, gc=False):
    ephemeral_1h_input_tokens: _Count | None = None


class _Usage(msgspec.Struct, gc=False):
    input_tokens: _Count | None = None
    cache_creation_input_tokens: _Count | None = None
    cache_read_input_tokens: _Count | None = None
    output_tokens: _Count | None = None
    cache_creation: _CacheCreation | None = None


class _Block(msgspec.Struct, gc=False):
    type: str = ""
    id: str | None = None
    text: str | None = None
    thinking: str | None = None
    name: str | None = None
    input: Raw = Raw(b"")
    tool_use_id: str | None = None
    is_error: bool | None = None


class _Message(msgspec.Struct, gc=False):
    id: str | None = None
    model: str | None = None
    content: str | list[_Block] | None = None
    usage: _Usage | None = None


class _Line(msgspec.Struct, gc=False, rename="camel"):
    type: str = ""
    subtype: str | None = None
    uuid: str | None = None
    parent_uuid: str | None = None
    timestamp: str | None = None
    session_id: str | None = None
    cwd: str | None = None
    is_sidechain: bool | None = None
    agent_id: str | None = None
    is_meta: bool | None = None
    is_compact_summary: bool | None = None
    is_api_error_message: bool | None = None
    request_id: str | None = None
    requested_model: str | None = None
    leaf_uuid: str | None = None
    message_id: str | None = None
    payload: Raw | None = None
    message: Raw = Raw(b"")


_LINE = msgspec.json.Decoder(_Line)
_MESSAGE = msgspec.json.Decoder(_Message)


def drafted_by_rlmc(message_id: str, model: str, asked: str | None = None, request_id: str | None = None) -> bool:
    """Whether rlmc had a draft model give this answer.

    The message id must be of the form rlmc mints. Other gateways may mint such ids too, so something else must agree:
    a request id of rlmc's, a model that is none of Anthropic's, or one that is not the model the client asked for.
    A drafted answer names the model that wrote it.
    """
    if _MINTED.fullmatch(message_id) is None:
        return False
    if (request_id or "").startswith(_OWN_REQUEST) or provider_of(model) != "anthropic":
        return True
    return asked is not None and not (asked.startswith(model) or model.startswith(asked))


@dataclass(slots=True)
class _Answer:
    """An answer while its lines come in. `copied` when it was counted before, in this file or in another."""

    key: tuple[str | None, str | None]
    copied: bool
    follows: Inbox
    model: str
    asked: str | None
    began: int | None
    ended: int | None
    usage: _Usage | None = None
    output: int = 0
    written: int = 0
    text_chars: int = 0
    effects: list[Effect] = field(default_factory=list)
    blocks: set[str | int] = field(default_factory=set)


@dataclass(slots=True)
class _Thread:
    """What shares a prompt: the main loop or one sub-agent. `waiting` are calls without a result, by id."""

    name: str
    inbox: Inbox = field(default_factory=Inbox)
    command: bool = False
    answer: _Answer | None = None
    waiting: dict[str, Effect] = field(default_factory=dict)


class _Transcript:
    """One session: lines in, calls out."""

    def __init__(self, reading: Reading, name: str) -> None:
        self.calls: list[RecordedCall] = []
        self._reading = reading
        self._name = name
        self._session: str | None = None
        self._project: str | None = None
        self._threads: dict[str, _Thread] = {}
        self._side: dict[str, str] = {}
        self._lines = Seen(_LINES_KEPT)

    def add(self, raw: bytes) -> None:
        line = decoded(_LINE, raw)
        if line is None:
            self._reading.faults.broken += 1
            return
        if line.uuid is not None and not self._lines.first(line.uuid):
            return
        thread = self._thread(line)
        if line.type == "system" and line.subtype == "compact_boundary":
            thread.inbox.compact()
        if line.type not in ("user", "assistant"):
            return
        message = decoded(_MESSAGE, line.message)
        if message is None:
            self._reading.faults.broken += 1
            return
        self._session = self._session or line.session_id
        self._project = self._project or line.cwd
        if line.type == "user":
            _take(thread, line, message)
        elif line.is_api_error_message or message.model == _SYNTHETIC:
            self._reading.faults.skipped += 1
        else:
            self._answer(thread, line, message)

    def close(self) -> list[RecordedCall]:
        for thread in self._threads.values():
            self._finish(thread)
        return sorted(self.calls, key=lambda call: call.at)

    def _thread(self, line: _Line) -> _Thread:
        name = line.agent_id or ""
        if line.is_sidechain and not name:
            # Before sub-agents had ids their lines hung together by their parents alone.
            name = self._side.get(line.parent_uuid or "") or line.uuid or "side"
            if line.uuid is not None:
                self._side[line.uuid] = name
        thread = self._threads.get(name)
        if thread is None:
            thread = self._threads[name] = _Thread(name)
        return thread

    def _answer(self, thread: _Thread, line: _Line, message: _Message) -> None:
        key = (message.id or line.uuid, line.request_id)
        at = unix_us(line.timestamp)
        answer = thread.answer
        if answer is None or answer.key != key:
            self._finish(thread)
            if thread.command:
                thread.inbox.user = True
            answer = _Answer(
                key=key,
                copied=not self._reading.seen.first(f"claude {key[0]} {key[1]}"),
                follows=thread.inbox,
                model=message.model or "",
                asked=line.requested_model,
                began=at,
                ended=at,
            )
            thread.answer, thread.inbox, thread.command, thread.waiting = answer, Inbox(), False, {}
        if at is not None:
            answer.ended = max(at, answer.ended or at)
        if message.usage is not None and (answer.usage is None or _prompt(message.usage)):
            answer.usage = message.usage
            answer.output = max(answer.output, message.usage.output_tokens or 0)
        content = message.content
        for block in [_Block(type="text", text=content)] if isinstance(content, str) else content or ():
            _write(answer, thread, block, self._reading.effect_of)

    def _finish(self, thread: _Thread) -> None:
        answer, thread.answer = thread.answer, None
        if answer is None or answer.copied:
            return
        usage, inbox = answer.usage, answer.follows
        # Results may be written a moment after the answer to them began.
        start = inbox.at if inbox.at is not None and inbox.at <= (answer.began or inbox.at) else answer.began
        if usage is None or not _prompt(usage) or start is None:
            self._reading.faults.skipped += 1
            return
        reckoned = round(answer.written / CHARS_PER_TOKEN)
        write = usage.cache_creation_input_tokens or 0
        long = min(write, (usage.cache_creation and usage.cache_creation.ephemeral_1h_input_tokens) or 0)
        tells_cache = usage.cache_read_input_tokens is not None or usage.cache_creation_input_tokens is not None
        self.calls.append(
            RecordedCall(
                session=self._session or self._name,
                thread=thread.name,
                project=self._project,
                at=start,
                clock=True,
                provider=provider_of(answer.model),
                model=answer.model,
                follows=inbox.follows,
                first_of_task=inbox.user,
                user_chars=inbox.user_chars,
                hard=inbox.hard,
                approval=inbox.approval,
                errors=inbox.errors,
                previous=worst(inbox.previous),
                input=usage.input_tokens or 0,
                cache_read=usage.cache_read_input_tokens or 0,
                cache_write_5m=write - long,
                cache_write_1h=long,
                cache="billed" if tells_cache else "none",
                output=max(answer.output, reckoned),
                output_estimated=reckoned > answer.output,
                effect=worst(answer.effects),
                known=bool(answer.text_chars or answer.effects),
                calls=len(answer.effects),
                text_chars=answer.text_chars,
                latency_s=seconds_between(start, answer.ended),
                by_draft=drafted_by_rlmc(answer.key[0] or "", answer.model, answer.asked, answer.key[1]),
            )
        )


def _take(thread: _Thread, line: _Line, message: _Message) -> None:
    """A line under the user's name: results, the user's words, or the client's."""
    inbox = thread.inbox
    at = unix_us(line.timestamp)
    if at is not None:
        inbox.at = at
    if line.is_compact_summary:
        inbox.compact()
        return
    content = message.content
    for block in [_Block(type="text", text=content)] if isinstance(content, str) else content or ():
        if block.type == "tool_result":
            inbox.results += 1
            inbox.errors += bool(block.is_error)
            # A result without its call may be of anything.
            inbox.previous.append(thread.waiting.pop(block.tool_use_id or "", Effect.UNSAFE))
        elif block.type == "text":
            text = (block.text or "").lstrip()
            if text.startswith(_COMMAND):
                thread.command = True
            elif text.startswith(_COMMAND_OUTPUT):
                thread.command = False
            elif text and not line.is_meta and not text.startswith(_NOTICES):
                inbox.says(text)
        elif block.type in ("image", "document") and not line.is_meta:
            inbox.user = True


def _write(answer: _Answer, thread: _Thread, block: _Block, effect_of: EffectOf) -> None:
    """One block of an answer. Some versions write a growing answer again and again: a block counts once."""
    text = block.text or block.thinking or ""
    mark: str | int = block.id or hash((block.type, text))
    if mark in answer.blocks:
        return
    answer.blocks.add(mark)
    answer.written += len(text)
    if block.type == "text":
        answer.text_chars += len(text)
    elif block.type in ("tool_use", "server_tool_use"):
        arguments = bytes(block.input).decode(errors="replace") or "{}"
        effect = effect_of(block.name or "", arguments)
        answer.written += len(block.name or "") + len(arguments)
        answer.effects.append(effect)
        if block.type == "tool_use" and block.id is not None:
            thread.waiting[block.id] = effect


def _prompt(usage: _Usage) -> int:
    read, write = usage.cache_read_input_tokens or 0, usage.cache_creation_input_tokens or 0
    return (usage.input_tokens or 0) + read + write


def _sessions(files: Sequence[Path], reading: Reading) -> Iterator[list[RecordedCall]]:
    transcript = _Transcript(reading, files[0].stem)
    for path in files:
        for line in reading.lines(path):
            transcript.add(line)
    calls = transcript.close()
    if calls:
        yield calls


def _session_file(path: Path) -> Path:
    """Sub-agents' files lie in `<session>/subagents/`, at any depth; older ones beside the session's, and name it."""
    for folder in path.parents:
        if folder.name == _SUBAGENTS:
            return folder.parent.with_name(f"{folder.parent.name}.jsonl")
    if path.name.startswith(_AGENT_FILE):
        for raw in first_lines(path, count=1):
            line = decoded(_LINE, raw)
            if line is not None and line.session_id:
                return path.with_name(f"{line.session_id}.jsonl")
    return path


def _recognises(raw: bytes) -> bool:
    line = decoded(_LINE, raw)
    if line is None or not line.type or line.payload is not None:
        return False
    if line.type == "file-history-snapshot":
        return line.message_id is not None
    return line.session_id is not None or (line.type == "summary" and line.leaf_uuid is not None)


READER = Reader(
    name="claude-code",
    places=(".claude/projects",),
    recognises=_recognises,
    sessions=_sessions,
    session_file=_session_file,
)
