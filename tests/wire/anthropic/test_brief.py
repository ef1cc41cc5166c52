from __future__ import annotations

import json

from rlmc.domain.shape import Shape
from rlmc.wire.anthropic.brief import brief_body
from rlmc.wire.anthropic.request import decode_request

CACHED = Shape(cache_control=True)


def test_one_instruction_that_is_cached_and_one_text() -> None:
    body = json.loads(brief_body("Judge.", "The step.", "claude-opus-5-5", "low", 2000, CACHED))
    assert body == {
        "model": "claude-opus-5-5",
        "max_tokens": 2000,
        "stream": False,
        "system": [{"type": "text", "text": "Judge.", "cache_control": {"type": "ephemeral"}}],
        "messages": [{"role": "user", "content": [{"type": "text", "text": "The step."}]}],
        "output_config": {"effort": "low"},
    }


def test_a_model_without_efforts_is_told_none() -> None:
    body = json.loads(brief_body("Judge.", "The step.", "deepseek-pro", None, 10, Shape()))
    assert "output_config" not in body
    assert "cache_control" not in body["system"][0]


def test_it_is_written_as_the_endpoint_takes_it() -> None:
    shape = Shape(max_output=5, drop_fields=frozenset({"output_config"}), extra={"lane": "slow"})
    body = json.loads(brief_body("Judge.", "The step.", "m", "low", 10, shape))
    assert (body["max_tokens"], body["lane"]) == (5, "slow")
    assert "output_config" not in body


def test_two_briefs_share_the_instruction() -> None:
    one, other = (decode_request(brief_body("Judge.", text, "m", None, 9, CACHED)).layout for text in ("a", "b"))
    assert one.digests[0] == other.digests[0]
    assert one.digests[1] != other.digests[1]
    assert one.marks == ((0, "5m"),)
