from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.playbook import NONCE, called, calls, request, says, system, tool, user
from tests.support.strategies import chat_requests, completions

from rlmc.cascade.brief import SYSTEM, Brief, brief_of, brief_verdict, shortened
from rlmc.domain.chat import ChatRequest, Completion, Message, Opaque, Part, Text, Thinking, ToolCall, ToolResult

ROOM = 12_000
WORD = f"ACCEPT-{NONCE}"
DRAFT = calls("Edit", '{"file_path": "a.py"}', "I will edit it.")


def result(text: str, call_id: str = "toolu_1", *, error: bool = False, media: bool = False) -> Message:
    return Message("user", (ToolResult(call_id, len(text), error, media, text=text),))


def brief(of: ChatRequest, draft: Completion = DRAFT, limit: int = ROOM) -> Brief:
    found = brief_of(of, draft, NONCE, limit)
    assert found is not None
    return found


def part(text: str, mark: str) -> list[str]:
    """What stands between the marks of a kind."""
    pieces = text.split(f"<{mark}-{NONCE}>\n")[1:]
    return [piece.partition(f"\n</{mark}-{NONCE}>")[0] for piece in pieces]


TASK = request(
    user("Fix the greeting."),
    called("Grep", '{"pattern": "greet"}', "a"),
    result("a.py:1", "a"),
    called("Read", '{"file_path": "a.py"}', "b"),
    result("print('helo')", "b"),
)


def test_a_step_is_shown_with_its_task_the_latest_steps_and_its_tools_schema() -> None:
    found = brief(TASK)
    assert found.system == SYSTEM
    assert part(found.text, "task") == ["Fix the greeting."]
    assert part(found.text, "step") == [
        'Grep {"pattern": "greet"}\nreturned:\na.py:1',
        'Read {"file_path": "a.py"}\nreturned:\nprint(\'helo\')',
    ]
    assert [json.loads(schema)["required"] for schema in part(found.text, "schema")] == [["file_path"]]
    assert [json.loads(candidate) for candidate in part(found.text, "candidate")] == [
        [{"say": "I will edit it."}, {"call": "Edit", "arguments": '{"file_path": "a.py"}'}]
    ]
    assert found.text.endswith("Otherwise reply only REJECT.")
    assert f"Reply only {WORD} if" in found.text


def test_the_instruction_is_the_same_for_every_turn() -> None:
    other = brief_of(request(user("Else.")), says("No."), "f" * 16, 9_000)
    assert other is not None
    assert other.system == brief(TASK).system
    assert NONCE not in SYSTEM
    assert 500 * 4 < len(SYSTEM) < 800 * 4, "long enough to be cached, short enough to be cheap"


def test_the_last_words_are_the_task_and_the_first_are_there_too() -> None:
    found = brief(
        request(
            user("Write a parser."),
            called("Read"),
            result("x"),
            Message("assistant", (Thinking(9), Text("Shall I also add tests?"))),
            user("<system-reminder>Be brief.</system-reminder>", "Yes."),
            called("Read"),
            result("y"),
            system("The date has changed."),
        )
    )
    assert part(found.text, "beginning") == ["Write a parser."]
    assert part(found.text, "before") == ["Shall I also add tests?"]
    assert part(found.text, "task") == ["Yes."]
    assert "Be brief." not in found.text


def test_words_beside_tool_results_are_mostly_not_the_users() -> None:
    noted = Message("user", (ToolResult("toolu_1", 1, False, text="x"), Text("Tool loaded.")))
    assert part(brief(request(user("Fix it."), called("Read"), noted)).text, "task") == ["Fix it."]
    assert part(brief(request(called("Read"), noted)).text, "task") == ["Tool loaded."]


def test_a_conversation_without_a_users_words_has_no_task() -> None:
    found = brief(request(called("Read"), result("x")))
    assert part(found.text, "task") == []
    assert len(part(found.text, "step")) == 1


def test_failed_and_unseen_results_say_so() -> None:
    asked = request(
        user("Go."), called("Read"), result("no such file", error=True), called("Read"), result("", media=True)
    )
    steps = part(brief(asked).text, "step")
    assert steps[0].endswith("failed:\nno such file")
    assert steps[1].endswith("returned (with an image or document, not shown):\n")


def test_an_id_used_twice_means_the_call_before_the_result() -> None:
    asked = request(user("Go."), called("Grep"), result("one"), called("Read"), result("two"), called("Edit"))
    assert [step.split()[0] for step in part(brief(asked).text, "step")] == ["Grep", "Read"]
    assert part(brief(request(user("Go."), result("one"))).text, "step")[0].startswith("(unknown)")


def test_only_the_latest_steps_are_shown_and_the_newest_longest() -> None:
    steps = [m for n in range(10) for m in (called("Read", f'{{"n": {n}}}', str(n)), result(f"<{n}>" * 2_000, str(n)))]
    found = part(brief(request(user("Go."), *steps)).text, "step")
    assert found[-1].startswith('Read {"n": 9}')
    assert 1 < len(found) <= 6
    assert sorted(found, key=len) == found
    assert "characters left out" in found[-1]
    short = [m for n in range(10) for m in (called("Read", "{}", str(n)), result("x", str(n)))]
    assert len(part(brief(request(user("Go."), *short)).text, "step")) == 6


def test_what_an_edit_replaces_is_shown_however_long_ago_and_deep_in_a_file_it_was_read() -> None:
    lines = [f"    value_{n} = compute(something, {n})" for n in range(2_000)]
    read = (called("Read", '{"file_path": "a.py"}', "file"), result("\n".join(lines), "file"))
    since = [m for n in range(12) for m in (called("Bash", "{}", str(n)), result(f"{n} tests passed " * 900, str(n)))]
    edit = json.dumps({"file_path": "a.py", "old_string": lines[1_234], "new_string": "    pass"})
    shown = part(brief(request(user("Fix it."), *read, *since), calls("Edit", edit)).text, "step")
    assert shown[0].startswith("Read")
    assert lines[1_233] in shown[0] and lines[1_234] in shown[0] and lines[1_235] in shown[0]
    assert shown[0].count("characters left out") == 2
    assert "11 tests" in shown[-1], "and the newest are there too"


@pytest.mark.parametrize(
    "arguments", ["{", "[" * 5_000 + "]" * 5_000, "7", '{"a": {"b": ["a line of some length", 1]}}']
)
def test_any_arguments_can_be_judged(arguments: str) -> None:
    assert brief(TASK, calls("Edit", arguments), limit=20_000)


def test_a_long_task_keeps_its_head_and_its_tail() -> None:
    asked = request(user("FIRST " + "word " * 5_000 + "LAST"), called("Read"), result("seen"))
    text = brief(asked).text
    task = part(text, "task")[0]
    assert task.startswith("FIRST") and task.endswith("LAST") and "characters left out" in task
    assert part(text, "step"), "a long task leaves room for what was done"


def test_tools_of_the_draft_alone_are_shown_each_once() -> None:
    draft = Completion(
        "d", (ToolCall("1", "Read", "{}"), ToolCall("2", "Read", "{}"), ToolCall("3", "X", "{}")), "x", None
    )
    assert len(part(brief(TASK, draft).text, "schema")) == 1
    assert part(brief(TASK, says("Done.")).text, "schema") == []


def test_a_long_schema_is_shortened_not_the_draft() -> None:
    long = tool("Edit", "x" * 9_000)
    text = brief(request(user("Go."), called("Read"), result("seen"), tools=(long,))).text
    assert "characters left out" in part(text, "schema")[0]
    assert part(text, "step")


def test_a_draft_that_leaves_no_room_is_not_judged_briefly() -> None:
    least = next(n for n in range(len(SYSTEM), ROOM) if brief_of(TASK, DRAFT, NONCE, n) is not None)
    tight = brief(TASK, limit=least)
    assert len(tight.system) + len(tight.text) == least
    assert part(tight.text, "candidate") and not part(tight.text, "task")
    assert brief_of(TASK, says("x" * ROOM), NONCE, ROOM) is None


@given(chat_requests, completions, st.integers(0, 20_000))
def test_a_brief_fits_and_shows_the_whole_draft(of: ChatRequest, draft: Completion, limit: int) -> None:
    found = brief_of(of, draft, NONCE, limit)
    if found is None:
        assert limit < len(SYSTEM) + 1_000 + sum(6 * len(str(p)) for p in draft.parts)
        return
    assert len(found.system) + len(found.text) <= limit
    shown = json.loads(part(found.text, "candidate")[0])
    assert len(shown) == sum(isinstance(p, Text | ToolCall) for p in draft.parts)
    assert brief_of(of, draft, NONCE, limit) == found


@given(st.lists(st.text(max_size=3_000), min_size=1, max_size=8), st.integers(3_600, 12_000))
def test_whatever_tools_say_a_brief_fits(texts: list[str], limit: int) -> None:
    steps = [m for n, t in enumerate(texts) for m in (called("Read", json.dumps([t]), str(n)), result(t, str(n)))]
    found = brief(request(user(texts[0] or "x"), *steps, user(texts[-1] or "y")), limit=limit)
    assert len(found.system) + len(found.text) <= limit


@given(st.text(max_size=300), st.integers(0, 300), st.integers(0, 290), st.integers(1, 10))
def test_a_shortened_text_keeps_what_is_looked_for(text: str, limit: int, at: int, length: int) -> None:
    looked_for = text[at : at + length]
    short = shortened(text, limit, [looked_for] if looked_for else [])
    assert len(short) <= limit or short == text
    if limit >= 140 and looked_for:
        assert looked_for in short


@given(st.text(max_size=300), st.integers(0, 300))
def test_a_shortened_text_is_head_and_tail(text: str, limit: int) -> None:
    short = shortened(text, limit)
    assert len(short) <= limit or short == text
    if len(text) <= limit:
        assert short == text
    elif short:
        head, _, rest = short.partition("\n[… ")
        left, _, tail = rest.partition(" characters left out …]\n")
        if "\n[… " not in text:
            assert text.startswith(head) and text.endswith(tail)
            assert int(left) == len(text) - len(head) - len(tail)


# --- the verdict ------------------------------------------------------------------------------------------------------


def test_the_word_alone_is_an_acceptance() -> None:
    assert brief_verdict(says(f" {WORD}\n"), NONCE)
    assert brief_verdict(Completion("v", (Thinking(9), Text(WORD)), "end_turn", None), NONCE)


NO_WORD: list[tuple[tuple[Part, ...], str | None]] = [
    ((), "end_turn"),
    ((Text("REJECT"),), "end_turn"),
    ((Text(f"{WORD}."),), "end_turn"),
    ((Text(f"{WORD} {WORD}"),), "end_turn"),
    ((Text(WORD.lower()),), "end_turn"),
    ((Text("ACCEPT-ffffffffffffffff"),), "end_turn"),
    ((Text("ACCEPT"),), "end_turn"),
    ((Text(WORD), Text(WORD)), "end_turn"),
    ((Text(WORD), Text("")), "end_turn"),
    ((Text(WORD), ToolCall("1", "Read", "{}")), "end_turn"),
    ((Text(WORD), Opaque("server_tool_use")), "end_turn"),
    ((Text(WORD),), "max_tokens"),
    ((Text(WORD),), "refusal"),
    ((Text(WORD),), "stop_sequence"),
    ((Text(WORD),), None),
]


@pytest.mark.parametrize(("parts", "stop"), NO_WORD)
def test_anything_else_is_a_refusal(parts: tuple[Part, ...], stop: str | None) -> None:
    assert not brief_verdict(Completion("v", parts, stop, None), NONCE)


@given(completions)
def test_no_answer_without_the_word_is_an_acceptance(answer: Completion) -> None:
    assert not brief_verdict(answer, NONCE)
