"""What the router sees of a turn."""

from __future__ import annotations

import json

import pytest
from tests.support.playbook import Play, after, called, request, result, system, turn, user, with_hints

from rlmc.cascade.effects import Effect
from rlmc.cascade.session import SessionState, after_turn, usage_for_client
from rlmc.cascade.signals import Signals, read_signals
from rlmc.domain.chat import ChatRequest, Message, Text, ToolCall, ToolResult, Usage

NOTIFICATION = "[SYSTEM NOTIFICATION - NOT USER INPUT] the agent has finished"


def signals(of: ChatRequest, state: SessionState | None = None, **hints: str) -> Signals:
    return read_signals(with_hints(of, **hints), state or SessionState())


def test_a_new_prompt_id_is_a_new_task_and_an_old_one_is_not() -> None:
    known = SessionState(prompt_id="p1")
    assert signals(after("Read"), known, prompt_id="p2").first_turn
    assert not signals(after("Read"), known, prompt_id="p1").first_turn
    assert signals(after("Read"), prompt_id="p1").first_turn, "after a restart nothing is known: be careful"


def test_without_a_prompt_id_the_users_words_are_a_new_task() -> None:
    assert signals(request(user("Fix it."))).first_turn
    assert not signals(after("Read")).first_turn


@pytest.mark.parametrize("text", [NOTIFICATION, "<system-reminder>x</system-reminder>", "  ", ""])
def test_what_the_client_puts_into_the_users_mouth_is_no_task(text: str) -> None:
    found = signals(request(user(text)))
    assert not found.first_turn
    assert found.follows == "other"
    Play(request(user(text))).ends("direct", "unsure")


def test_words_typed_while_tools_ran_are_a_new_task() -> None:
    queued = request(user("Fix it."), called("Read"), result(words="No, wait: leave it."))
    assert signals(queued).first_turn
    reminded = request(user("Fix it."), called("Read"), result(words="<system-reminder>todo</system-reminder>"))
    assert signals(reminded).follows == "tool-results"


def test_a_system_message_at_the_end_does_not_hide_what_the_turn_follows() -> None:
    found = signals(request(user("Fix it."), called("Read"), result(), system("mode changed")))
    assert found.follows == "tool-results"
    assert found.last_is_system


@pytest.mark.parametrize(
    ("names", "worst"),
    [
        (["Read", "Grep"], Effect.READ),
        (["TodoWrite"], Effect.PLAN),
        (["Read", "Edit"], Effect.EDIT),
        (["Read", "Bash"], Effect.SHELL),
        (["Read", "mcp__db__query"], Effect.UNSAFE),
    ],
)
def test_the_riskiest_of_the_calls_that_came_back_counts(names: list[str], worst: Effect) -> None:
    asked = Message("assistant", tuple(ToolCall(f"c{i}", name, "{}") for i, name in enumerate(names)))
    came = Message("user", tuple(ToolResult(f"c{i}", 1, False) for i in range(len(names))))
    assert signals(request(user("Go."), asked, came)).previous_effect is worst


def test_a_result_without_its_call_is_unsafe() -> None:
    assert signals(request(user("Go."), called("Read"), result("other"))).previous_effect is Effect.UNSAFE


def test_errors_send_the_turn_direct() -> None:
    Play(request(user("Go."), called("Read"), result(error=True))).ends("direct", "after-error")


def test_results_are_counted_within_the_task() -> None:
    asked = request(
        user("One."), called("Read"), result(), user("Two."), called("Read"), result(), called("Read"), result()
    )
    assert signals(asked).tool_results == 2


def test_what_goes_into_the_ledger_holds_no_words_and_is_json() -> None:
    record = signals(request(user("my secret plan"))).record()
    assert "secret" not in json.dumps(record)
    assert record["user_chars"] == len("my secret plan")


def test_the_usage_a_client_is_told_follows_the_verify_models_own_count() -> None:
    asked = turn(after("Read", chars=30_000))
    state = after_turn(SessionState(), asked, Usage(input=2_000, cache_read=8_000, output=5))
    told = usage_for_client(state, turn(after("Read", chars=33_000)), 77)
    assert told.prompt == 11_000
    assert told.cache_read == 10_000
    assert told.output == 77


def test_a_long_history_of_text_only_is_no_error() -> None:
    asked = request(*(Message("assistant", (Text("x"),)) for _ in range(5)), tools=())
    assert signals(asked).follows == "other"
