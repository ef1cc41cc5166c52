"""From a tool call to its effect class.

Rule: the user's own word on a tool comes first; then what is known of the tool, and of the command, the patch or the
calls it is to run; then the tool's own promise to read only. A call that none of them speaks for is unsafe. A tool is
known by its exact name and by what it declares; a call of it, by arguments that are known too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from unicodedata import category

from rlmc.cascade.effects.declared import is_known, takes
from rlmc.cascade.effects.private import holds_a_home, leads_to_secrets, only_goes_up
from rlmc.cascade.effects.shell_calls import shell_call_effect
from rlmc.cascade.effects.tools import CALLERS, KNOWN, PATCHES, SHELLS, TOOLS, WAITS
from rlmc.cascade.inner_calls import arguments_of, inner_calls, texts_in
from rlmc.cascade.patches import only_edits, read_patch
from rlmc.domain.chat import ToolCall, ToolSpec
from rlmc.domain.effect import Effect, worst

# Where tools that search are told to, and for what: patterns that are not names.
_SOUGHT = frozenset({"pattern", "query"})
_FOLDERS = ("path", "dir_path", "directory")
_ELSEWHERE = re.compile(r"\s*(?:\\\\|[A-Za-z][A-Za-z0-9+.-]+://)")
UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Categories of letters that nobody sees."""
_NOTHING: Mapping[str, Effect] = MappingProxyType({})


def effect_of(name: str, arguments: str, tool: ToolSpec | None = None, own: Mapping[str, Effect] = _NOTHING) -> Effect:
    """What this call could do at worst. `own` is by exact name or by a beginning of it that ends in `*`."""
    if (said := _said(name, own)) is not None:
        return said
    if name not in KNOWN or (tool is not None and not is_known(tool)):
        return _promised(name, arguments, tool)
    if not takes(name, arguments_of(arguments)):
        return Effect.UNSAFE
    if name in SHELLS:
        return shell_call_effect(arguments)
    if name in PATCHES:
        return _patch_effect(arguments)
    if name in WAITS:
        return _wait_effect(arguments)
    if name in CALLERS:
        return _effect_of_inner(ToolCall("", name, arguments), own)
    effect = TOOLS[name]
    return Effect.UNSAFE if effect is Effect.READ and _looks_at_secrets(arguments) else effect


def _promised(name: str, arguments: str, tool: ToolSpec | None) -> Effect:
    """What a tool that is not known says of itself; where its name means more than reading, it is not believed."""
    believed = tool is not None and tool.read_only and (name not in KNOWN or TOOLS.get(name) is Effect.READ)
    return Effect.READ if believed and not _looks_at_secrets(arguments) else Effect.UNSAFE


def _looks_at_secrets(arguments: str) -> bool:
    """Told by any text in the arguments, by itself and as a name in the folder that is to be searched; also where it
    leads to another machine, or holds letters nobody sees."""
    given = arguments_of(arguments)
    texts = list(texts_in([value for name, value in given.items() if name not in _SOUGHT]))
    folders = [folder for name in _FOLDERS if isinstance(folder := given.get(name), str)]
    named = [f"{folder}/{text}" for folder in folders for text in texts]
    if not _SOUGHT.isdisjoint(given) and any(holds_a_home(folder) or only_goes_up(folder) for folder in folders):
        return True
    if any(
        _ELSEWHERE.match(text) or any(category(char) in UNSEEN and char not in "\n\r\t" for char in text)
        for text in texts
    ):
        return True
    slashed = (text.replace("\\", "/") for text in (*texts, *named))
    return leads_to_secrets(arguments) or any(leads_to_secrets(text) for text in slashed)


def _effect_of_inner(call: ToolCall, own: Mapping[str, Effect]) -> Effect:
    """The worst of what it calls. One that calls nothing only says something."""
    inner = inner_calls(call)
    if inner is None:
        return Effect.UNSAFE
    return worst(effect_of(one.name, one.arguments, None, own) for one in inner) or Effect.PLAN


def _patch_effect(arguments: str) -> Effect:
    """New text in files is an edit; a file that goes away or gets another name is more than that."""
    given = arguments_of(arguments)
    text = next(iter(given.values())) if len(given) == 1 and given.keys() <= {"input", "patchText"} else None
    changes = read_patch(text) if isinstance(text, str) else None
    return Effect.EDIT if changes is not None and only_edits(changes) else Effect.UNSAFE


def _wait_effect(arguments: str) -> Effect:
    """To wait for a script that still runs; it may also be ended so."""
    given = arguments_of(arguments)
    known = "cell_id" in given and given.keys() <= {"cell_id", "yield_time_ms", "max_tokens", "terminate"}
    return Effect.PLAN if known and not given.get("terminate") else Effect.UNSAFE


def _said(name: str, own: Mapping[str, Effect]) -> Effect | None:
    """The user's word: the exact name's, else that of the longest beginning."""
    if name in own:
        return own[name]
    fitting = [key for key in own if key.endswith("*") and name.startswith(key[:-1])]
    return own[max(fitting, key=len)] if fitting else None
