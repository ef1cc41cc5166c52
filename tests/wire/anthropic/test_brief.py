from __future__ import annotations

import json

from rlmc.wire.anthropic.brief import brief_body
from rlmc.wire.anthropic.request import decode_request


def test_one_instruction_that_is_cached_and_one_text() -> None:
    body = json.loads(brief_body("Judge.", "The step.", "claude-opus-5-5", "low", 2000))
    assert body == {
        "model": "claude-opus-5-5",
        "max_tokens": 2000,
        "stream": False,
        "system": [{"type": "text", "text": "Judge.", "cache_control": {"type": "ephemeral"}}],
        "messages": [{"role": "user", "content": [{"type": "text", "text": "The step."}]}],
        "output_config": {"effort": "low"},
    }


def test_a_model_without_efforts_is_told_none() -> None:
    assert "output_config" not in json.loads(brief_body("Judge.", "The step.", "deepseek-pro", None, 10))


def test_two_briefs_share_the_instruction() -> None:
    one, other = (decode_request(brief_body("Judge.", text, "m", None, 9)).layout for text in ("a", "b"))
    assert one.digests[0] == other.digests[0]
    assert one.digests[1] != other.digests[1]
    assert one.marks == ((0, "5m"),)
