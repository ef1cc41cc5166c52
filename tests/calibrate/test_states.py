"""Which moments of a session are compared at, which of them are taken, and what request each becomes."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.support.past import CHANGE, QUESTION, Recorded, changes, write_sessions

from rlmc.calibrate.states import (
    LONGEST_TOKENS,
    Case,
    Found,
    Models,
    State,
    cases,
    choose,
    look,
    newest_model,
    transcripts,
)
from rlmc.demo import prompts
from rlmc.demo.project import ROOT
from rlmc.domain.effect import Effect
from rlmc.domain.turn import DraftAbilities, Model
from rlmc.replay.recorded import ReadingFaults

SIM = Models(Model("sim", "draft"), Model("sim", "verify"))
CLAUDE = Models(Model("deepseek", "deepseek-flash"), Model("anthropic", "claude-opus-5-5"))


def found(folder: Path, models: Models = SIM) -> Found:
    faults = ReadingFaults()
    return look(transcripts([folder], folder, faults), models, faults, lambda _bytes: None)


def built(states: list[State], models: Models = SIM) -> tuple[list[Case], list[State]]:
    unusable: list[State] = []
    return list(cases(states, models, ReadingFaults(), unusable.append)), unusable


def rewrite(folder: Path, change: Any) -> None:
    """Every assistant and user line once through `change`."""
    for file in folder.rglob("*.jsonl"):
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        for line in lines:
            if line["type"] in ("user", "assistant"):
                change(line)
        file.write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("one")
    write_sessions(folder, [[CHANGE.format(n=1, digits=2), QUESTION.format(n=2)]])
    return folder


@pytest.fixture
def one(session: Path, tmp_path: Path) -> Path:
    """A copy that may be changed."""
    for file in session.rglob("*.jsonl"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


def test_steps_after_results_are_states_and_the_first_of_a_task_are_not(session: Path) -> None:
    seen = found(session)
    assert Counter(state.kind for state in seen.states) == {
        "read": 7,
        "plan": 2,
        "edit": 1,
        "shell-safe": 1,
        "text": 2,
    }
    assert seen.left_out == {"first steps": 2}
    assert seen.files == 1
    assert {state.model for state in seen.states} == {"sim/verify"}


def test_a_state_becomes_the_request_an_agent_would_have_made(session: Path) -> None:
    seen = found(session)
    all, unusable = built(seen.states)
    assert (len(all), unusable) == (len(seen.states), [])
    edit = next(case for case in all if case.state.kind == "edit")
    body = json.loads(edit.turn.request.raw)
    assert ROOT in body["system"][0]["text"]
    assert [tool["name"] for tool in body["tools"]] == ["Bash", "Edit", "Glob", "Grep", "Read", "TodoWrite", "Write"]
    assert body["messages"][-1]["content"][0]["type"] == "tool_result"
    assert edit.signals.follows == "tool-results"
    assert edit.signals.previous_effect is Effect.PLAN
    (call,) = edit.done.tool_calls
    assert (call.name, json.loads(call.arguments)["new_string"]) == ("Edit", "    return round(amount, 2)")
    # What was done is not in what is asked, nor is what the client keeps for itself.
    assert b"round(amount, 2)" not in edit.turn.request.raw.split(b"tool_use", 1)[1]
    assert not any(b"never to be sent" in case.turn.request.raw for case in all)


def test_what_the_transcript_tells_of_a_request_is_asked_again(tmp_path: Path) -> None:
    write_sessions(tmp_path, changes(1), detailed=True)
    seen = found(tmp_path)
    (text,) = [case for case in built(seen.states)[0] if case.state.kind == "text"]
    body = json.loads(text.turn.request.raw)
    assert body["system"] == [{"type": "text", "text": "You are the recorded agent."}]
    assert body["tools"] == prompts.tools()
    assert body["messages"][0]["content"][1]["text"].startswith("<system-reminder>\nThe house rule")
    assert b"never to be sent" not in text.turn.request.raw
    # Its size counts, and is paid for.
    assert text.state.chars > len(json.dumps(prompts.tools()))
    assert text.state.chars == pytest.approx(text.turn.request.chars, rel=0.1)


def test_copies_count_once(one: Path) -> None:
    before = found(one).states
    copy = next(one.glob("*.jsonl"))
    (one / "ffffffff.jsonl").write_bytes(copy.read_bytes())
    assert [state.digest for state in found(one).states] == [state.digest for state in before]


def test_who_answered_decides(one: Path) -> None:
    def model(name: str, message_id: str | None = None) -> None:
        def change(line: dict[str, Any]) -> None:
            if line["type"] == "assistant":
                line["message"]["model"] = name
                line["message"]["id"] = message_id or line["message"]["id"]

        rewrite(one, change)

    model("claude-opus-4-5-20251101")
    assert len(found(one, CLAUDE).states) == 13
    model("claude-haiku-5-5")
    assert found(one, CLAUDE).left_out["another model"] == 15
    # Of other vendors nobody knows the rank, but the draft model itself proves nothing.
    model("gpt-9")
    assert len(found(one, CLAUDE).states) == 13
    model("deepseek-flash")
    assert found(one, CLAUDE).states == []
    model("claude-3-opus-20240229")
    assert len(found(one, CLAUDE).states) == 13

    def minted(line: dict[str, Any]) -> None:
        if line["type"] == "assistant":
            line["message"]["id"] = f"msg_01{line['message']['id'][-20:]:0>22}"
            line["requestId"] = "req_rlmc_1"

    rewrite(one, minted)
    assert found(one, CLAUDE).left_out == {"drafted by rlmc": 15}


def test_errors_images_and_long_prompts_are_left_out(one: Path, session: Path) -> None:
    def failed(line: dict[str, Any]) -> None:
        if line["type"] == "user" and isinstance(line["message"]["content"], list):
            line["message"]["content"][0]["is_error"] = True

    rewrite(one, failed)
    assert found(one).left_out == {"first steps": 2, "after an error": 13}

    for file in session.rglob("*.jsonl"):
        (one / file.name).write_bytes(file.read_bytes())

    def image(line: dict[str, Any]) -> None:
        if line["type"] == "user" and isinstance(line["message"]["content"], str):
            block = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
            line["message"]["content"] = [{"type": "text", "text": line["message"]["content"]}, block]

    rewrite(one, image)
    assert found(one).left_out["images"] == 13

    for file in session.rglob("*.jsonl"):
        (one / file.name).write_bytes(file.read_bytes())

    def long(line: dict[str, Any]) -> None:
        if line["type"] == "user" and isinstance(line["message"]["content"], str):
            line["message"]["content"] += " and" * LONGEST_TOKENS

    rewrite(one, long)
    assert found(one).left_out["too long"] == 13


def test_a_step_the_draft_model_has_no_room_for_is_none(session: Path) -> None:
    small = Models(SIM.draft, SIM.verify, DraftAbilities(context=50))
    all, unusable = built(found(session).states, small)
    assert (all, len(unusable)) == ([], 13)


def test_a_file_that_has_changed_meanwhile(one: Path) -> None:
    states = found(one).states
    file = next(one.glob("*.jsonl"))
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:6]))
    all, unusable = built(states)
    assert len(all) + len(unusable) == 13
    assert 0 < len(all) < 13
    file.unlink()
    assert len(built(states)[1]) == 13


def test_only_main_loops_of_claude_code_are_read(one: Path) -> None:
    (main,) = one.glob("*.jsonl")
    agent = one / main.stem / "subagents" / "agent-1.jsonl"
    agent.parent.mkdir(parents=True)
    agent.write_bytes(main.read_bytes())
    (one / "codex.jsonl").write_text('{"type": "session_meta", "timestamp": "2026-01-01T00:00:00Z", "payload": {}}\n')
    assert transcripts([one], one, ReadingFaults()) == [main]


def test_the_model_asked_last(one: Path) -> None:
    faults = ReadingFaults()
    assert newest_model(transcripts([one], one, faults), faults) == "sim/verify"
    rewrite(one, lambda line: line.update(requestedModel="claude-opus-5-5") if line["type"] == "assistant" else None)
    assert newest_model(transcripts([one], one, faults), faults) == "claude-opus-5-5"
    assert newest_model([], faults) is None


def states(**kinds: int) -> list[State]:
    return [
        State(Path("f"), f"{kind}{n}", f"{n * 7919 % 1000:04}{kind}", kind, "m", 1)
        for kind, many in kinds.items()
        for n in range(many)
    ]


def kinds(chosen: list[State]) -> dict[str, int]:
    return dict(Counter(state.kind for state in chosen))


def test_each_kind_gets_its_share() -> None:
    some = states(read=500, edit=100, plan=10)
    assert kinds(choose(some, 300)) == {"plan": 10, "edit": 100, "read": 190}
    assert kinds(choose(some, 60)) == {"plan": 10, "edit": 25, "read": 25}
    assert kinds(choose(some, 2)) == {"plan": 1, "edit": 1}
    assert len(choose(some, 10_000)) == 610
    assert choose([], 5) == []


def test_the_same_states_are_taken_again() -> None:
    some = states(read=50, edit=50)
    again = choose(list(reversed(some)), 20)
    assert choose(some, 20) == again
    assert {state.key for state in choose(some, 10)} < {state.key for state in again}


def test_a_session_can_be_recorded_in_more_than_one_file(tmp_path: Path) -> None:
    write_sessions(tmp_path, changes(3))
    seen = found(tmp_path)
    assert seen.files == 3
    assert len({state.digest for state in seen.states}) == len(seen.states) == 18
    all, _ = built(seen.states)
    assert [case.state.file for case in all] == sorted(case.state.file for case in all)
    assert Recorded("x").lines == []
