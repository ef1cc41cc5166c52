"""What is kept of a model's thoughts, and who gets it."""

from __future__ import annotations

import pytest

from rlmc.domain.turn import Model
from rlmc.server import reasoning
from rlmc.server.reasoning import Reasoning

KIMI = Model("moonshot", "kimi-k3")
DEEPSEEK = Model("deepseek", "deepseek-flash")


def test_thoughts_go_to_their_writer_alone_and_in_its_own_protocol() -> None:
    kept = Reasoning()
    kept.keep(KIMI, "chat", ["a", "b"], [b'{"reasoning_content":"hm"}'])
    assert dict(kept.of(KIMI, "chat")) == {"a": (b'{"reasoning_content":"hm"}',), "b": (b'{"reasoning_content":"hm"}',)}
    assert not kept.of(DEEPSEEK, "chat")
    assert not kept.of(KIMI, "anthropic")


def test_a_call_belongs_to_whoever_made_it_last() -> None:
    kept = Reasoning()
    kept.keep(KIMI, "chat", ["a"], [b"1"])
    kept.keep(DEEPSEEK, "chat", ["a"], [b"2"])
    assert not kept.of(KIMI, "chat")
    assert kept.of(DEEPSEEK, "chat")["a"] == (b"2",)


def test_an_answer_without_thoughts_leaves_nothing() -> None:
    kept = Reasoning()
    kept.keep(KIMI, "chat", ["a"], [])
    assert not kept.of(KIMI, "chat")


def test_the_oldest_is_forgotten_when_there_is_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reasoning, "_MOST_BYTES", 10)
    kept = Reasoning()
    for name in "abc":
        kept.keep(KIMI, "chat", [name], [b"12345"])
    assert set(kept.of(KIMI, "chat")) == {"b", "c"}
