"""From a tool call to its effect class.

Rule: the user's own word on a tool comes first; then what is known of the tool, and of the command it is to run; then
the tool's own promise to read only. A call that none of them speaks for is unsafe.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from rlmc.cascade.effects.private import leads_to_secrets
from rlmc.cascade.effects.shell_calls import shell_call_effect
from rlmc.cascade.effects.tools import SHELLS, TOOLS
from rlmc.domain.chat import ToolSpec
from rlmc.domain.effect import Effect

_NOTHING: Mapping[str, Effect] = MappingProxyType({})


def effect_of(name: str, arguments: str, tool: ToolSpec | None = None, own: Mapping[str, Effect] = _NOTHING) -> Effect:
    """What this call could do at worst. `own` is by exact name or by a beginning of it that ends in `*`."""
    if (said := _said(name, own)) is not None:
        return said
    if name in SHELLS:
        return shell_call_effect(arguments)
    if name in TOOLS:
        effect = TOOLS[name]
        return Effect.UNSAFE if effect is Effect.READ and leads_to_secrets(arguments) else effect
    return Effect.READ if tool is not None and tool.read_only else Effect.UNSAFE


def _said(name: str, own: Mapping[str, Effect]) -> Effect | None:
    """The user's word: the exact name's, else that of the longest beginning."""
    if name in own:
        return own[name]
    fitting = [key for key in own if key.endswith("*") and name.startswith(key[:-1])]
    return own[max(fitting, key=len)] if fitting else None
