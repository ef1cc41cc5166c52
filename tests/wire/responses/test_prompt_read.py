from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.responses_wire import SECRET, call, custom_call, message, raw_bodies, reasoning
from tests.support.wire import Json

from rlmc.domain.chat import Text, ToolCall
from rlmc.domain.prompt import Attachment, OutputFormat, Prompt, PromptMessage, Result, ToolDefinition
from rlmc.errors import UnknownShape, WireError
from rlmc.wire.arguments import CUSTOM_SCHEMA
from rlmc.wire.responses.prompt_read import read_prompt


def read(*input_: Json, **fields: Any) -> Prompt:
    return read_prompt(json.dumps({"model": "m", "input": list(input_)} | fields).encode())


def user(*texts: str) -> Json:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text} for text in texts]}


def test_a_conversation() -> None:
    prompt = read(
        {"role": "developer", "content": [{"type": "input_text", "text": "Be brief."}]},
        user("Fix it."),
        reasoning(),
        message("I look."),
        call("a", "Read", '{"p": 1.0}'),
        {"type": "function_call_output", "call_id": "a", "output": "line"},
        {"role": "developer", "content": "Mode: plan."},
        instructions="You are an agent.",
    )
    assert prompt.system == ("You are an agent.", "Be brief.")
    assert prompt.messages == (
        PromptMessage("user", (Text("Fix it."),)),
        PromptMessage("assistant", (Text("I look."), ToolCall("a", "Read", '{"p": 1.0}'))),
        PromptMessage("user", (Result("a", (Text("line"),)),)),
        PromptMessage("system", (Text("Mode: plan."),)),
    )


def test_the_fields() -> None:
    prompt = read(
        user("hi"),
        stream=True,
        max_output_tokens=900,
        temperature=0.50,
        top_p=1,
        parallel_tool_calls=False,
        reasoning={"effort": "xhigh", "summary": "auto"},
        text={"format": {"type": "json_schema", "name": "a", "schema": {"type": "object"}, "strict": True}},
        prompt_cache_key="session",
        safety_identifier="u1",
        user="u2",
    )
    assert (prompt.model, prompt.stream, prompt.max_tokens) == ("m", True, 900)
    assert (prompt.temperature, prompt.top_p, prompt.top_k) == (b"0.5", b"1", b"")
    assert (prompt.parallel_tools, prompt.effort) == (False, "xhigh")
    assert prompt.output == OutputFormat(b'{"type": "object"}', "a", strict=True)
    assert (prompt.cache_key, prompt.user) == ("session", "u1")
    bare = read(user("hi"), reasoning={"effort": "of_tomorrow"}, text={"format": {"type": "json_object"}}, user="u2")
    assert (bare.effort, bare.output, bare.user, bare.cache_key) == (None, OutputFormat(b"{}"), "u2", None)


def test_tools() -> None:
    format_ = {"type": "grammar", "syntax": "lark", "definition": "start: x"}
    prompt = read(
        {
            "type": "additional_tools",
            "tools": [
                {
                    "type": "namespace",
                    "name": "clock",
                    "tools": [{"type": "function", "name": "sleep", "strict": False}],
                },
                {"type": "custom", "name": "exec", "description": "Runs.", "format": format_},
            ],
        },
        user("hi"),
        custom_call("a", "exec", 'say "x"'),
        {"type": "custom_tool_call_output", "call_id": "a", "output": [{"type": "input_text", "text": "x"}]},
        call("b", "sleep", namespace="clock"),
        tools=[
            {"type": "function", "name": "Read", "description": "d", "parameters": {"type": "object"}, "strict": True},
            {"type": "web_search"},
        ],
    )
    none = b'{"type":"object","properties":{}}'
    assert prompt.tools == (
        ToolDefinition("Read", "d", b'{"type": "object"}', strict=True),
        ToolDefinition("clock__sleep", "", none, strict=False, namespace="clock", own_name="sleep"),
        ToolDefinition("exec", "Runs.", CUSTOM_SCHEMA, custom=True, format=json.dumps(format_).encode()),
    )
    assert prompt.messages[1].parts == (ToolCall("a", "exec", '{"input":"say \\"x\\""}'),)
    assert prompt.messages[2].parts == (Result("a", (Text("x"),)),)
    assert prompt.messages[3].parts == (ToolCall("b", "clock__sleep", "{}"),)


SLEEP = {"type": "namespace", "name": "clock", "tools": [{"type": "function", "name": "sleep"}]}


@pytest.mark.parametrize(
    ("choice", "read_as"),
    [
        ("auto", ("auto", "")),
        ("required", ("any", "")),
        ("none", ("none", "")),
        ({"type": "function", "name": "Read"}, ("tool", "Read")),
        ({"type": "function", "name": "sleep"}, ("tool", "clock__sleep")),
        ({"type": "function", "name": "Gone"}, (None, "")),
        ({"type": "web_search"}, (None, "")),
        ({"type": "allowed_tools", "mode": "auto", "tools": []}, ("auto", "")),
    ],
)
def test_a_tool_is_only_forced_where_it_is_offered(choice: object, read_as: tuple[str | None, str]) -> None:
    prompt = read(user("hi"), tools=[{"type": "function", "name": "Read"}, SLEEP], tool_choice=choice)
    assert (prompt.tool_choice, prompt.forced_tool) == read_as


def test_images_and_files() -> None:
    content = [
        {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "low"},
        {"type": "input_image", "image_url": "https://host/a.png"},
        {"type": "input_file", "file_data": "data:application/pdf;base64,BBBB", "filename": "a.pdf"},
        {"type": "input_file", "file_data": "CCCC"},
        {"type": "input_file", "file_url": "https://host/a.pdf"},
        {"type": "of_tomorrow"},
    ]
    parts = (
        Attachment("image", "image/png", data="AAAA"),
        Attachment("image", url="https://host/a.png"),
        Attachment("document", "application/pdf", data="BBBB", name="a.pdf"),
        Attachment("document", "application/pdf", data="CCCC"),
        Attachment("document", url="https://host/a.pdf"),
        Text("[of_tomorrow not shown]"),
    )
    prompt = read(
        {"role": "user", "content": content}, {"type": "function_call_output", "call_id": "a", "output": content}
    )
    assert prompt.messages == (PromptMessage("user", (*parts, Result("a", parts))),)


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"background": True}, "background"),
        ({"prompt": {"id": "p"}}, "prompt"),
        ({"input": [{"type": "item_reference", "id": "x"}]}, "item_reference"),
        ({"input": [{"type": "compaction", "encrypted_content": "x"}]}, "compaction"),
        ({"input": [{"type": "item_of_tomorrow"}]}, "item_of_tomorrow"),
        ({"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}]}, "file"),
        ({"input": [{"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}]}, "audio"),
    ],
)
def test_what_only_the_clients_own_provider_holds_is_refused(fields: Json, word: str) -> None:
    with pytest.raises(WireError, match=word):
        read_prompt(json.dumps({"model": "m", "input": "hi"} | fields).encode())


def test_strange_roles() -> None:
    with pytest.raises(UnknownShape):
        read({"role": "critic", "content": "hm"})


def test_what_has_no_counterpart_is_dropped() -> None:
    same = read(user("hi"))
    dropped: Json = {
        "store": True,
        "include": ["x"],
        "truncation": "auto",
        "metadata": {"a": "b"},
        "service_tier": "flex",
        "context_management": [{"type": "compaction"}],
        "text": {"verbosity": "low"},
        "client_metadata": {"a": "b"},
        "background": False,
        "previous_response_id": None,
    }
    assert read(user("hi"), **dropped) == same


def test_of_a_providers_own_tools_a_word_is_left() -> None:
    prompt = read(
        user("hi"),
        {"type": "web_search_call", "id": "ws", "status": "completed"},
        message("Found."),
        {"type": "tool_search_call", "call_id": "c", "arguments": {"query": "q"}},
        {"type": "tool_search_output", "call_id": "c", "tools": [{"type": "function", "name": "Found"}]},
        {"type": "shell_call", "call_id": "d", "action": {"commands": ["ls"]}},
        {"type": "shell_call_output", "call_id": "d", "output": [{"stdout": "x", "stderr": ""}]},
    )
    assert [[part.text for part in one.parts if isinstance(part, Text)] for one in prompt.messages] == [
        ["hi"],
        ["[web_search_call not shown]", "Found.", "[tool_search_call not shown]"],
        ["[tool_search_output not shown]"],
        ["[shell_call not shown]"],
        ["[shell_call_output not shown]"],
    ]
    assert [tool.name for tool in prompt.tools] == ["Found"]


def test_a_refusal_is_text() -> None:
    refused = message("", content=[{"type": "refusal", "refusal": "No."}])
    assert read(refused).messages[0].parts == (Text("No."),)


@given(raw_bodies)
def test_reasoning_never_leaves(raw: bytes) -> None:
    prompt = read_prompt(raw)
    assert SECRET not in repr(prompt)
    assert len({tool.name for tool in prompt.tools}) == len(prompt.tools)
    for one in prompt.messages:
        for part in one.parts:
            assert not isinstance(part, ToolCall) or one.role == "assistant"
            assert not isinstance(part, Result) or one.role == "user"


@given(raw_bodies, st.integers(0, 5_000), st.binary(max_size=3))
def test_mutated_requests_raise_nothing_else(raw: bytes, at: int, noise: bytes) -> None:
    place = at % (len(raw) + 1)
    for mutated in (raw[:place], raw[:place] + noise + raw[place:], noise):
        with suppress(WireError):
            read_prompt(mutated)
