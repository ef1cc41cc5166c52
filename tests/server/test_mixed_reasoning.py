"""Sessions in which two models think: each gets its own thoughts back, and nobody else's."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.live import Live
from tests.support.strict import StrictClaude, StrictDeepSeek, StrictKimi, StrictServer
from tests.support.wire_client import send

from rlmc.config.paths import ledger_file
from rlmc.ledger.queries import LedgerReader

Json = dict[str, Any]

TURNS = 20
READ = {
    "name": "Read",
    "description": "Reads a file.",
    "input_schema": {
        "type": "object",
        "properties": {"file_path": {"type": "string"}},
        "required": ["file_path"],
        "additionalProperties": False,
    },
}


def reading(prefix: str) -> list[tuple[str, str, Json]]:
    return [(f"Looking at {prefix}{n}.", "Read", {"file_path": f"/tmp/{prefix}{n}.py"}) for n in range(TURNS)]


def play(base_url: str) -> list[Json]:
    """An agent with thinking: it sends everything back as it got it. Every other turn the user speaks again."""
    messages: list[Json] = []
    answers = []
    results: list[Json] = []
    for turn in range(TURNS):
        words = [] if turn % 2 else [{"type": "text", "text": f"Now look at part {turn}."}]
        messages.append({"role": "user", "content": [*results, *words]})
        body = {
            "model": "claude-opus-5-5",
            "max_tokens": 32000,
            "thinking": {"type": "adaptive"},
            "system": "You are an agent.",
            "tools": [READ],
            "messages": messages,
            "stream": True,
        }
        got = send(base_url, body)
        assert got.status == 200, got.body
        content = got.message["content"]
        answers.append(got.message)
        messages.append({"role": "assistant", "content": content})
        results = [
            {"type": "tool_result", "tool_use_id": block["id"], "content": f"content of {block['input']['file_path']}"}
            for block in content
            if block["type"] == "tool_use"
        ]
    return answers


def outcomes(session_id: str) -> list[str]:
    reader = LedgerReader.open(ledger_file())
    try:
        return [turn.outcome for turn in reader.session_turns(session_id)]
    finally:
        reader.close()


@pytest.mark.parametrize(
    ("draft", "model", "url"),
    [
        (StrictDeepSeek, "deepseek/deepseek-flash", "upstream.deepseek"),
        (StrictKimi, "moonshot/kimi-k3", "upstream.moonshot"),
    ],
)
def test_no_thought_reaches_a_model_that_did_not_think_it(
    live: Live, draft: type[StrictServer], model: str, url: str
) -> None:
    with StrictClaude(reading("v")) as claude, draft(reading("d")) as cheap:
        session = live.open_session(
            overrides={
                "draft-model": model,
                "policy": "balanced",
                "upstream.anthropic.base-url": claude.url,
                f"{url}.base-url": f"{cheap.url}/v1",
                f"{url}.protocol": "chat",
            },
            keys={"DEEPSEEK_API_KEY": "k", "MOONSHOT_API_KEY": "k"},
        )
        answers = play(session.base_url)
        session.end()
    assert claude.refusals == []
    assert cheap.refusals == []
    assert claude.foreign == [] == cheap.foreign
    assert outcomes(session.id) == ["direct", "skipped"] * (TURNS // 2)
    # The client has Claude's thoughts, which it must send back, and none of the draft model's.
    thoughts = {block["thinking"] for answer in answers for block in answer["content"] if block["type"] == "thinking"}
    assert thoughts == claude.written
    ids = [block["id"] for answer in answers for block in answer["content"] if block["type"] == "tool_use"]
    assert len(set(ids)) == TURNS
    if isinstance(cheap, StrictKimi):
        # What it thought itself came back, in full and in its order, but for the step it is asked for now.
        back = [m["reasoning_content"] for m in cheap.bodies[-1]["messages"] if m.get("tool_calls")]
        assert [thought for thought in back if thought.strip()] == cheap.thoughts[:-1]
