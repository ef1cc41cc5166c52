from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.chat_wire import SECRET, raw_bodies
from tests.support.wire import Json

from rlmc.domain.chat import Text, ToolCall
from rlmc.domain.prompt import Attachment, OutputFormat, Prompt, PromptMessage, Result, ToolDefinition
from rlmc.errors import WireError
from rlmc.wire.arguments import CUSTOM_SCHEMA
from rlmc.wire.chat.prompt_read import read_prompt


def read(*messages: Json, **fields: Any) -> Prompt:
    return read_prompt(json.dumps({"model": "m", "messages": list(messages), **fields}, separators=(",", ":")).encode())


def said(role: str, content: Any, **more: Any) -> Json:
    return {"role": role, "content": content, **more}


def test_a_conversation() -> None:
    call = {"id": "a", "type": "function", "function": {"name": "Read", "arguments": "{"}}
    patch = {"id": "b", "type": "custom", "custom": {"name": "patch", "input": "x"}}
    found = read(
        said("system", "You are Q."),
        said("developer", [{"type": "text", "text": "Be brief."}, {"type": "text", "text": " "}]),
        said("user", "go"),
        said("assistant", "Let me", tool_calls=[call, patch], reasoning_content=SECRET),
        said("tool", "one", tool_call_id="a"),
        said("tool", [{"type": "text", "text": "two"}], tool_call_id="b"),
        said("system", "Careful."),
        said("assistant", None, refusal="No."),
    )
    assert found.system == ("You are Q.", "Be brief.")
    assert found.messages == (
        PromptMessage("user", (Text("go"),)),
        PromptMessage(
            "assistant", (Text("Let me"), ToolCall("a", "Read", "{"), ToolCall("b", "patch", '{"input":"x"}'))
        ),
        PromptMessage("user", (Result("a", (Text("one"),)),)),
        PromptMessage("user", (Result("b", (Text("two"),)),)),
        PromptMessage("system", (Text("Careful."),)),
        PromptMessage("assistant", (Text("No."),)),
    )


def test_images_and_files() -> None:
    found = read(
        said(
            "user",
            [
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
                {"type": "image_url", "image_url": {"url": "https://host/a.png", "detail": "low"}},
                {"type": "image_url", "image_url": "https://host/b.png"},
                {"type": "file", "file": {"file_data": "data:text/csv;base64,BB", "filename": "b.csv"}},
                {"type": "file", "file": {"file_data": "CC"}},
                {"type": "part_of_tomorrow"},
            ],
        )
    )
    assert found.messages[0].parts == (
        Attachment("image", "image/png", data="AA=="),
        Attachment("image", url="https://host/a.png"),
        Attachment("image", url="https://host/b.png"),
        Attachment("document", "text/csv", data="BB", name="b.csv"),
        Attachment("document", "application/pdf", data="CC"),
        Text("[part_of_tomorrow not shown]"),
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"n": 2},
        {"audio": {"voice": "alloy"}},
        {"functions": [{"name": "f"}]},
        {"messages": [said("user", [{"type": "file", "file": {"file_id": "f"}}])]},
        {"messages": [said("user", [{"type": "input_audio", "input_audio": {}}])]},
        {"messages": [said("critic", "hm")]},
    ],
)
def test_what_cannot_be_carried_is_refused(fields: Json) -> None:
    with pytest.raises(WireError):
        read(**fields)


def test_arguments_given_as_an_object_that_is_no_text_are_refused() -> None:
    call = b'{"id":"c","function":{"name":"Read","arguments":{"a":{"\xf3":1}}}}'
    with pytest.raises(WireError, match="UTF-8"):
        read_prompt(b'{"model":"m","messages":[{"role":"assistant","tool_calls":[' + call + b"]}]}")


def test_what_only_tunes_the_answer_is_passed_over() -> None:
    tuned = {"seed": 1, "store": True, "logit_bias": {"1": 1}, "presence_penalty": 1, "logprobs": True, "n": 1}
    assert read(said("user", "hi"), **tuned) == read(said("user", "hi"))


def test_tools() -> None:
    grammar = {"type": "grammar", "grammar": {"syntax": "lark", "definition": "a"}}
    found = read(
        tools=[
            {
                "type": "function",
                "function": {"name": "R", "description": "d", "parameters": {"a": 1.0}, "strict": True},
            },
            {"type": "function", "function": {"name": "Now"}},
            {"type": "custom", "custom": {"name": "patch", "description": "p", "format": grammar}},
            {"type": "custom", "custom": {"name": "free", "format": {"type": "text"}}},
            {"type": "web_search"},
        ],
        tool_choice={"type": "function", "function": {"name": "R"}},
        parallel_tool_calls=False,
    )
    flat = b'{"type":"grammar","syntax":"lark","definition":"a"}'
    assert found.tools == (
        ToolDefinition("R", "d", b'{"a":1.0}', strict=True),
        ToolDefinition("Now", "", b'{"type":"object","properties":{}}'),
        ToolDefinition("patch", "p", CUSTOM_SCHEMA, custom=True, format=flat),
        ToolDefinition("free", "", CUSTOM_SCHEMA, custom=True, format=b'{"type":"text"}'),
    )
    assert (found.tool_choice, found.forced_tool, found.parallel_tools) == ("tool", "R", False)


@pytest.mark.parametrize(
    ("fields", "effort"),
    [
        ({}, None),
        ({"reasoning_effort": "xhigh"}, "xhigh"),
        ({"reasoning_effort": "none"}, "none"),
        ({"reasoning_effort": "odd"}, None),
        ({"reasoning_effort": ["low"]}, None),
        ({"thinking": {"type": "disabled"}}, "none"),
        ({"thinking": {"type": "enabled"}}, None),
        ({"enable_thinking": False}, "none"),
    ],
)
def test_effort(fields: Json, effort: str | None) -> None:
    assert read(**fields).effort == effort


def test_settings() -> None:
    schema = {"name": "shape", "schema": {"type": "object"}, "strict": True}
    found = read(
        stream=True,
        max_completion_tokens=5,
        stop="END",
        temperature=0.50,
        top_p=None,
        response_format={"type": "json_schema", "json_schema": schema},
        prompt_cache_key="s",
        user="u",
    )
    assert (found.stream, found.max_tokens, found.stop) == (True, 5, ("END",))
    assert (found.temperature, found.top_p) == (b"0.5", b"")
    assert found.output == OutputFormat(b'{"type":"object"}', "shape", True)
    assert (found.cache_key, found.user) == ("s", "u")
    assert read(response_format={"type": "json_object"}).output == OutputFormat(b"{}")
    assert read(response_format={"type": "text"}).output is None
    assert read(stop=["a", "b"], safety_identifier="i", user="u").stop == ("a", "b")


@given(raw_bodies)
def test_reasoning_never_leaves(raw: bytes) -> None:
    with suppress(WireError):
        assert SECRET not in repr(read_prompt(raw))


@given(raw_bodies, st.integers(0, 4_000), st.binary(max_size=3))
def test_mutated_requests_raise_nothing_but_wire_errors(raw: bytes, at: int, new: bytes) -> None:
    at %= len(raw)
    with suppress(WireError):
        read_prompt(raw[:at] + new + raw[at + len(new) :])
