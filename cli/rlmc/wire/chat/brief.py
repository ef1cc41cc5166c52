"""A request of rlmc's own: one standing instruction, one text, and a whole answer at once.

Rule: the instruction stands first and is always the same, so that providers can read it from their caches.
"""

from __future__ import annotations

from typing import Any

import msgspec

from rlmc.domain.shape import Shape


def brief_body(
    brief_system: str, brief_text: str, model: str, effort: str | None, max_tokens: int, shape: Shape
) -> bytes:
    body: dict[str, Any] = {
        "model": model,
        "stream": False,
        shape.output_limit: max_tokens if shape.max_output is None else min(max_tokens, shape.max_output),
        **shape.extra,
        # Where reasoning is switched off no effort may be named.
        **({"reasoning_effort": effort} if effort is not None else shape.reasoning_off),
        "messages": [{"role": shape.system_role, "content": brief_system}, {"role": "user", "content": brief_text}],
    }
    return msgspec.json.encode(body)
