"""Planted faults: a good answer made wrong on purpose, to see whether the judge finds it.

Rule: a fault is one that real drafts make, and small enough to be overlooked: a path that is not the one meant, an
argument that is missing, an edit that is off by one, a number or a name in a text that is another.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeVar

from rlmc.domain.chat import Completion, Part, Text, ToolCall

Arguments = dict[str, Any]
_T = TypeVar("_T")


class Chance(Protocol):
    """A source of chance, such as `random.Random`. Handed in, so that what is drawn can be drawn again."""

    def choice(self, seq: Sequence[_T], /) -> _T: ...

    def shuffle(self, x: list[_T], /) -> None: ...


_PATHS = ("file_path", "path", "notebook_path", "filename", "filePath")
_NEW = ("new_string", "content", "new_source", "newString", "patchText", "input")
_NUMBER = re.compile(r"(?<![\w.])\d{1,6}(?![\w.])")
_FILE = re.compile(r"\b[\w-]+\.(?:py|js|ts|rs|go|java|c|h|md|txt|json|toml|yaml|yml)\b")


def planted(answer: Completion, chance: Chance) -> Completion | None:
    """The answer with one fault; None where none of the kinds fits."""
    faults = [fault for at, part in enumerate(answer.parts) for fault in _faults(at, part)]
    chance.shuffle(faults)
    for at, make in faults:
        made = make(chance)
        if made is not None:
            return replace(answer, parts=(*answer.parts[:at], made, *answer.parts[at + 1 :]))
    return None


_Fault = tuple[int, Callable[[Chance], Part | None]]


def _faults(at: int, part: Part) -> Iterator[_Fault]:
    match part:
        case ToolCall():
            arguments = _arguments(part)
            if arguments is not None:
                for change in (_wrong_path, _dropped, _off_by_one):
                    yield at, _in_call(part, arguments, change)
        case Text(text=text) if len(text) > 1:
            yield at, lambda chance: _in_text(text, chance)


def _arguments(call: ToolCall) -> Arguments | None:
    try:
        found = json.loads(call.arguments)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


_Change = Callable[[Arguments, Chance], Arguments | None]


def _in_call(call: ToolCall, arguments: Arguments, change: _Change) -> Callable[[Chance], Part | None]:
    def make(chance: Chance) -> Part | None:
        changed = change(arguments, chance)
        return None if changed is None else replace(call, arguments=json.dumps(changed, ensure_ascii=False))

    return make


def _wrong_path(arguments: Arguments, chance: Chance) -> Arguments | None:
    """A neighbour of the file that is meant."""
    name = next((name for name in _PATHS if isinstance(arguments.get(name), str)), None)
    if name is None:
        return None
    folder, slash, file = str(arguments[name]).rpartition("/")
    stem, dot, ending = file.partition(".")
    if not stem:
        return None
    wrong = chance.choice([f"{stem}_old{dot}{ending}", f"{stem}s{dot}{ending}", f"test_{file}"])
    return {**arguments, name: f"{folder}{slash}{wrong}"}


def _dropped(arguments: Arguments, chance: Chance) -> Arguments | None:
    """One argument less, of at least two."""
    if len(arguments) < 2:
        return None
    lost = chance.choice(sorted(arguments))
    return {name: value for name, value in arguments.items() if name != lost}


def _off_by_one(arguments: Arguments, chance: Chance) -> Arguments | None:
    """A number of the call's, or of what it writes, that is one more; or a line of it that is missing."""
    for name in _NEW:
        value = arguments.get(name)
        if isinstance(value, str):
            changed = _next_number(value, chance) or _without_a_line(value, chance)
            return None if changed is None else {**arguments, name: changed}
    numbers = [name for name, value in arguments.items() if type(value) is int]
    if not numbers:
        return None
    name = chance.choice(numbers)
    return {**arguments, name: arguments[name] + 1}


def _in_text(text: str, chance: Chance) -> Part | None:
    changed = _next_number(text, chance) or _another_file(text, chance)
    return None if changed is None else Text(changed)


def _next_number(text: str, chance: Chance) -> str | None:
    found = list(_NUMBER.finditer(text))
    if not found:
        return None
    one = chance.choice(found)
    return f"{text[: one.start()]}{int(one[0]) + 1}{text[one.end() :]}"


def _another_file(text: str, chance: Chance) -> str | None:
    found = list(_FILE.finditer(text))
    if not found:
        return None
    one = chance.choice(found)
    stem, _, suffix = one[0].rpartition(".")
    return f"{text[: one.start()]}{stem}_old.{suffix}{text[one.end() :]}"


def _without_a_line(text: str, chance: Chance) -> str | None:
    lines = text.split("\n")
    full = [at for at, line in enumerate(lines) if line.strip()]
    if len(full) < 2:
        return None
    del lines[chance.choice(full)]
    return "\n".join(lines)
