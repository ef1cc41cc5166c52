"""Signs of regret: what a conversation shows of the answers before, and to which turn each is charged."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.playbook import user

from rlmc.cascade.regret import Regret, Sign, Trail, follow
from rlmc.domain.chat import Message, Text, ToolCall, ToolResult
from rlmc.domain.effect import Effect

EFFECTS = {"Edit": Effect.EDIT, "Write": Effect.EDIT, "Bash": Effect.UNSAFE}


class Talk:
    """A conversation that grows; `signs` are what each turn showed."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.trail = Trail()
        self.turn = 0
        self.effect: Effect | None = None
        self.answered = False
        self._calls = 0

    def asks(self, text: str = "Fix the greeting.") -> list[tuple[str, str]]:
        self.messages.append(user(text))
        return self.arrives()

    def answers(self, text: str) -> None:
        self.messages.append(Message("assistant", (Text(text),)))
        self.effect = None

    def calls(self, name: str, result: str = "fine", *, error: bool = False, then: str = "", **arguments: Any) -> Any:
        self._calls += 1
        call = ToolCall(f"toolu_{self._calls}", name, json.dumps(arguments))
        parts = [ToolResult(call.id, len(result), error, text=result), *([Text(then)] if then else [])]
        self.messages += [Message("assistant", (call,)), Message("user", tuple(parts))]
        self.effect = EFFECTS.get(name, Effect.READ)
        return self.arrives()

    def arrives(self) -> list[tuple[str, str]]:
        self.turn += 1
        found = follow(self.trail, f"turn {self.turn}", tuple(self.messages), self.effect)
        self.answered = found is not None
        return [(sign.turn, sign.kind.value) for sign in found or ()]


def test_nothing_is_said_of_a_conversation_that_goes_well() -> None:
    talk = Talk()
    assert talk.asks() == []
    assert talk.calls("Read", file_path="a.py") == []
    assert talk.calls("Edit", file_path="a.py", old_string="a", new_string="b") == []
    assert talk.calls("Bash", command="pytest -q") == []
    talk.answers("Done.")
    assert talk.asks("Thanks! Now the next one.") == []


def test_a_failed_call_is_charged_to_the_turn_that_made_it() -> None:
    talk = Talk()
    talk.asks()
    assert talk.calls("Read", "no such file", error=True, file_path="b.py") == [("turn 1", "tool-error")]


@pytest.mark.parametrize("refusal", ["The user doesn't want to proceed with this tool use. The tool use was rejected"])
def test_a_call_the_user_refuses_is_an_interruption_and_no_error(refusal: str) -> None:
    talk = Talk()
    talk.asks()
    assert talk.calls("Bash", refusal, error=True, command="rm x") == [("turn 1", "interrupted")]


@pytest.mark.parametrize("note", ["[Request interrupted by user]", "[Request interrupted by user for tool use]"])
def test_the_user_breaks_an_answer_off(note: str) -> None:
    talk = Talk()
    talk.asks()
    talk.answers("I will now delete")
    talk.messages.append(user(note))
    assert talk.asks("use the other file") == [("turn 1", "interrupted")]


@pytest.mark.parametrize(
    "words",
    [
        "No, the other file.",
        "no! not that one",
        "Wrong.",
        "that's wrong, it is 7",
        "This is not what I asked for",
        "undo that",
        "Please revert the last change",
        "You broke the build",
        "I said the tests, not the code",
        "stop",
        "Wait, why did it change?",
    ],
)
def test_words_that_take_back_what_was_done_are_a_correction(words: str) -> None:
    talk = Talk()
    talk.asks()
    talk.answers("Done.")
    assert talk.asks(words) == [("turn 1", "corrected")]


@pytest.mark.parametrize(
    "words",
    [
        "No problem, thanks!",
        "no worries. go on",
        "No tests exist for it; add some",
        "Now fix the other one",
        "Notice that the build is slow",
        "Great. One more: undo support for the editor",
        "stopwatch: add a reset button",
        "It is right",
        "Can you revert commits with this tool?",
        "I asked a colleague",
    ],
)
def test_other_words_are_none(words: str) -> None:
    talk = Talk()
    talk.asks()
    talk.answers("Done.")
    assert talk.asks(words) == []


def test_an_edit_that_is_taken_back_is_charged_to_the_turn_that_made_it() -> None:
    talk = Talk()
    talk.asks()
    talk.calls("Edit", file_path="a.py", old_string="x = 1", new_string="x = 2")
    talk.calls("Read", file_path="a.py")
    assert talk.calls("Edit", file_path="a.py", old_string="x = 2", new_string="x = 1") == [("turn 1", "reverted")]
    assert talk.calls("Edit", file_path="a.py", old_string="x = 1", new_string="x = 2") == [("turn 3", "reverted")]


@pytest.mark.parametrize("command", ["git checkout -- src/a.py", "git restore 'src/a.py' b.py && ls"])
def test_a_file_that_is_taken_from_git_again_takes_its_edit_back(command: str) -> None:
    talk = Talk()
    talk.asks()
    talk.calls("edit", filePath="/project/src/a.py", oldString="x", newString="y")
    assert talk.calls("Bash", command=command) == [("turn 1", "reverted")]


def test_the_same_call_again_with_nothing_changed_is_a_repetition() -> None:
    talk = Talk()
    talk.asks()
    talk.calls("Grep", pattern="x")
    talk.calls("Read", file_path="a.py")
    assert talk.calls("Grep", pattern="x") == [("turn 3", "repeated")]


def test_looking_again_after_a_change_or_a_failure_is_none() -> None:
    talk = Talk()
    talk.asks()
    talk.calls("Read", file_path="a.py")
    talk.calls("Edit", file_path="a.py", old_string="a", new_string="b")
    assert talk.calls("Read", file_path="a.py") == []
    assert talk.calls("Bash", command="pytest -q") == []
    assert talk.calls("Bash", command="pytest -q") == [], "whether a command changes something nobody knows"
    talk.calls("Grep", "timeout", error=True, pattern="y")
    assert talk.calls("Grep", pattern="y") == []


def test_the_same_history_again_says_nothing_new() -> None:
    talk = Talk()
    talk.asks()
    assert talk.calls("Read", "gone", error=True, file_path="b.py") == [("turn 1", "tool-error")]
    assert talk.arrives() == []
    assert not talk.answered, "what came of the answer is not known yet"
    talk.answers("Done.")
    assert talk.asks("no, that is wrong") == [("turn 3", "corrected")], "the turn that was tried again gave the answer"


def test_a_history_that_was_taken_back_is_another_one() -> None:
    talk = Talk()
    talk.asks()
    talk.calls("Read", file_path="a.py")
    talk.calls("Read", file_path="b.py")
    talk.messages = talk.messages[:1]
    assert talk.arrives() == []
    assert talk.calls("Read", file_path="a.py") == []


_PARTS = st.one_of(
    st.builds(Text, st.text(max_size=60)),
    st.builds(ToolCall, st.sampled_from("ab"), st.sampled_from(["Edit", "Bash", "x"]), st.text(max_size=60)),
    st.builds(
        lambda old, new: ToolCall("a", "Edit", json.dumps({"path": "f", "old_str": old, "new_str": new})),
        st.sampled_from("xy"), st.sampled_from("xy"),
    ),
    st.builds(ToolResult, st.sampled_from("ab"), st.just(1), st.booleans(), text=st.text(max_size=60)),
)  # fmt: skip
_MESSAGES = st.lists(
    st.builds(Message, st.sampled_from(["user", "assistant", "system"]), st.lists(_PARTS, max_size=4).map(tuple)),
    max_size=12,
)


@given(_MESSAGES, st.lists(st.integers(0, 12), max_size=8))
def test_no_history_is_too_odd_and_every_sign_is_of_a_turn_before(messages: list[Message], cuts: list[int]) -> None:
    trail = Trail()
    for number, cut in enumerate(cuts):
        for sign in follow(trail, str(number), tuple(messages[:cut]), Effect.READ) or ():
            assert isinstance(sign, Sign)
            assert sign.kind in Regret
            assert int(sign.turn) < number


def test_what_is_remembered_is_bounded() -> None:
    talk = Talk()
    talk.asks()
    for number in range(300):
        talk.calls("Edit", file_path=f"{number}.py", old_string="a", new_string="b")
    for number in range(100):
        talk.calls("Read", file_path=f"{number}.py")
    assert len(talk.trail.edits) <= 100
    assert len(talk.trail.files) <= 100
    assert len(talk.trail.calls) <= 40
