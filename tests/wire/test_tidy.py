"""Conversations in the order every protocol accepts."""

from __future__ import annotations

import itertools
import re

from hypothesis import given
from hypothesis import strategies as st

from rlmc.domain.chat import Text, ToolCall
from rlmc.domain.prompt import Attachment, PromptMessage, PromptPart, Result
from rlmc.wire.tidy import NO_RESULT, tidy


def said(role: str, *parts: PromptPart) -> PromptMessage:
    return PromptMessage(role, parts)  # type: ignore[arg-type]


def result(call: str, text: str = "ok") -> Result:
    return Result(call, (Text(text),))


def call(id_: str) -> ToolCall:
    return ToolCall(id_, "Read", "{}")


def test_results_stand_right_after_their_calls_in_the_order_of_the_calls() -> None:
    messages = [
        said("user", Text("go")),
        said("assistant", call("a"), call("b")),
        said("user", Text("hurry"), result("b", "B")),
        said("user", result("a", "A")),
    ]
    assert tidy(messages)[2] == said("user", result("a", "A"), result("b", "B"), Text("hurry"))


def test_a_call_without_a_result_gets_one_that_says_so() -> None:
    messages = [said("assistant", call("a")), said("user", Text("never mind")), said("assistant", Text("ok"))]
    assert tidy(messages)[1] == said("user", Result("a", (Text(NO_RESULT),), is_error=True), Text("never mind"))
    assert tidy([said("assistant", call("a"))])[-1].parts == (Result("a", (Text(NO_RESULT),), is_error=True),)


def test_a_result_without_a_call_becomes_words() -> None:
    picture = Attachment("image", "image/png", data="aGk=")
    found = tidy([said("user", Result("gone", (Text("found it"), picture)))])
    assert found == (said("user", Text("[result of a tool call]\nfound it"), picture),)


def test_ids_used_twice_are_told_apart_and_illegal_ones_replaced() -> None:
    messages = [
        said("assistant", call("call_0"), call("functions.Read:1")),
        said("user", result("call_0", "first"), result("functions.Read:1", "second")),
        said("assistant", call("call_0"), call("call_0")),
        said("user", result("call_0", "third"), result("call_0", "fourth")),
    ]
    found = tidy(messages)
    ids = [part.id for m in found for part in m.parts if isinstance(part, ToolCall)]
    assert len(set(ids)) == 4
    assert ids[0] == "call_0"
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", one) for one in ids)
    results = [part for m in found for part in m.parts if isinstance(part, Result)]
    assert [part.call_id for part in results] == ids
    assert [part.content[0] for part in results] == [Text("first"), Text("second"), Text("third"), Text("fourth")]


def test_an_operators_word_between_call_and_result_waits() -> None:
    messages = [said("assistant", call("a")), said("system", Text("be brief")), said("user", result("a"))]
    assert tidy(messages)[1].parts == (result("a"), Text("<system-reminder>\nbe brief\n</system-reminder>"))
    assert tidy([said("user", Text("x")), said("system", Text("be brief"))])[1] == said("system", Text("be brief"))


_IDS = st.sampled_from(["a", "b", "x.y:1", "", "a" * 80])
_PARTS = st.one_of(
    st.builds(Text, st.sampled_from(["", " ", "hello", "more"])),
    st.builds(result, _IDS),
    st.builds(call, _IDS),
)


@st.composite
def conversations(draw: st.DrawFn) -> list[PromptMessage]:
    messages = []
    for role in draw(st.lists(st.sampled_from(["user", "assistant", "system"]), max_size=8)):
        unfit = ToolCall if role != "assistant" else Result
        parts = [part for part in draw(st.lists(_PARTS, max_size=4)) if not isinstance(part, unfit)]
        messages.append(said(role, *(p for p in parts if role != "system" or isinstance(p, Text))))
    return messages


@given(conversations())
def test_whatever_comes_is_in_order_afterwards(messages: list[PromptMessage]) -> None:
    found = tidy(messages)
    roles = [message.role for message in found]
    assert all(one != other for one, other in itertools.pairwise(roles))
    open_: list[str] = []
    seen: set[str] = set()
    for message in found:
        assert message.parts
        results = [part.call_id for part in message.parts if isinstance(part, Result)]
        assert results == open_
        open_ = [part.id for part in message.parts if isinstance(part, ToolCall)]
        assert not seen & set(open_)
        seen |= set(open_)
    assert not open_
    assert tidy(found) == found


@given(conversations())
def test_a_longer_conversation_begins_as_the_shorter_one_does(messages: list[PromptMessage]) -> None:
    """Up to the last message, which may still be open."""
    whole = tidy(messages)
    for end in range(len(messages)):
        begun = tidy(messages[:end])
        assert whole[: max(0, len(begun) - 1)] == begun[: max(0, len(begun) - 1)]
