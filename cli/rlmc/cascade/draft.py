"""From what a draft model said to what a client may be given: no thinking, ids that are unique and legal everywhere."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from rlmc.domain.chat import Completion, Part, Text, Thinking, ToolCall
from rlmc.domain.turn import Turn


def clean_draft(draft: Completion, turn: Turn) -> Completion:
    """Drops thinking and empty text and gives every tool call an id of its own.

    Draft models repeat ids across turns, leave them empty or use characters others refuse; the new ones are drawn from
    the turn's nonce, so the same turn always gets the same ids.
    """
    parts: list[Part] = []
    for part in draft.parts:
        if isinstance(part, Thinking) or (isinstance(part, Text) and not part.text.strip()):
            continue
        if isinstance(part, ToolCall):
            part = replace(part, id=_mint("toolu_01", turn.nonce, f"call {len(parts)}"))
        parts.append(part)
    return replace(draft, id=_mint("msg_01", turn.nonce, "message"), parts=tuple(parts))


def _mint(prefix: str, nonce: str, what: str) -> str:
    return prefix + hashlib.sha256(f"{nonce} {what}".encode()).hexdigest()[:22]
