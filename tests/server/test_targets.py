"""Draft models that fail: turns stop waiting for them, one turn tries them again, and a hung one is given up early."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from tests.server.test_cascade_live import LONG, READ_AGAIN, after_read, pair
from tests.support import tools
from tests.support.fake_upstream import FakeUpstream, Reply
from tests.support.ledger_rows import call_rows, turn_rows
from tests.support.live import Live
from tests.support.scripts import always_text
from tests.support.wire_client import send

from rlmc.cascade import breaker, patience

DOWN = Reply(status=500)


@pytest.fixture
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breaker, "FIRST_PAUSE", 0.2)


def reasons() -> list[str]:
    return [row["reason"] for row in turn_rows()]


def asked(live: Live, draft: Callable[[int], Reply], turns: int, **more: str) -> tuple[int, list[str]]:
    """How many drafts were asked for in so many turns, and why each turn went as it did."""
    with FakeUpstream(always_text("On its own.")) as up, FakeUpstream(lambda _b, n: draft(n)) as cheap:
        session = pair(live, up, cheap, **more)
        for _ in range(turns):
            assert send(session.base_url, after_read()).status == 200
        session.end()
    return len(cheap.messages), reasons()


def test_after_three_failures_in_a_row_turns_go_direct_at_once(live: Live) -> None:
    drafts, why = asked(live, lambda _n: DOWN, 6)
    assert drafts == 3
    assert why == ["draft-failed"] * 3 + ["draft-paused"] * 3
    assert [row["role"] for row in call_rows()].count("draft") == 3


def test_the_limit_is_the_users(live: Live) -> None:
    assert asked(live, lambda _n: DOWN, 4, **{"draft-breaker": "1"})[0] == 1


def test_without_a_limit_every_turn_tries(live: Live) -> None:
    assert asked(live, lambda _n: DOWN, 5, **{"draft-breaker": "0"})[0] == 5


def test_a_refused_request_pauses_nothing(live: Live) -> None:
    assert asked(live, lambda _n: Reply(status=400), 5)[0] == 5


def test_a_provider_that_asks_to_wait_is_left_alone_at_once(live: Live) -> None:
    busy = Reply(status=429, headers=(("retry-after", "30"),))
    assert asked(live, lambda _n: busy, 3)[0] == 1


def test_a_refused_draft_is_no_failure(live: Live) -> None:
    assert asked(live, lambda _n: Reply(calls=(("Bash", {"command": "rm -rf /"}),)), 5)[0] == 5


def test_one_turn_tries_it_again_and_drafts_come_back(live: Live, short_pauses: None) -> None:
    with (
        FakeUpstream(always_text("On its own.")) as up,
        FakeUpstream(lambda _b, n: DOWN if n < 4 else READ_AGAIN) as cheap,
    ):
        session = pair(live, up, cheap)
        for _ in range(3):
            send(session.base_url, after_read())
        [paused] = live.control("GET", "/-/status")[1]["paused_drafts"]
        assert (paused["model"], paused["failures"]) == ("deepseek/deepseek-flash", 3)
        assert paused["error"] == "status: 500"
        time.sleep(0.25)
        send(session.base_url, after_read())  # the probe fails
        send(session.base_url, after_read())
        time.sleep(0.45)
        for _ in range(3):
            send(session.base_url, after_read())
        assert live.control("GET", "/-/status")[1]["paused_drafts"] == []
        session.end()
    assert reasons() == ["draft-failed"] * 4 + ["draft-paused"] + ["after-read"] * 3


def test_another_key_is_not_paused_with_it(live: Live) -> None:
    with FakeUpstream(always_text("On its own.")) as up, FakeUpstream(lambda _b, _n: Reply(status=401)) as cheap:
        overrides = {
            "upstream.anthropic.base-url": up.url,
            "upstream.deepseek.base-url": cheap.url,
            "draft-model": "deepseek/deepseek-flash",
        }
        for key in ("sk-deep-one", "sk-deep-two"):
            session = live.open_session(overrides=overrides, keys={"DEEPSEEK_API_KEY": key})
            for _ in range(4):
                send(session.base_url, after_read())
        session.end()
    assert len(cheap.messages) == 6


@pytest.mark.parametrize("after", [-1, 0])
@pytest.mark.parametrize("side_call", [False, True])
def test_a_draft_that_says_nothing_is_given_up_long_before_its_deadline(
    live: Live, monkeypatch: pytest.MonkeyPatch, after: int, side_call: bool
) -> None:
    monkeypatch.setattr(patience, "_LEAST_SECONDS", 0.3)
    body = tools.request("A title.", model="claude-opus-5-5", stream=True) if side_call else after_read()
    headers = {"x_claude_code_request_class": "auxiliary"} if side_call else {}
    good = Reply("A title") if side_call else READ_AGAIN
    script = lambda _b, n: good if n < 3 else Reply(LONG, hang_after=after)  # noqa: E731
    with FakeUpstream(always_text("On its own.")) as up, FakeUpstream(script) as cheap:
        session = pair(live, up, cheap, **{"draft-timeout": "25"})
        for _ in range(3):
            send(session.base_url, body, **headers)
        started = time.monotonic()
        got = send(session.base_url, body, **headers)
        took = time.monotonic() - started
        assert b"On its own." in got.body
        cheap.wait(lambda: cheap.messages[-1].client_gone)
        session.end()
    assert took < 12.5, "half of what it may take"
    assert reasons()[-1] == "draft-failed"
    assert call_rows()[-2]["error"].startswith("timeout: nothing came within")
