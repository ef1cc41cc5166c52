"""A simulated judge: what it finds worse, in either order, and mistakes for it to find."""

from __future__ import annotations

import json
from random import Random

import msgspec
import pytest
from tests.support import tools
from tests.support.simulated import ask

from rlmc.cascade.audit.canary import planted
from rlmc.cascade.audit.judge import judgement, question
from rlmc.domain.chat import ChatRequest, Completion, Message, Part, Text, ToolCall, ToolResult
from rlmc.upstream.simulated.agent import Reply
from rlmc.upstream.simulated.body import Body, decode
from rlmc.upstream.simulated.comparison import comparison_reply
from rlmc.upstream.simulated.kinds import Kind
from rlmc.upstream.simulated.misbehave import mistake_in
from rlmc.upstream.simulated.models import BadOption, parse
from rlmc.upstream.simulated.texts import MISTAKE
from rlmc.upstream.simulated.tools import Call

PATH = "/src/shop/cart.py"
REQUEST = ChatRequest(
    raw=b"",
    model="m",
    stream=False,
    max_tokens=100,
    messages=(
        Message("user", (Text("Mend the total."),)),
        Message("assistant", (ToolCall("1", "Grep", '{"pattern": "total"}'),)),
        Message("user", (ToolResult("1", 20, False, text=f"{PATH}: total = 3"),)),
    ),
)


def answer(*parts: Part) -> Completion:
    return Completion("m", parts, "end_turn", None)


def judged(first: Completion, second: Completion) -> str:
    asked = question(REQUEST, first, second, "ab12" * 4, 20_000)
    assert asked is not None
    raw = json.dumps({"model": "sim/verify", "max_tokens": 99, "system": asked.system,
                      "messages": [{"role": "user", "content": asked.text}]})  # fmt: skip
    reply = comparison_reply(decode(raw.encode()))
    assert reply is not None
    found = judgement(answer(Text(reply.text)))
    assert found is not None
    return found[0]


READ = answer(ToolCall("1", "Read", json.dumps({"file_path": PATH, "limit": 20})))


@pytest.mark.parametrize(
    "worse",
    [
        answer(Text(f"All is well. {MISTAKE}")),
        answer(ToolCall("1", "Read", json.dumps({"file_path": "/src/shop/cart_old.py", "limit": 20}))),
        answer(ToolCall("1", "Read", json.dumps({"file_path": PATH}))),
        answer(ToolCall("1", "Read", json.dumps({"file_path": PATH, "limit": 21}))),
    ],
)
def test_it_finds_the_worse_one_whichever_comes_first(worse: Completion) -> None:
    assert judged(READ, worse) == "second"
    assert judged(worse, READ) == "first"


def test_equal_ones_are_equal() -> None:
    assert judged(READ, READ) == "equal"


def test_it_catches_most_planted_faults() -> None:
    caught = [judged(READ, faulty) == "second" for seed in range(30) if (faulty := planted(READ, Random(seed)))]
    assert len(caught) == 30
    assert sum(caught) >= 24


def test_other_requests_are_no_comparisons() -> None:
    assert comparison_reply(msgspec.json.decode(json.dumps({"model": "m", "messages": []}), type=Body)) is None


def said(model: str, number: int) -> str:
    return json.dumps(ask(tools.request(f"What is question {number} about?", model=model))["content"])


def test_a_share_of_answers_is_a_mistake() -> None:
    assert parse("sim/draft+errors=5").errors == 5
    assert parse("sim/draft").errors == 0
    wrong = [MISTAKE in said("sim/draft+errors=20+latency=0", number) for number in range(200)]
    assert 20 <= sum(wrong) <= 60
    assert not any(MISTAKE in said("sim/draft+latency=0", number) for number in range(20))
    with pytest.raises(BadOption, match="errors must be"):
        parse("sim/draft+errors=101")


def test_only_calls_of_one_kind_are_mistakes() -> None:
    conversation = tools.request(
        "Where is `total` computed?", model="sim/draft+errors=100:search+latency=0", tools=tools.ALL
    )
    (call,) = [block for block in ask(conversation)["content"] if block["type"] == "tool_use"]
    assert call["name"] == "Grep"
    assert MISTAKE in call["input"]["pattern"]
    assert MISTAKE not in said("sim/draft+errors=100:edit+latency=0", 7)
    made = json.dumps({"todos": [{"content": "a", "status": "pending"}, {"content": "b", "status": "pending"}]})
    wrong = mistake_in(Reply(calls=(Call("Read", "{}"), Call("TodoWrite", made))), Kind.PLAN).calls
    assert (wrong[0].input, MISTAKE in wrong[1].arguments) == ({}, True)
    assert len(wrong[1].input["todos"]) == 2
    with pytest.raises(BadOption, match="the kinds are search, read"):
        parse("sim/draft+errors=5:nothing")
