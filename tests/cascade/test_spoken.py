"""The user's own words, and the task they begin."""

from __future__ import annotations

import pytest
from hypothesis import given
from tests.support.playbook import called, result, says, system, user
from tests.support.strategies import chat_requests

from rlmc.cascade.spoken import current_task, user_words
from rlmc.domain.chat import ChatRequest, Message


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (user("Fix it."), "Fix it."),
        (user("<system-reminder>x</system-reminder>", " ", "Fix it.", "Now."), "Fix it.\nNow."),
        (user("<system-reminder>x</system-reminder>"), ""),
        (user("[SYSTEM NOTIFICATION] done"), ""),
        (user("<environment_context>\n  <cwd>/p</cwd>\n</environment_context>", "Fix it."), "Fix it."),
        (user("<user_instructions>\nBe brief."), ""),
        (user("# AGENTS.md instructions for /p\n\n<INSTRUCTIONS>"), ""),
        (user('Called the Read tool with the following input: {"filePath":"/p/a"}', "Look at @a"), "Look at @a"),
        (user("Called the agent of the Read team."), "Called the agent of the Read team."),
        (system("# Environment"), ""),
        (Message("assistant", says("Done.").parts), ""),
        (result(words="And then stop."), "And then stop."),
    ],
)
def test_only_the_users_words(message: Message, words: str) -> None:
    assert user_words(message) == words


def test_a_task_begins_where_the_user_speaks() -> None:
    old = (user("Look."), called("Read"), result())
    new = (user("Fix it."), system("note"), called("Edit"), result(words="Tool loaded."), user("<system-reminder>x"))
    assert current_task((*old, *new)) == new
    assert current_task(old[1:]) == old[1:]
    assert current_task(()) == ()


@given(chat_requests)
def test_a_task_is_the_end_of_its_conversation(request: ChatRequest) -> None:
    task = current_task(request.messages)
    assert task == request.messages[len(request.messages) - len(task) :]
