from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.strategies import usages
from tests.support.wire import Json, spelled, texts

from rlmc.domain.chat import Completion, Opaque, Text, Thinking, ToolCall, ToolSpec, Usage
from rlmc.errors import WireError
from rlmc.wire.chat.response import decode_completion, encode_completion

USAGE = {"prompt_tokens": 97, "completion_tokens": 42, "prompt_tokens_details": {"cached_tokens": 90}}


def body(message: Json, finish: str | None = "stop", **more: Any) -> Json:
    choice = {"index": 0, "message": {"role": "assistant"} | message, "finish_reason": finish}
    return {"id": "chatcmpl-1", "object": "chat.completion", "model": "m", "choices": [choice], "usage": USAGE} | more


def decode(data: Json) -> Completion:
    return decode_completion(json.dumps(data).encode())


def call(id_: str, arguments: Any) -> Json:
    return {"id": id_, "type": "function", "function": {"name": "Read", "arguments": arguments}}


def test_a_whole_answer() -> None:
    calls = [call("a", '{"x": 1}'), call("b", ""), {"id": "c", "type": "custom", "custom": {"name": "p", "input": "t"}}]
    found = decode(body({"content": "Hi", "reasoning_content": "hm", "tool_calls": calls}, "tool_calls"))
    assert (found.id, found.model, found.stop_reason) == ("chatcmpl-1", "m", "tool_use")
    assert found.usage == Usage(input=7, cache_read=90, output=42)
    thought, *rest = found.parts
    assert isinstance(thought, Thinking) and json.loads(thought.block) == {"reasoning_content": "hm"}
    assert rest == [
        Text("Hi"),
        ToolCall("a", "Read", '{"x": 1}'),
        ToolCall("b", "Read", "{}"),
        ToolCall("c", "p", '{"input":"t"}'),
    ]


def test_contents_that_come_in_parts() -> None:
    parts = [{"type": "thinking", "thinking": []}, {"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert decode(body({"content": parts})).text == "ab"


def test_reasoning_inside_the_text() -> None:
    found = decode(body({"content": "<think>hm</think>\n\nHi"}))
    assert [type(part) for part in found.parts] == [Thinking, Text]
    assert found.text == "Hi"


def test_a_refusal() -> None:
    found = decode(body({"content": None, "refusal": "No."}))
    assert (found.text, found.stop_reason) == ("No.", "refusal")


@pytest.mark.parametrize(
    "data",
    [
        {"error": {"message": "no", "type": "server_error"}},
        {"object": "error", "message": "no"},
        {"choices": []},
        {"choices": [{"index": 0}]},
        body({"content": "Hi"}, "error"),
        {},
    ],
)
def test_what_is_no_answer(data: Json) -> None:
    with pytest.raises(WireError):
        decode(data)


@given(st.binary(max_size=60))
def test_any_bytes_are_an_answer_or_a_wire_error(data: bytes) -> None:
    with suppress(WireError):
        decode_completion(data)


@given(spelled(body({"content": "Hi", "tool_calls": [call("a", "{}")]})), st.integers(0, 900), st.binary(max_size=3))
def test_mutated_answers_raise_nothing_but_wire_errors(raw: bytes, at: int, new: bytes) -> None:
    at %= len(raw)
    with suppress(WireError):
        decode_completion(raw[:at] + new + raw[at + len(new) :])


# --- writing -----------------------------------------------------------------------------------------------------

spoken = st.one_of(
    texts.filter(str.strip).filter(lambda text: "<" not in text).map(Text),
    st.sampled_from(["{}", '{"a":[1.0,"é"]}']).map(lambda a: ToolCall("t", "Read", a)),
)


@given(st.lists(spoken, max_size=4), usages)
def test_what_is_encoded_decodes_again(parts: list[Text | ToolCall], usage: Usage) -> None:
    calls = tuple(part for part in parts if isinstance(part, ToolCall))
    reason = "tool_use" if calls else "end_turn"
    completion = Completion("m", tuple(parts), reason, usage, "msg_1")
    back = decode_completion(encode_completion(completion, usage, ()))
    assert (back.text, back.tool_calls, back.stop_reason, back.id) == (completion.text, calls, reason, "chatcmpl-1")
    assert back.usage is not None
    assert (back.usage.prompt, back.usage.cache_read, back.usage.output) == (
        usage.prompt,
        usage.cache_read,
        usage.output,
    )


def test_an_answer_written_holds_no_reasoning_and_nothing_strange() -> None:
    parts = (Thinking(5, b'{"reasoning_content":"SECRET"}'), Opaque("x"), Text(" "), ToolCall("a", "Read", " "))
    raw = encode_completion(Completion("m", parts, "tool_use", None, "msg_1"), Usage(), ())
    assert b"SECRET" not in raw
    message = json.loads(raw)["choices"][0]["message"]
    assert message == {"role": "assistant", "content": None, "refusal": None, "tool_calls": [call("a", "{}")]}


def test_calls_of_a_tool_that_takes_one_text_have_it_bare() -> None:
    tools = (ToolSpec("patch", b"{}", custom=True),)
    parts = (ToolCall("a", "patch", '{"input":"x \\"y\\""}'), ToolCall("b", "patch", "{"))
    raw = encode_completion(Completion("m", parts, "tool_use", None), Usage(), tools)
    calls = json.loads(raw)["choices"][0]["message"]["tool_calls"]
    assert [one["custom"] for one in calls] == [{"name": "patch", "input": 'x "y"'}, {"name": "patch", "input": "{"}]


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("tool_use", "stop"),  # without calls
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("refusal", "content_filter"),
        (None, "stop"),
    ],
)
def test_reasons_for_the_end(reason: str | None, finish: str) -> None:
    raw = encode_completion(Completion("m", (Text("Hi"),), reason, None), Usage(), ())
    assert json.loads(raw)["choices"][0]["finish_reason"] == finish
