"""Thinking blocks are bound to their model and to everything said before them."""

from __future__ import annotations

from typing import Any

from tests.support.simulated import ask, refused
from tests.support.tools import request


def test_thinking_comes_when_asked_for_and_only_then() -> None:
    def kinds(**fields: Any) -> list[str]:
        return [b["type"] for b in ask(request("hi", **fields))["content"]]

    assert kinds() == ["text"]
    assert kinds(thinking={"type": "disabled"}) == ["text"]
    assert kinds(thinking={"type": "adaptive"}) == ["thinking", "text"]
    omitted = ask(request("hi", thinking={"type": "adaptive", "display": "omitted"}))["content"][0]
    assert omitted["thinking"] == ""
    assert omitted["signature"]
    assert ask(request("hi", thinking={"type": "adaptive"}))["usage"]["output_tokens_details"]["thinking_tokens"] > 0


def test_thinking_is_bound_to_its_model_and_history() -> None:
    first = request("hi", thinking={"type": "adaptive"})
    content = ask(first)["content"]
    said = {"role": "assistant", "content": content}
    assert ask(request("hi", said, "and now?"))
    marked = [{"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}}]
    assert ask(request({"role": "user", "content": marked}, said, "and now?"))
    assert "different conversation" in refused(request("hello", said, "and now?"))[2]
    foreign = refused(request("hi", said, "and now?", model="draft"))
    assert foreign[0] == 400
    assert foreign[2] == "messages.1.content.0: Invalid `signature` in `thinking` block"
    dropping = {"type": "adaptive", "block_binding": {"prefix_mismatch_behavior": "drop_block"}}
    assert ask(request("hello", said, "and now?", thinking=dropping))
