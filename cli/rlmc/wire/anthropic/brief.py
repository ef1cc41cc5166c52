"""A request of rlmc's own: one standing instruction, one text, and a whole answer at once.

Rule: the instruction is a block of its own with a marker where there are any, so that every such request reads it from
the cache.
"""

from __future__ import annotations

import msgspec

from rlmc.domain.shape import Shape
from rlmc.wire.anthropic.top_level import Json, shaped


def brief_body(
    brief_system: str, brief_text: str, model: str, effort: str | None, max_tokens: int, shape: Shape
) -> bytes:
    system: Json = {"type": "text", "text": brief_system}
    if shape.cache_control:
        system["cache_control"] = {"type": "ephemeral"}
    fields: Json = {
        "model": model,
        "max_tokens": min(max_tokens, shape.max_output or max_tokens),
        "stream": False,
        "system": [system],
        "output_config": None if effort is None else {"effort": effort},
    }
    messages = [{"role": "user", "content": [{"type": "text", "text": brief_text}]}]
    return msgspec.json.encode(shaped(fields, shape, reason=True) | {"messages": messages})
