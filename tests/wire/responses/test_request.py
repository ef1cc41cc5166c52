from __future__ import annotations

import json
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.responses_wire import SECRET, call, custom_call, items, message, raw_bodies, reasoning
from tests.support.wire import Json

from rlmc.domain.chat import ChatRequest, Media, Message, Opaque, Text, Thinking, ToolCall, ToolResult, ToolSpec
from rlmc.domain.layout import Layout
from rlmc.errors import UnknownShape, WireError
from rlmc.wire.arguments import CUSTOM_SCHEMA
from rlmc.wire.responses.request import HOSTED, KEPT, decode_request


def decode(*input_: Json, **fields: Any) -> ChatRequest:
    return decode_request(json.dumps({"model": "m", "input": list(input_)} | fields).encode())


def user(*texts: str) -> Json:
    content = [{"type": "input_text", "text": text} for text in texts]
    return {"type": "message", "role": "user", "content": content}


def output(call_id: str, said: Any) -> Json:
    return {"type": "function_call_output", "call_id": call_id, "output": said}


def test_a_request() -> None:
    request = decode(
        {"role": "developer", "content": "Be brief."},
        user("Fix it."),
        reasoning("hm"),
        message("I look."),
        call("a", "Read", '{"p": 1}'),
        custom_call("b", "exec", "ls"),
        output("a", "line 1\nline 2"),
        {"type": "custom_tool_call_output", "call_id": "b", "output": [{"type": "input_text", "text": "ok"}]},
        user("Go on."),
        {"role": "developer", "content": "Mode: plan."},
        instructions="You are an agent.",
        stream=True,
        max_output_tokens=500,
        parallel_tool_calls=False,
        tool_choice="required",
        reasoning={"effort": "high"},
    )
    assert request.messages == (
        Message("user", (Text("Fix it."),)),
        Message(
            "assistant",
            (
                Thinking(40),
                Text("I look."),
                ToolCall("a", "Read", '{"p": 1}'),
                ToolCall("b", "exec", '{"input":"ls"}'),
            ),
        ),
        Message(
            "user",
            (
                ToolResult("a", 13, False, text="line 1\nline 2"),
                ToolResult("b", 2, False, text="ok"),
                Text("Go on."),
            ),
        ),
        Message("system", (Text("Mode: plan."),)),
    )
    assert request.system_head == "You are an agent.\nBe brief."
    assert (request.model, request.stream, request.max_tokens) == ("m", True, 500)
    assert (request.parallel_tools, request.tool_choice, request.thinking) == (False, "any", None)
    assert {"input", "reasoning", "max_output_tokens"} <= request.fields
    assert HOSTED not in request.fields


def test_what_a_request_need_not_say() -> None:
    request = decode_request(b'{"model":"m","input":"hi"}')
    assert request.messages == (Message("user", (Text("hi"),)),)
    assert (request.stream, request.max_tokens, request.tools, request.tool_choice) == (False, None, (), None)
    assert request.parallel_tools
    assert request.output_schema is None
    assert request.chars == 2


def test_images_and_files() -> None:
    picture = {"type": "input_image", "image_url": "data:image/png;base64,AAAA"}
    request = decode(
        {"role": "user", "content": [picture, {"type": "input_file", "file_id": "f"}, {"type": "of_tomorrow"}]},
        output("a", [picture, {"type": "input_text", "text": "seen"}]),
    )
    assert request.messages[0].parts == (
        Media("image"),
        Media("document"),
        Opaque("of_tomorrow"),
        ToolResult("a", 4, False, media=True, text="seen"),
    )


FORMAT = {"type": "grammar", "syntax": "lark", "definition": "start: x"}
SLEEP = {"type": "function", "name": "sleep", "parameters": {"type": "object"}, "strict": False}
# As Codex sends them: no tools at the top, namespaces in an item, one tool that takes bare text.
CODEX_TOOLS = {
    "type": "additional_tools",
    "id": "at_1",
    "role": "developer",
    "tools": [
        {
            "type": "namespace",
            "name": "functions",
            "description": "",
            "tools": [{"type": "custom", "name": "exec", "description": "Runs.", "format": FORMAT}, SLEEP],
        },
        {"type": "namespace", "name": "clock", "description": "Time.", "tools": [SLEEP]},
    ],
}


def test_tools_as_codex_declares_them() -> None:
    request = decode(
        CODEX_TOOLS,
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "You are Codex."}]},
        user("<environment_context>"),
        user("Change it."),
        message("Running."),
        custom_call("c", "exec", "await tools.x()"),
        {"type": "custom_tool_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "hello\n"}]},
        call("d", "sleep", '{"ms":1}', namespace="clock"),
        tool_choice="auto",
        store=False,
        include=["reasoning.encrypted_content"],
    )
    assert request.tools == (
        ToolSpec("exec", CUSTOM_SCHEMA, custom=True),
        ToolSpec("sleep", b'{"type": "object"}'),
        ToolSpec("clock__sleep", b'{"type": "object"}', namespace="clock", own_name="sleep"),
    )
    assert request.system_head == "You are Codex."
    assert [message.role for message in request.messages] == ["user", "assistant", "user", "assistant"]
    assert request.messages[-1].parts == (ToolCall("d", "clock__sleep", '{"ms":1}'),)
    assert not any(isinstance(part, Opaque) for message in request.messages for part in message.parts)


def test_a_tool_declared_again_is_one_tool() -> None:
    newer = {"type": "additional_tools", "tools": [SLEEP | {"parameters": {"type": "object", "x": 1}}]}
    assert decode(user("hi"), newer, tools=[SLEEP]).tools == (ToolSpec("sleep", b'{"type": "object", "x": 1}'),)


@pytest.mark.parametrize(
    "hosted",
    [
        {"type": "web_search"},
        {"type": "image_generation"},
        {"type": "tool_search"},
        {"type": "mcp", "server_label": "x", "require_approval": "never"},
    ],
)
def test_hosted_tools_do_not_stand_in_the_way(hosted: Json) -> None:
    request = decode(user("hi"), tools=[hosted, SLEEP])
    assert [(tool.name, tool.server) for tool in request.tools] == [("sleep", False)]
    assert HOSTED in request.fields
    assert request.layout != decode(user("hi"), tools=[SLEEP]).layout


@pytest.mark.parametrize("kind", ["local_shell", "shell", "apply_patch", "computer_use_preview"])
def test_tools_whose_calls_are_items_of_their_own_keep_a_turn_direct(kind: str) -> None:
    assert ToolSpec(kind, b"", server=True) in decode(user("hi"), tools=[{"type": kind}]).tools


@pytest.mark.parametrize(
    "item",
    [
        {"type": "item_reference", "id": "msg_1"},
        {"type": "compaction", "encrypted_content": "x"},
        {"type": "web_search_call", "id": "ws", "status": "completed"},
        {"type": "mcp_call", "id": "m", "name": "x", "arguments": "{}", "output": "y"},
        {"type": "local_shell_call", "call_id": "c", "action": {"type": "exec"}},
        {"type": "computer_call_output", "call_id": "c", "output": {"type": "computer_screenshot"}},
        {"type": "tool_search_call", "call_id": "c", "arguments": {"query": "q"}},
        {"type": "item_of_tomorrow"},
    ],
)
def test_items_only_their_provider_can_read(item: Json) -> None:
    request = decode(user("hi"), item, user("go on"))
    parts = [part for message in request.messages for part in message.parts]
    assert Opaque(item["type"]) in parts


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("previous_response_id", "resp_1"),
        ("conversation", "conv_1"),
        ("conversation", {"id": "conv_1"}),
        ("background", True),
        ("prompt", {"id": "pmpt_1"}),
        ("context_management", [{"type": "compaction"}]),
    ],
)
def test_fields_only_their_provider_can_serve(name: str, value: object) -> None:
    for conversation in ([], [user("hi")], [user("hi"), message("yes")]):
        request = decode(*conversation, **{name: value})
        assert request.messages[-1].parts[-1] == Opaque(name)
        assert len(request.messages) == max(1, len(conversation))
    for nothing in (None, False):
        request = decode(user("hi"), **{name: nothing})
        assert request.messages == (Message("user", (Text("hi"),)),)


def test_an_answer_is_kept_unless_told_not_to() -> None:
    assert KEPT in decode(user("hi")).fields
    assert KEPT in decode(user("hi"), store=True).fields
    assert KEPT not in decode(user("hi"), store=False).fields


@pytest.mark.parametrize(
    ("choice", "read"),
    [
        ("auto", "auto"),
        ("required", "any"),
        ("none", "none"),
        (None, None),
        ({"type": "function", "name": "Read"}, "tool"),
        ({"type": "custom", "name": "exec"}, "tool"),
        ({"type": "web_search"}, "tool"),
        ({"type": "mcp", "server_label": "x", "name": None}, "tool"),
        ({"type": "allowed_tools", "mode": "auto", "tools": []}, "auto"),
        ({"type": "allowed_tools", "mode": "required", "tools": []}, "any"),
    ],
)
def test_tool_choice(choice: object, read: str | None) -> None:
    assert decode(user("hi"), tool_choice=choice).tool_choice == read


@pytest.mark.parametrize(
    ("format_", "schema"),
    [
        (None, None),
        ({"type": "text"}, None),
        ({"type": "json_object"}, b"{}"),
        ({"type": "json_schema", "name": "a", "schema": {"type": "object"}}, b'{"type": "object"}'),
    ],
)
def test_output_formats(format_: object, schema: bytes | None) -> None:
    request = decode(user("hi"), text={"format": format_, "verbosity": "low"})
    assert request.output_schema == schema
    if schema:
        assert request.layout != decode(user("hi")).layout


@pytest.mark.parametrize(
    "body",
    [b'{"model":"m"}', b'{"input":"hi"}', b'{"model":"m","input":[{"role":"tool"}]}', b'{"model":"m","input":5}'],
)
def test_strange_requests(body: bytes) -> None:
    with pytest.raises(UnknownShape):
        decode_request(body)
    with pytest.raises(UnknownShape):
        decode_request(b'{"model":"m","input":"hi","tool_choice":"sometimes"}')


# --- the prompt as a cache sees it -------------------------------------------------------------------------------


def layout(*input_: Json, **fields: Any) -> Layout:
    return decode(*input_, **fields).layout


def test_a_text_and_its_one_part_are_the_same() -> None:
    assert layout({"role": "user", "content": "hi"}) == layout(user("hi"))
    assert decode_request(b'{"model":"m","input":"hi"}').layout == layout(user("hi"))


def test_ids_and_status_of_items_do_not_count() -> None:
    plain = layout(user("hi"), message("yes"), call("a", "Read"))
    marked = layout(user("hi"), message("yes", id="x", status="y"), call("a", "Read", id="z", status="w"))
    assert plain == marked


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (reasoning() | {"encrypted_content": "sealed-1"}, reasoning() | {"encrypted_content": "sealed-2"}),
        (call("a", "Read"), call("a", "Read", '{"a":1}')),
        (call("a", "Read"), call("a", "Read", namespace="clock")),
        (custom_call("a", "exec", "x"), call("a", "exec", '{"input":"y"}')),
        (message("a"), user("a")),
        (output("a", "x"), output("b", "x")),
        (
            {"role": "user", "content": [{"type": "input_image", "image_url": "https://a"}]},
            {"role": "user", "content": [{"type": "input_image", "image_url": "https://b"}]},
        ),
    ],
)
def test_what_counts(one: Json, other: Json) -> None:
    assert layout(user("hi"), one) != layout(user("hi"), other)


@given(items, items)
def test_a_longer_conversation_has_the_same_beginning(before: list[Json], after: list[Json]) -> None:
    start = [user("hi"), *before]
    try:
        short, long = decode(*start), decode(*start, *after)
    except UnknownShape:
        return
    count = len(short.layout.digests)
    assert long.layout.digests[:count] == short.layout.digests
    assert long.layout.chars[:count] == short.layout.chars


def test_a_key_makes_the_digests_its_owners() -> None:
    raw = b'{"model":"m","input":"hi"}'
    assert decode_request(raw, b"a").layout != decode_request(raw, b"b").layout


@given(raw_bodies)
def test_any_request_is_read(raw: bytes) -> None:
    request = decode_request(raw)
    assert request.raw is raw
    assert len(request.layout.digests) == len(request.layout.chars) == len(request.layout.positions)
    assert request.chars == (request.layout.chars[-1] if request.layout.chars else 0)
    assert SECRET not in repr(request.messages)
    assert len({tool.name for tool in request.tools}) == len(request.tools)
    roles = [message.role for message in request.messages]
    assert all(one != other for one, other in pairwise(roles))


@given(raw_bodies, st.integers(0, 5_000), st.binary(max_size=3))
def test_mutated_requests_raise_nothing_else(raw: bytes, at: int, noise: bytes) -> None:
    place = at % (len(raw) + 1)
    for mutated in (raw[:place], raw[:place] + noise + raw[place:], raw[:place] + noise + raw[place + 1 :]):
        with suppress(WireError):
            decode_request(mutated)
