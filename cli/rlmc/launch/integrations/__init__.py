"""The table of agents rlmc can start. The first that matches wins; a new one is a file here and a line below."""

from __future__ import annotations

from rlmc.errors import UsageError
from rlmc.launch.integration import Integration
from rlmc.launch.integrations.aider import Aider
from rlmc.launch.integrations.claude import Claude
from rlmc.launch.integrations.codex import Codex
from rlmc.launch.integrations.generic import Generic
from rlmc.launch.integrations.llm import Llm
from rlmc.launch.integrations.opencode import Opencode
from rlmc.launch.integrations.qwen import Qwen

INTEGRATIONS: tuple[Integration, ...] = (
    Claude(),
    Codex(),
    Opencode(),
    Aider(),
    Qwen(),
    Llm(),
    Generic(),
)
NAMES: tuple[str, ...] = tuple(i.name for i in INTEGRATIONS)
# Those that are programs of their own, by the name they have.
PROGRAMS: tuple[str, ...] = tuple(i.name for i in INTEGRATIONS if not isinstance(i, Generic))


def choose(program: str, wanted: str | None = None) -> Integration:
    """The integration for `program`, or the one `--as` names."""
    for integration in INTEGRATIONS:
        if integration.name == wanted if wanted is not None else integration.matches(program):
            return integration
    raise UsageError(f"--as is {wanted!r}, which is no agent rlmc knows", f"known: {', '.join(NAMES)}")
