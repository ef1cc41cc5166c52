"""The demo agent talks like a real coding agent: streams, tool loop, hint headers, cache markers, real sizes."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

import pytest
from tests.support.fake_upstream import FakeUpstream, Reply
from tests.support.messages import assemble
from tests.support.scripts import Script, formatted, sequence
from tests.support.simulated import run, send

from rlmc.demo.agent import Agent, AgentError, Api, main
from rlmc.demo.project import ROOT
from rlmc.demo.tasks import TASKS
from rlmc.upstream.simulated import SimulatedTransport


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def work(url: str) -> None:
    with closing(Api(url, "k")) as api:
        Agent(api).work()


def reading(body: dict[str, Any], _n: int) -> Reply:
    """Reads a file on the first turn of every task, then answers."""
    asked = formatted(body)
    if asked is not None:
        return asked
    if '"tool_result"' in json.dumps(body["messages"][-1]):
        return Reply("It is in fees.py.", thinking="so")
    return Reply(calls=(("Read", {"file_path": f"{ROOT}/src/parcel/fees.py"}),), thinking="hm")


def test_a_session_is_a_title_and_a_tool_loop_per_task(capsys: pytest.CaptureFixture[str]) -> None:
    with FakeUpstream(reading) as up:
        work(up.url + "/s/token")
    turns = lines(capsys)
    assert len(turns) == len(up.messages) == 1 + 2 * len(TASKS)
    assert [t["does"] for t in turns[:3]] == ["names the session", "Read fees.py", "answers"]
    assert {t["task"] for t in turns} == set(range(len(TASKS) + 1))
    assert {e.path for e in up.messages} == {"/s/token/v1/messages"}


def test_it_hints_like_the_real_client() -> None:
    with FakeUpstream(reading) as up:
        work(up.url)
    title, *main_turns = up.messages
    assert (title.header("x-claude-code-request-class"), title.json["tools"]) == ("auxiliary", [])
    assert title.header("x-claude-code-prompt-id") is None
    assert {e.header("x-claude-code-request-class") for e in main_turns} == {"main"}
    assert len({e.header("x-claude-code-session-id") for e in up.messages}) == 1
    prompts = [e.header("x-claude-code-prompt-id") for e in main_turns]
    assert len(set(prompts)) == len(TASKS)
    assert prompts[0] == prompts[1] != prompts[2]


def test_requests_have_the_shape_of_a_real_agents() -> None:
    with FakeUpstream(reading) as up:
        work(up.url)
    bodies = [e.json for e in up.messages[1:]]
    for body in bodies:
        assert body["stream"] is True
        assert body["thinking"] == {"type": "adaptive"}
        assert 1 <= json.dumps(body).count('"cache_control"') <= 4
        assert "cache_control" in [m for m in body["messages"] if m["role"] == "user"][-1]["content"][-1]
    assert bodies[0]["messages"][-1]["role"] == "system"
    # What the model thought comes back unchanged and signed.
    thought = bodies[1]["messages"][2]["content"][0]
    assert (thought["type"], thought["thinking"]) == ("thinking", "hm")
    assert thought["signature"]
    assert 20_000 < up.bills[1].prompt < up.bills[-1].prompt


def test_with_the_simulated_models_it_does_every_kind_of_work(capsys: pytest.CaptureFixture[str]) -> None:
    sim = SimulatedTransport(latency=0)

    class Direct(Api):
        def ask(self, body: dict[str, Any], **hints: str) -> dict[str, Any]:
            status, raw = run(send(sim, body | {"model": "verify"}))
            assert status == 200, raw
            return assemble(raw)

    Agent(Direct("http://127.0.0.1:1", "k")).work()
    turns = lines(capsys)
    did = " ".join(t["does"] for t in turns)
    for tool in ("Grep", "Read", "TodoWrite", "Edit", "Bash"):
        assert tool in did
    assert 25 <= len(turns) <= 40
    assert turns[1]["prompt_tokens"] > 22_000
    assert turns[-1]["prompt_tokens"] > 60_000


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (sequence(Reply(status=529, error="overloaded_error")), "529"),
        (sequence(Reply("cut", eof_after=3)), "broke off"),
        (lambda _body, _n: Reply(calls=(("Bash", {"command": "ls"}),)), "no end in sight"),
    ],
)
def test_what_cannot_go_on_ends_with_a_reason(script: Script, message: str) -> None:
    with FakeUpstream(script) as up, pytest.raises(AgentError, match=message):
        work(up.url)


def test_exit_codes(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("ANTHROPIC_BASE_URL", raising=False)
    assert main() == 2
    with FakeUpstream(sequence(Reply(status=401, error="authentication_error"))) as up:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", up.url)
        assert main() == 1
        up.script = reading
        assert main() == 0
    assert "401" in capsys.readouterr().err
