from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.chat_wire import SECRET, chunk, raw_bodies
from tests.support.wire import Json

from rlmc.domain.chat import ChatRequest, Media, Message, Opaque, Text, Thinking, ToolCall, ToolResult
from rlmc.errors import UnknownShape, WireError
from rlmc.wire.arguments import CUSTOM_SCHEMA
from rlmc.wire.chat.request import decode_request


def request(*messages: Json, **fields: Any) -> ChatRequest:
    return decode_request(json.dumps({"model": "m", "messages": list(messages), **fields}).encode())


def said(role: str, content: Any, **more: Any) -> Json:
    return {"role": role, "content": content, **more}


def called(id_: str, name: str = "Read", arguments: Any = '{"a":1}') -> Json:
    return {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}}


def test_instructions_at_the_beginning_are_the_system_text() -> None:
    found = request(
        said("system", "You are Q."), said("developer", [{"type": "text", "text": "Be brief."}]), said("user", "hi")
    )
    assert found.system_head == "You are Q.\nBe brief."
    assert found.messages == (Message("user", (Text("hi"),)),)


def test_later_instructions_stay_in_their_place() -> None:
    found = request(said("user", "hi"), said("developer", "Now be rude."), said("user", "so?"))
    assert [message.role for message in found.messages] == ["user", "system", "user"]
    assert found.system_head == ""


def test_results_of_a_round_and_what_the_user_then_says_are_one_message() -> None:
    found = request(
        said("user", "go"),
        said("assistant", None, tool_calls=[called("a"), called("b", arguments={"x": 1.0})]),
        said("tool", "one", tool_call_id="a"),
        said("tool", [{"type": "text", "text": "two"}, {"type": "text", "text": "three"}], tool_call_id="b"),
        said("user", "thanks"),
        said("user", "and more"),
    )
    assert found.messages[1].parts == (ToolCall("a", "Read", '{"a":1}'), ToolCall("b", "Read", '{"x":1.0}'))
    assert found.messages[2].parts == (
        ToolResult("a", 3, False, text="one"),
        ToolResult("b", 8 + 1, False, text="two\nthree"),
        Text("thanks"),
    )
    assert found.messages[3] == Message("user", (Text("and more"),))
    assert len(found.layout.messages) == len(found.messages)


def test_calls_of_the_older_kind_meet_their_results() -> None:
    found = request(
        said("assistant", None, function_call={"name": "A", "arguments": "{}"}),
        said("function", "1", name="A"),
        said("assistant", None, function_call={"name": "B", "arguments": "{}"}),
        said("function", "2", name="B"),
    )
    (first,), (one,), (second,), (two,) = (message.parts for message in found.messages)
    assert isinstance(first, ToolCall) and isinstance(second, ToolCall) and first.id != second.id
    assert isinstance(one, ToolResult) and isinstance(two, ToolResult)
    assert (one.call_id, two.call_id) == (first.id, second.id)


def test_parts_of_every_kind() -> None:
    found = request(
        said(
            "user",
            [
                {"type": "text", "text": "look"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}},
                {"type": "file", "file": {"file_id": "f"}},
                {"type": "input_audio", "input_audio": {"data": "AA"}},
            ],
        ),
        said("assistant", [{"type": "refusal", "refusal": "No."}], reasoning_content="hmm"),
        said("assistant", None, refusal="Never.", reasoning="so"),
        said("tool", [{"type": "image_url", "image_url": {"url": "u"}}], tool_call_id="a"),
    )
    assert found.messages[0].parts == (Text("look"), Media("image"), Media("document"), Opaque("input_audio"))
    assert found.messages[1].parts == (Thinking(3), Text("No."))
    assert found.messages[2].parts == (Thinking(2), Text("Never."))
    assert found.messages[3].parts == (ToolResult("a", 0, False, media=True),)


def test_tools_of_every_kind() -> None:
    found = request(
        tools=[
            {"type": "function", "function": {"name": "Read", "parameters": {"type": "object"}, "strict": True}},
            {"type": "function", "function": {"name": "Now"}},
            {"type": "custom", "custom": {"name": "patch"}},
            {"type": "web_search"},
        ]
    )
    assert [(tool.name, tool.custom, tool.server) for tool in found.tools] == [
        ("Read", False, False),
        ("Now", False, False),
        ("patch", True, False),
        ("web_search", False, True),
    ]
    assert json.loads(found.tools[0].schema) == {"type": "object"}
    assert json.loads(found.tools[1].schema) == {"type": "object", "properties": {}}
    assert found.tools[2].schema == CUSTOM_SCHEMA


@pytest.mark.parametrize(
    ("choice", "read"),
    [
        ("auto", "auto"),
        ("required", "any"),
        ("none", "none"),
        (None, None),
        ({"type": "function", "function": {"name": "Read"}}, "tool"),
        ({"type": "custom", "custom": {"name": "patch"}}, "tool"),
        ({"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": []}}, "auto"),
    ],
)
def test_tool_choice(choice: Any, read: str | None) -> None:
    assert request(tool_choice=choice).tool_choice == read
    assert request().tool_choice is None


@pytest.mark.parametrize("choice", ["sometimes", {"type": "choice_of_tomorrow"}])
def test_a_strange_tool_choice_goes_direct(choice: Any) -> None:
    with pytest.raises(UnknownShape):
        request(tool_choice=choice)


def test_a_strange_role_goes_direct() -> None:
    with pytest.raises(UnknownShape):
        request(said("critic", "hm"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("n", 2),
        ("audio", {"voice": "alloy"}),
        ("modalities", ["text", "audio"]),
        ("prediction", {"type": "content", "content": "x"}),
        ("logprobs", True),
        ("web_search_options", {"search_context_size": "low"}),
        ("functions", [{"name": "f"}]),
    ],
)
def test_what_only_the_provider_can_answer_shows(field: str, value: Any) -> None:
    for messages in ([said("user", "hi")], []):
        parts = request(*messages, **{field: value}).messages[-1].parts
        assert parts[-1] == Opaque(field)


@pytest.mark.parametrize(("field", "value"), [("n", 1), ("logprobs", False), ("audio", None), ("modalities", ["text"])])
def test_what_asks_for_nothing_special_does_not(field: str, value: Any) -> None:
    assert request(said("user", "hi"), **{field: value}).messages[-1].parts == (Text("hi"),)


def test_stop_sequences_are_told_by_their_common_name() -> None:
    assert "stop_sequences" in request(stop="END").fields
    assert "stop_sequences" in request(stop=["END"]).fields
    for nothing in (None, [], ""):
        assert "stop_sequences" not in request(stop=nothing).fields


def test_limits_formats_and_unknown_fields() -> None:
    schema = {"type": "object"}
    found = request(
        max_completion_tokens=5,
        max_tokens=7,
        stream=True,
        parallel_tool_calls=False,
        response_format={"type": "json_schema", "json_schema": {"name": "a", "schema": schema}},
        field_of_tomorrow=1,
    )
    assert (found.max_tokens, found.stream, found.parallel_tools) == (5, True, False)
    assert json.loads(found.output_schema or b"") == schema
    assert {"field_of_tomorrow", "model", "stream"} <= found.fields
    assert request(response_format={"type": "json_object"}).output_schema == b"{}"
    assert request(response_format={"type": "text"}).output_schema is None
    assert request(max_tokens=7).max_tokens == 7


def test_the_layout_tells_prompts_apart_by_what_is_read() -> None:
    text = request(said("user", "hi")).layout
    assert request(said("user", [{"type": "text", "text": "hi"}])).layout == text
    assert request(said("user", "hi"), temperature=1, stream=True).layout == text
    assert request(said("user", "ho")).layout.digests != text.digests
    assert request(said("assistant", "hi")).layout.digests != text.digests
    assert (
        request(said("user", "hi"), tools=[{"type": "custom", "custom": {"name": "p"}}]).layout.digests[-1]
        not in text.digests
    )
    thought = request(said("assistant", "hi", reasoning_content="hm")).layout
    assert thought == request(said("assistant", "hi")).layout


def test_a_longer_conversation_begins_with_the_same_digests() -> None:
    start = [said("system", "s"), said("user", "go"), said("assistant", None, tool_calls=[called("a")])]
    longer = [*start, said("tool", "x", tool_call_id="a"), said("user", "and?")]
    short, long = request(*start).layout, request(*longer).layout
    assert long.digests[: len(short.digests)] == short.digests
    assert request(*longer).chars == len("s") + len("go") + len("Read") + len('{"a":1}') + len("x") + len("and?")


def test_the_key_makes_digests_its_owners_own() -> None:
    raw = json.dumps({"model": "m", "messages": [said("user", "hi")]}).encode()
    assert decode_request(raw, b"a").layout.digests != decode_request(raw, b"b").layout.digests


@given(raw_bodies)
def test_any_request_is_read_or_refused(raw: bytes) -> None:
    found = decode_request(raw)
    assert found.raw is raw
    assert SECRET not in "".join(
        part.text for message in found.messages for part in message.parts if isinstance(part, Text)
    )
    assert len(found.layout.messages) == len(found.messages)


@given(raw_bodies, st.integers(0, 4_000), st.binary(max_size=3))
def test_mutated_requests_raise_nothing_but_wire_errors(raw: bytes, at: int, new: bytes) -> None:
    at %= len(raw)
    with suppress(WireError):
        decode_request(raw[:at] + new + raw[at + len(new) :])


def test_an_answer_is_no_request() -> None:
    with pytest.raises(WireError):
        decode_request(json.dumps(chunk({})).encode())
