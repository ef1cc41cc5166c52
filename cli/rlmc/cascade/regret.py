"""Signs, after the fact, that an answer was for the worse: read off what came behind it in the conversation.

A sign is charged to the turn whose answer caused it, whoever gave that answer, so that answers of drafts can be held
against answers of the verify model. Rule: only what is new since the turn before is looked at, and what is remembered
of a conversation is bounded and holds digests, no content. A sign proves nothing by itself; rates are compared.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import field
from enum import StrEnum
from typing import Any, TypeVar

from rlmc.cascade.spoken import user_words
from rlmc.domain.chat import Message, Text, ToolCall, ToolResult
from rlmc.domain.effect import Effect
from rlmc.domain.frozen import dataclass


class Regret(StrEnum):
    """What happened to an answer."""

    TOOL_ERROR = "tool-error"  # a call of it failed
    INTERRUPTED = "interrupted"  # the user broke it off, or refused a call of it
    CORRECTED = "corrected"  # the user's next words take it back
    REVERTED = "reverted"  # an edit of it was undone
    REPEATED = "repeated"  # it makes a call again that had succeeded, with nothing changed in between


_INTERRUPTED = re.compile(r"\[Request interrupted by user")
_REFUSED = re.compile(r"The user doesn't want to (?:proceed|take this action)|The tool use was rejected")
# Words that turn against what was just done. They have to come first: later in a message they are about anything.
_CORRECTION = re.compile(
    r"\s*(?:"
    r"(?:no|nope|wrong|stop|wait)\s*+(?:[,.!;:]\s*+(?!problem|worries|need|rush|thank)|$|-\s)|"
    r"(?:that|this|it)(?:'s| is| was)?\s+(?:wrong|incorrect|not (?:right|correct|what i|it\b))|"
    r"(?:please\s+)?(?:undo|revert|roll back)\b|"
    r"(?:you|why did you)\s+(?:broke|break|misunderst|deleted|removed the wrong|changed the wrong|forgot)|"
    r"i (?:said|asked (?:you|for)|told you|meant|did(?:n't| not) (?:ask|want|say))\b"
    r")",
    re.IGNORECASE,
)
_RESTORED = re.compile(r"\bgit\s+(?:checkout(?:\s+\S+)?\s+--|restore)\s+(?P<files>[^;&|\n]+)")
_PATHS = ("file_path", "filePath", "path")
_OLD, _NEW = ("old_string", "oldString", "old_str"), ("new_string", "newString", "new_str")
_COMMANDS = ("command", "cmd")
_MOST_CALLS, _MOST_EDITS = 40, 100
_MOST_CHARS = 100_000  # of a call's arguments; larger edits are not followed
_V = TypeVar("_V")
# After these what a call finds may be something else, so that making it again is no repetition.
_CHANGES = frozenset({Effect.EDIT, Effect.UNSAFE})


@dataclass(frozen=True, slots=True)
class Sign:
    """`turn` is the turn it is charged to."""

    turn: str
    kind: Regret


@dataclass(slots=True)
class Trail:
    """What a conversation remembers: which turn came last and how much history it had, successful calls since something
    was changed, edits with the turns that made them."""

    turn: str | None = None
    length: int = 0
    calls: OrderedDict[bytes, None] = field(default_factory=OrderedDict)
    edits: OrderedDict[bytes, str] = field(default_factory=OrderedDict)
    files: OrderedDict[bytes, str] = field(default_factory=OrderedDict)


def follow(trail: Trail, turn: str, messages: tuple[Message, ...], effect: Effect | None) -> tuple[Sign, ...] | None:
    """A turn comes in: what its new messages say of turns before it. `effect` is the worst among the calls of the
    answer before. None where there is no answer among them: the same history once more, as a client that tries again
    sends it, or another one."""
    before, had = trail.turn, trail.length
    trail.turn, trail.length = turn, len(messages)
    if before is None or len(messages) <= had:
        if len(messages) < had:  # taken back, or compacted: what was remembered is of another history
            trail.calls.clear()
        return None
    answer, after = _last_answer(messages, had)
    if answer is None:
        return None
    return tuple(dict.fromkeys(_signs(trail, before, answer, after, effect)))


def _last_answer(messages: tuple[Message, ...], had: int) -> tuple[Message | None, tuple[Message, ...]]:
    """The answer that came since, and what came behind it."""
    for at in range(len(messages) - 1, max(had - 1, -1), -1):
        if messages[at].role == "assistant":
            return messages[at], messages[at + 1 :]
    return None, ()


def _signs(
    trail: Trail, turn: str, answer: Message, after: tuple[Message, ...], effect: Effect | None
) -> Iterator[Sign]:
    calls = [part for part in answer.parts if isinstance(part, ToolCall)]
    results = {part.call_id: part for message in after for part in message.parts if isinstance(part, ToolResult)}
    words = "\n".join(user_words(message) for message in after)
    refused = any(one.is_error and _REFUSED.search(one.text[:200]) for one in results.values())
    if refused or _INTERRUPTED.search(words[:2000]):
        yield Sign(turn, Regret.INTERRUPTED)
    elif any(one.is_error for one in results.values()):
        yield Sign(turn, Regret.TOOL_ERROR)
    if not results and _CORRECTION.match(_own_words(after)):
        yield Sign(turn, Regret.CORRECTED)
    if effect in _CHANGES:
        trail.calls.clear()
    for call in calls:
        arguments = _arguments(call)
        failed = (result := results.get(call.id)) is None or result.is_error
        yield from _undone(trail, arguments, failed)
        made = _digest(call.name, call.arguments)
        if made in trail.calls and effect not in _CHANGES:
            yield Sign(turn, Regret.REPEATED)
        if not failed:
            _keep(trail.calls, made, None, _MOST_CALLS)
            _note_edit(trail, turn, arguments)


def _own_words(after: tuple[Message, ...]) -> str:
    """The user's, without the client's note of an interruption."""
    texts = (part.text for message in after if user_words(message) for part in message.parts if isinstance(part, Text))
    return next((text for text in texts if text.strip() and not text.lstrip().startswith(("[", "<"))), "")


def _undone(trail: Trail, arguments: dict[str, Any], failed: bool) -> Iterator[Sign]:
    """An edit that puts back what another had replaced, or a file taken from git again."""
    if failed:
        return
    path, old, new = _first(arguments, _PATHS), _first(arguments, _OLD), _first(arguments, _NEW)
    if path and old is not None and new is not None:
        made_by = trail.edits.pop(_digest(path, new, old), None)
        if made_by is not None:
            yield Sign(made_by, Regret.REVERTED)
    command = _first(arguments, _COMMANDS)
    if command and (restored := _RESTORED.search(command[:2000])):
        for name in restored["files"].split():
            made_by = trail.files.pop(_digest(_name(name)), None)
            if made_by is not None:
                yield Sign(made_by, Regret.REVERTED)


def _note_edit(trail: Trail, turn: str, arguments: dict[str, Any]) -> None:
    path, old, new = _first(arguments, _PATHS), _first(arguments, _OLD), _first(arguments, _NEW)
    if path and old is not None and new is not None:
        _keep(trail.edits, _digest(path, old, new), turn, _MOST_EDITS)
        _keep(trail.files, _digest(_name(path)), turn, _MOST_EDITS)


def _arguments(call: ToolCall) -> dict[str, Any]:
    if len(call.arguments) > _MOST_CHARS:
        return {}
    try:
        found = json.loads(call.arguments)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _first(arguments: dict[str, Any], names: tuple[str, ...]) -> str | None:
    return next((value for name in names if isinstance(value := arguments.get(name), str)), None)


def _name(path: str) -> str:
    """A path as a command line may spell it and a tool may, too: by its last part."""
    return path.strip("'\"").rstrip("/").rpartition("/")[2]


def _digest(*texts: str) -> bytes:
    return hashlib.blake2b("\0".join(texts).encode("utf-8", "surrogatepass"), digest_size=12).digest()


def _keep(known: OrderedDict[bytes, _V], key: bytes, value: _V, most: int) -> None:
    known[key] = value
    known.move_to_end(key)
    while len(known) > most:
        known.popitem(last=False)
