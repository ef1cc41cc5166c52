"""A request of rlmc's own: one standing instruction, one text, and a whole answer at once."""

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
        "store": False,
        "max_output_tokens": max_tokens if shape.max_output is None else min(max_tokens, shape.max_output),
        **shape.extra,
        # Where reasoning is switched off no effort may be named.
        **({"reasoning": {"effort": effort}} if effort is not None else shape.reasoning_off),
        "instructions": brief_system,
        "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": brief_text}]}],
    }
    return msgspec.json.encode(body)
