"""One state with models that say what they are told to: which drafts count, and what they lose."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.past import changes, write_sessions

from rlmc.calibrate.compare import Asks, Failed, Label, compare, read_answer
from rlmc.calibrate.states import Case, Models, cases, look, transcripts
from rlmc.domain.chat import Completion, Part, Text, ToolCall
from rlmc.domain.shape import Shape
from rlmc.domain.turn import Model
from rlmc.replay.recorded import ReadingFaults

MODELS = Models(Model("sim", "draft"), Model("sim", "verify"))
SECOND = "SECOND"


@pytest.fixture(scope="module")
def all_cases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Case]:
    """One of each kind."""
    folder = tmp_path_factory.mktemp("past")
    write_sessions(folder, changes(1))
    faults = ReadingFaults()
    found = look(transcripts([folder], folder, faults), MODELS, faults, lambda _bytes: None)
    return {case.state.kind: case for case in cases(found.states, MODELS, faults, lambda _state: None)}


def completion(*parts: Part, stop: str | None = None) -> Completion:
    calls = any(isinstance(part, ToolCall) for part in parts)
    return Completion("m", parts, stop or ("tool_use" if calls else "end_turn"), None)


def call(name: str, **arguments: Any) -> ToolCall:
    return ToolCall("c", name, json.dumps(arguments))


class Judge:
    """Says of the draft what it is told to, wherever it stands; keeps what it was asked."""

    def __init__(self, draft: Completion, *verdicts: str | Failed) -> None:
        self.asked: list[dict[str, Any]] = []
        self.places: list[str] = []
        self._mark = draft.text or json.loads(draft.tool_calls[0].arguments)["description"]
        self._verdicts = list(verdicts)

    def __call__(self, body: bytes) -> Completion | Failed:
        self.asked.append(json.loads(body))
        text = self.asked[-1]["messages"][0]["content"][0]["text"]
        found = dict(re.findall(r"<(first|second)-\w+>\n(.*?)\n</", text, re.DOTALL))
        assert len(found) == 2
        self.places.append("first" if self._mark in found["first"] else "second")
        verdict = self._verdicts[len(self.asked) - 1]
        if isinstance(verdict, Failed):
            return verdict
        return completion(Text(verdict.replace("DRAFT", self.places[-1].upper())))


def compared(case: Case, draft: Completion | Failed, judge: Callable[[bytes], Completion | Failed]) -> Label | Failed:
    return compare(case, Asks(lambda _body: draft, judge, Shape(), "low"))


def nobody(_body: bytes) -> Completion | Failed:
    raise AssertionError("nobody is to be asked")


SAID = completion(Text("It is all done by now."))


def test_the_same_step_is_no_loss_and_nobody_judges(all_cases: dict[str, Case]) -> None:
    for kind, case in all_cases.items():
        said = completion(Text("Well then."), *case.done.tool_calls) if case.done.tool_calls else case.done
        assert compared(case, said, nobody) == Label(case.state.digest, "same", kind, 0.0)


def test_arguments_that_the_client_has_filled_in_make_no_difference(all_cases: dict[str, Case]) -> None:
    (recorded,) = all_cases["edit"].done.tool_calls
    arguments = json.loads(recorded.arguments)
    assert arguments.pop("replace_all") is False
    assert compared(all_cases["edit"], completion(call("Edit", **arguments)), nobody) == Label(
        all_cases["edit"].state.digest, "same", "edit", 0.0
    )


def test_what_is_asked_is_what_a_live_draft_would_be_asked(all_cases: dict[str, Case]) -> None:
    asked: list[dict[str, Any]] = []

    def draft(body: bytes) -> Completion:
        asked.append(json.loads(body))
        return all_cases["edit"].done

    compare(all_cases["edit"], Asks(draft, nobody, Shape(max_output=1000), None))
    assert (asked[0]["model"], asked[0]["max_tokens"], asked[0]["stream"]) == ("draft", 1000, True)
    assert asked[0]["messages"][0]["role"] == "user"


@pytest.mark.parametrize(
    ("draft", "how", "bucket"),
    [
        (completion(call("Read")), "gate", "read"),
        (completion(call("Edit", file_path="/nowhere.py", old_string="a", new_string="b")), "gate", "edit"),
        (completion(Text("Cut o"), stop="max_tokens"), "gate", "text"),
        (completion(call("Bash", command="rm -rf build")), "effect", "unsafe"),
        (completion(call("Bash", command="git status"), call("Bash", command="git push")), "effect", "unsafe"),
        (completion(Text("Long. " * 300)), "checked", "text"),
    ],
)
def test_a_draft_that_is_never_served_is_no_label(
    all_cases: dict[str, Case], draft: Completion, how: str, bucket: str
) -> None:
    found = compared(all_cases["edit"], draft, nobody)
    assert isinstance(found, Label)
    assert (found.how, found.bucket, found.loss) == (how, bucket, None)


def test_the_kind_is_the_drafts_own(all_cases: dict[str, Case]) -> None:
    draft = completion(call("Bash", command="git status", description="Look around"))
    judge = Judge(draft, "EQUAL")
    found = compared(all_cases["edit"], draft, judge)
    assert isinstance(found, Label)
    assert (found.bucket, found.how, found.loss) == ("shell-safe", "judged", 0.0)
    (asked,) = judge.asked
    assert (asked["model"], asked["output_config"]) == ("verify", {"effort": "low"})


@pytest.mark.parametrize(
    ("verdicts", "loss"),
    [
        (["DRAFT-WORSE-MATERIAL", "DRAFT-WORSE-MATERIAL"], 1.0),
        (["DRAFT-WORSE-MINOR", "DRAFT-WORSE-MATERIAL"], 0.625),
        (["DRAFT-WORSE-MINOR", "EQUAL"], 0.125),
        (["EQUAL"], 0.0),
    ],
)
def test_one_who_finds_it_worse_is_asked_in_the_other_order(
    all_cases: dict[str, Case], verdicts: list[str], loss: float
) -> None:
    judge = Judge(SAID, *verdicts)
    found = compared(all_cases["text"], SAID, judge)
    assert isinstance(found, Label)
    assert (found.how, found.loss) == ("judged", loss)
    assert len(judge.asked) == len(verdicts)
    assert len(set(judge.places)) == len(verdicts)


def test_the_order_is_drawn_and_the_same_state_is_begun_alike(all_cases: dict[str, Case]) -> None:
    from dataclasses import replace

    places = []
    for n in range(20):
        case = replace(all_cases["text"], state=replace(all_cases["text"].state, digest=f"{n:016x}"))
        judge, again = Judge(SAID, "EQUAL"), Judge(SAID, "EQUAL")
        compared(case, SAID, judge)
        compared(case, SAID, again)
        assert judge.places == again.places
        places += judge.places
    assert 4 <= places.count("first") <= 16


def test_no_verdict_is_a_loss(all_cases: dict[str, Case]) -> None:
    judge = Judge(SAID, "I think both are fine.", "So do I.")
    found = compared(all_cases["text"], SAID, judge)
    assert isinstance(found, Label)
    assert (found.how, found.loss, len(judge.asked)) == ("no-verdict", 1.0, 2)
    # Another try may do, and a second opinion that cannot be had is none.
    assert compared(all_cases["text"], SAID, Judge(SAID, "Hm.", "EQUAL")) == Label(
        all_cases["text"].state.digest, "judged", "text", 0.0
    )
    worse = Judge(SAID, "DRAFT-WORSE-MINOR", "Hm.", "Hm.")
    found = compared(all_cases["text"], SAID, worse)
    assert isinstance(found, Label)
    assert (found.how, found.loss) == ("no-verdict", 1.0)


def test_who_does_not_answer_leaves_no_label(all_cases: dict[str, Case]) -> None:
    busy = Failed("status 529: overloaded_error")
    assert compared(all_cases["text"], busy, nobody) == busy
    assert compared(all_cases["text"], SAID, Judge(SAID, busy)) == busy
    assert compared(all_cases["text"], SAID, Judge(SAID, "DRAFT-WORSE-MINOR", busy)) == busy


def test_answers_are_read_whole_and_streamed() -> None:
    whole = b'{"type": "message", "role": "assistant", "content": [{"type": "text", "text": "Hi."}], "id": "1"}'
    found = read_answer(whole)
    assert isinstance(found, Completion)
    assert found.text == "Hi."
    begun = b'event: message_start\ndata: {"type": "message_start", "message": {"id": "1", "usage": {}}}\n\n'
    assert read_answer(begun) == Failed("the stream failed")
    failed = b'event: error\ndata: {"type": "error", "error": {"type": "overloaded_error"}}\n\n'
    assert read_answer(begun + failed) == Failed("the stream failed")
    assert read_answer(b"{") == Failed("an answer of another shape")


def test_transcripts_hold_one_of_each_kind(all_cases: dict[str, Case]) -> None:
    assert set(all_cases) == {"plan", "read", "shell-safe", "text", "edit"}
    assert all(isinstance(case.state.file, Path) for case in all_cases.values())
