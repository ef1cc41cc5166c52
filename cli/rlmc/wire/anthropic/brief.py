"""A request of rlmc's own: one standing instruction, one text, and a whole answer at once.

Rule: the instruction is a block of its own with a marker, so that every such request reads it from the cache.
"""

from __future__ import annotations

from typing import Any

import msgspec


def brief_body(brief_system: str, brief_text: str, model: str, effort: str | None, max_tokens: int) -> bytes:
    body: dict[str, Any] = {
        "model": model,
        "max_tokens": max_tokens,
        "stream": False,
        "system": [{"type": "text", "text": brief_system, "cache_control": {"type": "ephemeral"}}],
        "messages": [{"role": "user", "content": [{"type": "text", "text": brief_text}]}],
    }
    if effort is not None:
        body["output_config"] = {"effort": effort}
    return msgspec.json.encode(body)
