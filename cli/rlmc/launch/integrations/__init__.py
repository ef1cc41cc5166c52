"""The agents rlmc can start, by the name of their program. A new one is a file here and a word below.

Rule: this stands in front of every start of an agent, so only the one that is asked for is loaded.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import PurePosixPath

from rlmc.errors import UsageError
from rlmc.launch.integration import Integration

PROGRAMS: tuple[str, ...] = ("claude", "codex", "opencode", "aider", "qwen", "llm")
_ANY = "generic"
NAMES: tuple[str, ...] = (*PROGRAMS, _ANY)


def choose(program: str, wanted: str | None = None) -> Integration:
    """The integration for `program`, or the one `--as` names."""
    if wanted is None:
        name = PurePosixPath(program).name
        return named(name if name in PROGRAMS else _ANY)
    if wanted not in NAMES:
        raise UsageError(f"--as is {wanted!r}, which is no agent rlmc knows", f"known: {', '.join(NAMES)}")
    return named(wanted)


def named(name: str) -> Integration:
    """One of `NAMES`."""
    found: Integration = import_module(f"rlmc.launch.integrations.{name}").INTEGRATION
    return found
