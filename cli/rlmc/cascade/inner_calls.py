"""The calls within a call: of tools that do nothing but call others.

These are Codex's `exec`, which runs a script, and qwen-code's `tool_call`, which calls a tool found by a search. Rule:
a call that cannot be read whole has no inner calls, and is as good as unknown.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import msgspec

from rlmc.cascade.scripts import Script, read_script
from rlmc.domain.chat import ToolCall

SCRIPTS = "exec"
OTHERS = "tool_call"
_OUTER = frozenset({SCRIPTS, OTHERS, "wait"})


def inner_calls(call: ToolCall) -> tuple[ToolCall, ...] | None:
    """The calls that a call comes to, itself for most tools; None where that cannot be told."""
    if call.name == SCRIPTS:
        script = script_of(call.arguments)
        made = None if script is None else script.calls
    elif call.name == OTHERS:
        made = _other(call.arguments)
    else:
        return (call,)
    if made is None or any(name in _OUTER for name, _ in made):
        return None
    return tuple(ToolCall(call.id, name, arguments) for name, arguments in made)


@functools.lru_cache(maxsize=512)
def script_of(arguments: str) -> Script | None:
    """The script that a call of `exec` runs, where it can be read."""
    given = arguments_of(arguments)
    source = given.get("input") if given.keys() == {"input"} else None
    return read_script(source) if isinstance(source, str) else None


def _other(arguments: str) -> tuple[tuple[str, str], ...] | None:
    given = arguments_of(arguments)
    name, inner = given.get("name"), given.get("arguments")
    if given.keys() != {"name", "arguments"} or not isinstance(name, str) or not isinstance(inner, dict):
        return None
    return ((name, msgspec.json.encode(inner).decode()),)


def texts_in(value: object) -> Iterator[str]:
    """All texts among the values of a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from texts_in(inner)


def arguments_of(arguments: str) -> dict[str, Any]:
    """The arguments of a call; none where they are no JSON object."""
    try:
        given = msgspec.json.decode(arguments)
    except (ValueError, RecursionError):
        return {}
    return given if isinstance(given, dict) else {}
