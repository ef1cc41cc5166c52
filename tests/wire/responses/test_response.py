from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.responses_wire import answer, call, custom_call, message, reasoning, whole_answers

from rlmc.domain.chat import Completion, Opaque, Text, Thinking, ToolCall, Usage
from rlmc.errors import UnknownShape, WireError
from rlmc.wire.responses.response import decode_completion


def test_a_whole_answer() -> None:
    thought = reasoning("hm")
    output = (
        thought,
        message("I look."),
        call("a", "sleep", '{"p": 1.0}', namespace="clock"),
        custom_call("b", "exec", "ls"),
        {"type": "web_search_call", "id": "ws"},
    )
    assert decode_completion(json.dumps(answer(*output)).encode()) == Completion(
        model="m",
        parts=(
            Thinking(2, json.dumps(thought).encode()),
            Text("I look."),
            ToolCall("a", "clock__sleep", '{"p": 1.0}'),
            ToolCall("b", "exec", '{"input":"ls"}'),
            Opaque("web_search_call"),
        ),
        stop_reason="tool_use",
        usage=Usage(input=7, cache_read=90, output=42),
        id="resp_1",
    )


def test_what_an_answer_need_not_say() -> None:
    assert decode_completion(b'{"output":[],"id":null,"model":null}') == Completion("", (), "end_turn", None)


def test_a_lane_with_a_price_list_of_its_own_is_named() -> None:
    usage = decode_completion(json.dumps(answer(service_tier="flex")).encode()).usage
    assert usage is not None
    assert usage.unpriced == ("service_tier:flex",)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (answer(error={"code": "server_error", "message": "oops"}, status="failed"), "oops"),
        ({"error": {"message": "busy", "code": "server_is_overloaded"}}, "overloaded_error: busy"),
        ({"error": "no"}, "no"),
        (answer(status="failed"), "ended"),
        (answer(status="cancelled"), "ended"),
        (answer(status="in_progress"), "ended"),
        (answer(status="queued"), "ended"),
        ({"object": "list", "data": []}, "ended"),
        ({"output": [5]}, "shape"),
    ],
)
def test_what_is_no_answer(body: object, words: str) -> None:
    with pytest.raises(WireError, match=words):
        decode_completion(json.dumps(body).encode())


def test_strange_answers() -> None:
    with pytest.raises(UnknownShape):
        decode_completion(b'{"output":{"type":"message"}}')


@given(whole_answers(), st.integers(0, 5_000), st.binary(max_size=3))
def test_mutated_answers_raise_nothing_else(whole: dict[str, object], at: int, noise: bytes) -> None:
    raw = json.dumps(whole).encode()
    place = at % (len(raw) + 1)
    for mutated in (raw[:place], raw[:place] + noise + raw[place:], noise):
        with suppress(WireError):
            decode_completion(mutated)
