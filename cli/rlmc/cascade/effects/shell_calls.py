"""The call of a tool that runs commands: its command judged, and nothing else in the call that changes what it does.

Rule: arguments are listed like options; one this version does not know makes the call unsafe.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping

import msgspec

from rlmc.cascade.effects.private import leads_to_secrets
from rlmc.cascade.effects.shell import classify_command
from rlmc.domain.effect import Effect

_COMMANDS = ("command", "cmd")
_FOLDERS = ("workdir", "directory")
_SHELLS = frozenset(f"{folder}{name}" for folder in ("", "/bin/", "/usr/bin/") for name in ("bash", "zsh", "sh"))
_RUNS = frozenset({"-c", "-lc"})


def _anything(_value: object) -> bool:
    return True


def _off(value: object) -> bool:
    return value is None or value is False


# Arguments besides the command, and what they must be.
_OTHERS: Mapping[str, Callable[[object], bool]] = {
    **dict.fromkeys(("description", "justification", "timeout", "timeout_ms"), _anything),
    **dict.fromkeys(("yield_time_ms", "max_output_tokens", "login"), _anything),
    **dict.fromkeys(_FOLDERS, lambda value: value is None or (isinstance(value, str) and not leads_to_secrets(value))),
    **dict.fromkeys(("run_in_background", "is_background", "tty"), _off),
    **dict.fromkeys(("dangerouslyDisableSandbox", "with_escalated_permissions"), _off),
    "sandbox_permissions": lambda value: value is None or value == "use_default",
    "shell": lambda value: value is None or (isinstance(value, str) and value in _SHELLS),
}


def shell_call_effect(arguments: str) -> Effect:
    """What a call with these arguments, a JSON text, does at worst."""
    try:
        given = msgspec.json.decode(arguments)
    except (ValueError, RecursionError):
        return Effect.UNSAFE
    if not isinstance(given, dict):
        return Effect.UNSAFE
    named = [name for name in _COMMANDS if name in given]
    if len(named) != 1:
        return Effect.UNSAFE
    command = _line(given.pop(named[0]))
    if command is None or not all(name in _OTHERS and _OTHERS[name](value) for name, value in given.items()):
        return Effect.UNSAFE
    folders = [given[name] for name in _FOLDERS if given.get(name)]
    return classify_command(command, *folders) if len(folders) < 2 else Effect.UNSAFE


def _line(command: object) -> str | None:
    """The line a shell is given, also where the command is a list of words."""
    if isinstance(command, str):
        return command
    if not isinstance(command, list) or not all(isinstance(word, str) for word in command):
        return None
    if len(command) == 3 and command[0] in _SHELLS and command[1] in _RUNS:
        return str(command[2])
    return shlex.join(command)
