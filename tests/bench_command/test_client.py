"""One arm against an API on a real socket: order, waiting, giving up, and errors as values."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from tests.support.fake_upstream import FakeUpstream, Reply
from tests.support.scripts import sequence

from rlmc.bench import run as bench_run
from rlmc.bench.client import Address, ask
from rlmc.bench.results import Result
from rlmc.bench.run import ARMS, BenchError, run_arm
from rlmc.bench.task import Call, Task
from rlmc.bench.tasks import OWN
from rlmc.bench.tasks import tools as tool_tasks

MATHS = [task for task in OWN if task.kind == "maths"]


def address(up: FakeUpstream) -> Address:
    return Address(up.url, "claude-opus-5-5", {"x-api-key": "k"})


def asked(body: dict[str, Any]) -> str:
    return body["messages"][-1]["content"][0]["text"]


def results(up: FakeUpstream, tasks: list[Task], parallel: int = 1) -> list[Result]:
    found: list[Result] = []
    run_arm(ARMS[0], tasks, address(up), parallel, found.append)
    return found


def test_a_request_is_an_agents_and_every_task_a_conversation_of_its_own() -> None:
    with FakeUpstream(lambda _b, _n: Reply("Answer: 46")) as up:
        found = results(up, MATHS[:3])
    assert [(result.task, result.passed) for result in found] == [
        ("maths-01", True),
        ("maths-02", False),
        ("maths-03", False),
    ]
    assert [asked(exchange.json) for exchange in up.messages] == [task.prompt for task in MATHS[:3]]
    assert {exchange.header("x-api-key") for exchange in up.messages} == {"k"}
    assert len({exchange.header("x-claude-code-session-id") for exchange in up.messages}) == 3
    assert "tools" not in up.messages[0].json


def test_tool_calls_are_read() -> None:
    task = tool_tasks.TASKS[11]
    reply = Reply("One moment.", thinking="hm", calls=(("share_price", {"symbol": "NVO"}),))
    with FakeUpstream(lambda _b, _n: reply) as up:
        got = ask(address(up), task)
        assert results(up, [task])[0].passed
    assert got.answer is not None
    assert (got.answer.text, got.answer.calls) == ("One moment.", (Call("share_price", {"symbol": "NVO"}),))
    assert [tool["name"] for tool in up.messages[0].json["tools"]] == [tool["name"] for tool in task.tools]


def test_tasks_run_side_by_side_but_no_more_than_asked() -> None:
    running, most = 0, 0
    lock = threading.Lock()

    def busy(task: Task) -> Task:
        def check(_answer: Any) -> Any:
            nonlocal running, most
            with lock:
                running, most = running + 1, max(most, running + 1)
            time.sleep(0.1)
            with lock:
                running -= 1
            return task.check(_answer)

        return Task(task.id, task.kind, task.prompt, check)

    with FakeUpstream(lambda _b, _n: Reply("Answer: 46")) as up:
        found = results(up, [busy(task) for task in MATHS[:9]], parallel=3)
    assert sorted(result.task for result in found) == [task.id for task in MATHS[:9]]
    assert most == 3


def test_a_busy_provider_is_asked_again_when_it_says() -> None:
    busy = Reply(status=429, error="rate_limit_error", headers=(("retry-after", "0.2"),))
    with FakeUpstream(sequence(busy, busy, Reply("Answer: 46"))) as up:
        began = time.monotonic()
        (found,) = results(up, MATHS[:1])
    assert found.passed
    assert len(up.messages) == 3
    assert 0.4 <= time.monotonic() - began < 5  # and not what it would wait by itself


def test_one_that_stays_busy_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_run, "_WAITS", (0.01,) * 4)
    with FakeUpstream(lambda _b, _n: Reply(status=529, error="overloaded_error")) as up:
        (found,) = results(up, MATHS[:1])
    assert (found.passed, found.why) == (None, "status 529: overloaded_error")
    assert len(up.messages) == bench_run.TRIES


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (Reply(status=500, message="the prompt was: secret"), "status 500: api_error"),
        (Reply(status=400, error="not <b>a kind</b>"), "status 400: error"),
        (Reply(status=502, raw=b"<html>"), "status 502: error"),
        (Reply(raw=b"{}"), "status 200: an answer of another shape"),
        (Reply(raw=b"no JSON"), "status 200: an answer of another shape"),
        (Reply(break_after=-1), "no answer: ConnectionResetError"),
    ],
)
def test_what_fails_is_a_value_without_words_of_anybodys(reply: Reply, why: str) -> None:
    with FakeUpstream(sequence(reply, Reply("Answer: 17"))) as up:
        first, second = results(up, MATHS[:2])
    assert (first.passed, first.why) == (None, why)
    assert second.passed


@pytest.mark.parametrize("status", [401, 402, 403, 404])
def test_what_every_task_would_meet_ends_the_run(status: int) -> None:
    with FakeUpstream(lambda _b, _n: Reply(status=status, error="refused")) as up:
        with pytest.raises(BenchError) as problem:
            results(up, MATHS[:20])
        assert len(up.messages) < 5
    assert f"status {status}: refused" in problem.value.message
    assert problem.value.hint


def test_a_fault_of_a_check_is_not_taken_for_an_answer() -> None:
    def check(_answer: Any) -> Any:
        raise RuntimeError("fault")

    with FakeUpstream() as up, pytest.raises(RuntimeError, match="fault"):
        results(up, [Task("x", "maths", "?", check)])
