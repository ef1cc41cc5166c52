"""What the router sees of a turn."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.playbook import Play, after, called, request, result, system, turn, user, with_hints
from tests.support.strategies import chat_requests

from rlmc.cascade.signals import Past, Signals, past_after, read_signals
from rlmc.domain.chat import ChatRequest, Message, Text, ToolCall, ToolResult
from rlmc.domain.effect import Effect

NOTIFICATION = "[SYSTEM NOTIFICATION - NOT USER INPUT] the agent has finished"


def signals(of: ChatRequest, past: Past | None = None, **hints: str) -> Signals:
    return read_signals(with_hints(of, **hints), past or Past())


def test_a_new_prompt_id_is_a_new_task_and_an_old_one_is_not() -> None:
    known = Past(prompt_id="p1")
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


def test_a_failure_is_told_by_the_result_where_there_is_no_mark() -> None:
    def came(text: str) -> ChatRequest:
        return request(
            user("Go."), called("exec_command"), Message("user", (ToolResult("toolu_1", 9, False, text=text),))
        )

    head = "Chunk ID: ab\nWall time: 0.1 seconds\nProcess exited with code %d\nOutput:\nExit code: 1\n"
    assert signals(came(head % 2)).errors == 1
    assert signals(came(head % 0)).errors == 0
    assert signals(came("Exit code: 1\nWall time: 1 seconds\nOutput:\n")).errors == 1
    assert signals(came("Script failed\nWall time 0.2 seconds\nOutput:\n")).errors == 1
    assert signals(came("Failed tests are listed here. Exit code: 1")).errors == 0


def test_results_are_counted_within_the_task() -> None:
    asked = request(
        user("One."), called("Read"), result(), user("Two."), called("Read"), result(), called("Read"), result()
    )
    assert signals(asked).tool_results == 2


def test_what_goes_into_the_ledger_holds_no_words_and_is_json() -> None:
    record = signals(request(user("my secret plan"))).record()
    assert "secret" not in json.dumps(record)
    assert record["user_chars"] == len("my secret plan")


def test_a_long_history_of_text_only_is_no_error() -> None:
    asked = request(*(Message("assistant", (Text("x"),)) for _ in range(5)), tools=())
    assert signals(asked).follows == "other"


# --- the user's words ------------------------------------------------------------------------------------------------

CRASH = "The server dies with a segmentation fault."


def test_a_task_that_begins_hard_stays_hard_until_the_user_says_something_else() -> None:
    begun = signals(request(user(CRASH)))
    assert begun.hard and not begun.approval
    step = request(user(CRASH), called("Read"), result())
    assert signals(step, Past(hard=True)).hard, "tool results change nothing"
    assert not signals(request(user(CRASH), called("Read"), result(), user("Rename it."))).hard


@pytest.mark.parametrize("hard", [True, False])
def test_an_approval_keeps_what_the_task_was(hard: bool) -> None:
    found = signals(request(user("Yes, please go on.")), Past(hard=hard))
    assert (found.hard, found.approval) == (hard, True)


def test_what_the_client_says_in_the_users_name_does_not_end_a_hard_task() -> None:
    assert signals(request(user(NOTIFICATION)), Past(hard=True)).hard


# --- what a conversation remembers -----------------------------------------------------------------------------------


def test_the_first_turn_of_a_conversation_is_the_first_in_the_session() -> None:
    asked = turn(request(user("Fix it.")))
    first = read_signals(asked, Past())
    assert first.first_in_session
    assert not read_signals(asked, past_after(Past(), asked, first)).first_in_session


def test_a_second_failure_in_a_row_is_a_repeated_one() -> None:
    failed = turn(request(user("Go."), called("Read"), result(error=True)))
    fine = turn(after("Read"))
    past, seen = Past(), []
    for asked in (failed, failed, failed, fine, failed):
        found = read_signals(asked, past)
        past = past_after(past, asked, found)
        seen.append(found.repeated_errors)
    assert seen == [False, True, True, False, False]


def test_a_request_without_a_prompt_id_leaves_the_last_one_known() -> None:
    named = with_hints(request(user("Fix it.")), prompt_id="p1")
    past = past_after(Past(), named, read_signals(named, Past()))
    bare = turn(after("Read"))
    past = past_after(past, bare, read_signals(bare, past))
    assert past == Past(prompt_id="p1", turns=2)


# --- the ledger ------------------------------------------------------------------------------------------------------


@given(
    chat_requests,
    st.builds(Past, st.sampled_from([None, "p1"]), hard=st.booleans(), failed=st.booleans(), turns=st.integers(0, 3)),
)
def test_signals_come_back_from_the_ledger_as_they_were(of: ChatRequest, past: Past) -> None:
    found = read_signals(turn(of), past)
    assert Signals.from_record(json.loads(json.dumps(found.record()))) == found


def test_a_record_with_a_fact_missing_or_without_sense_is_no_signals() -> None:
    record = signals(after("Read")).record()
    with pytest.raises(ValueError, match="shell"):
        Signals.from_record(record | {"previous_effect": "shell"})
    del record["hard"]
    with pytest.raises(KeyError):
        Signals.from_record(record)


def test_the_users_own_words_on_a_tool_count() -> None:
    asked = turn(after("mcp__db__query"))
    assert read_signals(asked, Past()).previous_effect is Effect.UNSAFE
    told = turn(after("mcp__db__query"), tools={"mcp__db__query": Effect.READ})
    assert read_signals(told, Past()).previous_effect is Effect.READ
