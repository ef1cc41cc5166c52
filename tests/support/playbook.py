"""Plays a cascade like a script: expected call, then reply, …, then the plan. No mocks: the core is only spoken to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rlmc.cascade.caution import FREE, Caution
from rlmc.cascade.economics import Prospect
from rlmc.cascade.engine import run
from rlmc.cascade.plan import CallFailed, CallModel, CallResult, Plan
from rlmc.cascade.policies import find
from rlmc.cascade.reading import CONTENT, Reading
from rlmc.cascade.signals import Past, read_signals
from rlmc.domain.chat import ChatRequest, Completion, Message, Part, Text, ToolCall, ToolResult, ToolSpec, Usage
from rlmc.domain.layout import Mark
from rlmc.domain.price import Price
from rlmc.domain.turn import ClientHints, DraftAbilities, Model, Turn

NONCE = "0123456789abcdef"
DRAFT = Model("deepseek", "deepseek-flash")
VERIFY = Model("anthropic", "claude-opus-5-5")

_OBJECT = b'{"type":"object","properties":{"%s":{"type":"string"}},"required":["%s"],"additionalProperties":true}'


def tool(name: str, argument: str = "file_path") -> ToolSpec:
    return ToolSpec(name, _OBJECT % (argument.encode(), argument.encode()))


TOOLS = (
    tool("Read"),
    tool("Grep", "pattern"),
    tool("TodoWrite", "todos"),
    tool("Edit"),
    tool("Bash", "command"),
    tool("mcp__db__query", "sql"),
)


def user(*texts: str) -> Message:
    return Message("user", tuple(Text(t) for t in texts))


def system(text: str) -> Message:
    return Message("system", (Text(text),))


def called(name: str, arguments: str = "{}", call_id: str = "toolu_1") -> Message:
    return Message("assistant", (Text("On it."), ToolCall(call_id, name, arguments)))


def result(call_id: str = "toolu_1", *, error: bool = False, media: bool = False, words: str = "") -> Message:
    parts: list[Part] = [ToolResult(call_id, 20, error, media)]
    if words:
        parts.append(Text(words))
    return Message("user", tuple(parts))


def request(*messages: Message, tools: tuple[ToolSpec, ...] = TOOLS, **fields: Any) -> ChatRequest:
    known: dict[str, Any] = {
        "raw": b"{}",
        "model": VERIFY.name,
        "stream": True,
        "max_tokens": 32_000,
        "messages": messages,
        "tools": tools,
        "chars": 10_000,
    }
    return ChatRequest(**(known | fields))


def after(name: str, **fields: Any) -> ChatRequest:
    """A request in the middle of a task, right after one call of a tool."""
    return request(user("Fix the greeting."), called(name), result(), **fields)


def turn(of: ChatRequest, *, hints: ClientHints | None = None, **fields: Any) -> Turn:
    known: dict[str, Any] = {
        "request": of,
        "hints": hints or ClientHints(),
        "verify": VERIFY,
        "verify_context": 1_000_000,
        "draft": DRAFT,
        "draft_block": None,
        "draft_abilities": DraftAbilities(context=1_000_000),
        "own_calls": True,
        "nonce": NONCE,
    }
    return Turn(**(known | fields))


def says(text: str, stop: str | None = "end_turn") -> Completion:
    return Completion("some-model", (Text(text),), stop, Usage(input=100, output=20))


def calls(name: str, arguments: str = '{"file_path": "a.py"}', text: str = "") -> Completion:
    parts: tuple[Part, ...] = (*((Text(text),) if text else ()), ToolCall("call_0", name, arguments))
    return Completion("some-model", parts, "tool_use", Usage(input=100, output=20))


FAILED = CallFailed("unreachable", "refused")

# --- expected costs -------------------------------------------------------------------------------------------------

UNKNOWN = Prospect()
"""A price is missing."""


def pays(**changes: Any) -> Prospect:
    """Everything pays, and looking at a draft is cheapest on the whole prompt."""
    known: dict[str, Any] = {
        "direct": 1_000_000,
        "skipped": 100_000,
        "verified": 200_000,
        "brief": 900_000,
        "verify_input": 1_000,
        "output": 200.0,
        "warm": True,
        "accept": 1.0,
        "accept_brief": 1.0,
        "verify_price": Price(input=1, output=5_000, cache_read=1, cache_write_5m=1, cache_write_1h=2, source="test"),
    }
    return Prospect(**(known | changes))


def pays_briefly(**changes: Any) -> Prospect:
    """Everything pays, and looking at a draft is cheapest on a compact context."""
    return pays(**({"brief": 1_000, "verify_input": 900_000} | changes))


def unprofitable() -> Prospect:
    """A draft is expected to cost more than it saves."""
    return pays(skipped=1_000_001)


# --- the play -------------------------------------------------------------------------------------------------------


class Play:
    """`ask` is the call the cascade waits for, `plan` its last word; exactly one of them is set."""

    def __init__(
        self,
        of: Turn | ChatRequest,
        policy: str = "balanced",
        past: Past | None = None,
        *,
        prospect: Prospect | None = None,
        marker: Mark | None = None,
        reading: Reading = CONTENT,
        caution: Caution = FREE,
    ) -> None:
        found = find(policy)
        assert found is not None, policy
        asked = of if isinstance(of, Turn) else turn(of)
        signals = read_signals(asked, past or Past())
        self._cascade = run(asked, signals, pays() if prospect is None else prospect, found, marker, reading, caution)
        self.ask: CallModel | None = None
        self.plan: Plan | None = None
        self.asked: list[str] = []
        self._advance(None)

    def expect(self, role: str) -> Play:
        assert self.ask is not None, f"expected a {role} call, got the plan {self.plan}"
        assert self.ask.role == role
        return self

    def reply(self, result: CallResult) -> Play:
        assert self.ask is not None, f"nothing was asked; the plan is {self.plan}"
        self._advance(result)
        return self

    def ends(self, outcome: str, reason: str) -> Plan:
        assert self.plan is not None, f"the cascade still waits for a {self.ask and self.ask.role} call"
        assert (self.plan.outcome.value, self.plan.reason.value) == (outcome, reason), self.plan
        return self.plan

    def _advance(self, result: CallResult | None) -> None:
        try:
            self.ask = self._cascade.send(result) if result is not None else next(self._cascade)
            self.asked.append(self.ask.role)
        except StopIteration as stop:
            self.ask, self.plan = None, stop.value


def with_hints(of: ChatRequest, **hints: Any) -> Turn:
    return turn(of, hints=ClientHints(**hints))


def without_own_calls(of: ChatRequest) -> Turn:
    return replace(turn(of), own_calls=False)
