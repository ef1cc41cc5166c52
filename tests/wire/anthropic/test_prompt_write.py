from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.wire import Json, bodies, spelled

from rlmc.domain.chat import Text, ToolCall
from rlmc.domain.prompt import (
    Attachment,
    OutputFormat,
    Prompt,
    PromptMessage,
    PromptPart,
    Recall,
    Result,
    ToolDefinition,
)
from rlmc.domain.shape import Shape
from rlmc.wire.anthropic.prompt_read import read_prompt
from rlmc.wire.anthropic.prompt_write import write_prompt
from rlmc.wire.anthropic.request import decode_request
from rlmc.wire.arguments import CUSTOM_SCHEMA

PLAIN = Shape()
CLAUDE = Shape(
    cache_control=True,
    metadata=True,
    output_format=True,
    media=True,
    efforts=("low", "medium", "high"),
    max_output=64_000,
)
READ = ToolDefinition("Read", "Reads.", b'{"type":"object","properties":{}}')
THOUGHT = b'{"type":"thinking","thinking":"Hm.","signature":"c2ln"}'
PICTURE = Attachment("image", "image/png", data="aGk=")


def prompt(*messages: PromptMessage, **fields: Any) -> Prompt:
    return Prompt(model="asked", stream=True, messages=messages, **fields)


def write(
    what: Prompt, shape: Shape = PLAIN, recall: Recall | None = None, *, stream: bool = True, reason: bool = True
) -> Json:
    result: Json = json.loads(write_prompt(what, "m", shape, recall or {}, stream=stream, reason=reason))
    return result


def user(*parts: PromptPart) -> PromptMessage:
    return PromptMessage("user", parts)


def assistant(*parts: PromptPart) -> PromptMessage:
    return PromptMessage("assistant", parts)


def text(words: str) -> Json:
    return {"type": "text", "text": words}


HI = user(Text("hi"))


def test_the_least_a_request_says() -> None:
    assert write(prompt(HI), Shape(thinking_off="omit"), stream=False) == {
        "model": "m",
        "max_tokens": 32_000,
        "stream": False,
        "messages": [{"role": "user", "content": [text("hi")]}],
    }


@pytest.mark.parametrize(
    ("asked", "most", "sent"),
    [(None, None, 32_000), (None, 8_000, 8_000), (None, 64_000, 32_000), (90_000, 64_000, 64_000), (5, 64_000, 5)],
)
def test_the_limit_of_an_answer_is_always_said(asked: int | None, most: int | None, sent: int) -> None:
    assert write(prompt(HI, max_tokens=asked), Shape(max_output=most))["max_tokens"] == sent


def test_a_conversation() -> None:
    call, other = ToolCall("t", "Read", '{"a":1.0}'), ToolCall("u", "Read", "broken")
    body = write(
        prompt(
            HI,
            assistant(call, Text("Looking."), other),
            user(Result("t", (Text("found"),)), Result("u", (), is_error=True), Text("Well?")),
            assistant(Text("So."), ToolCall("v", "Read", "")),
        )
    )
    assert body["messages"] == [
        {"role": "user", "content": [text("hi")]},
        {
            "role": "assistant",
            # The calls come last.
            "content": [
                text("Looking."),
                {"type": "tool_use", "id": "t", "name": "Read", "input": {"a": 1.0}},
                {"type": "tool_use", "id": "u", "name": "Read", "input": {"_raw": "broken"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "t", "content": "found"},
                {"type": "tool_result", "tool_use_id": "u", "content": "(no output)", "is_error": True},
                text("Well?"),
            ],
        },
        {
            "role": "assistant",
            "content": [text("So."), {"type": "tool_use", "id": "v", "name": "Read", "input": {}}],
        },
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "v", "content": "[no result]", "is_error": True}],
        },
    ]


def test_it_begins_and_ends_with_the_user() -> None:
    assert [m["role"] for m in write(prompt())["messages"]] == ["user"]
    roles = [m["role"] for m in write(prompt(assistant(Text("Hello!")), HI, assistant(Text("Well"))))["messages"]]
    assert roles == ["user", "assistant", "user", "assistant", "user"]


def test_an_operators_word_in_the_middle_is_folded_for_everybody() -> None:
    said = prompt(HI, PromptMessage("system", (Text("Be brief."),)), user(Text("Go.")))
    for shape in (PLAIN, replace(CLAUDE, system_in_messages=True)):
        folded = text("<system-reminder>\nBe brief.\n</system-reminder>")
        assert write(said, shape)["messages"] == [{"role": "user", "content": [text("hi"), folded, text("Go.")]}]


def test_results_keep_their_pictures_where_they_are_read() -> None:
    said = prompt(assistant(ToolCall("t", "Read", "")), user(Result("t", (Text("a"), Text(" "), PICTURE))))
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}}
    assert write(said, CLAUDE)["messages"][-1]["content"][0]["content"] == [text("a"), picture]
    assert write(said)["messages"][-1]["content"][0]["content"] == [text("a"), text("[image not shown]")]
    empty = prompt(assistant(ToolCall("t", "Read", "")), user(Result("t", ())))
    assert write(empty)["messages"][-1]["content"][0]["content"] == ""


@pytest.mark.parametrize(
    ("one", "block"),
    [
        (Attachment("image", url="https://x/y"), {"type": "image", "source": {"type": "url", "url": "https://x/y"}}),
        (
            Attachment("image", "image/jpg", data="aGk="),
            {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": "aGk="}},
        ),
        (Attachment("image", "image/tiff", data="aGk="), text("[image not shown]")),
        (
            Attachment("document", "application/pdf", data="aGk=", name="T"),
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "application/pdf", "data": "aGk="},
                "title": "T",
            },
        ),
        (Attachment("document", "application/msword", data="aGk=", name="T"), text("[document T not shown]")),
        (Attachment("document", "text/plain", text="words", name="T"), text("T:\nwords")),
        (Attachment("document", "text/plain", text="words"), text("words")),
    ],
)
def test_attachments(one: Attachment, block: Json) -> None:
    assert write(prompt(user(one)), CLAUDE)["messages"][0]["content"] == [block]
    if not one.text:
        assert write(prompt(user(one)))["messages"][0]["content"][0]["type"] == "text"


def test_tools_and_those_that_take_one_text() -> None:
    tools = (
        READ,
        ToolDefinition("apply_patch", "", CUSTOM_SCHEMA, custom=True, format=b"{}"),
        ToolDefinition("bare", "", b"{}", strict=True),
    )
    assert write(prompt(HI, tools=tools))["tools"] == [
        {"name": "Read", "description": "Reads.", "input_schema": {"type": "object", "properties": {}}},
        {"name": "apply_patch", "input_schema": json.loads(CUSTOM_SCHEMA)},
        {"name": "bare", "input_schema": {"type": "object"}},
    ]


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ({}, None),
        ({"tool_choice": "auto"}, {"type": "auto"}),
        ({"parallel_tools": False}, {"type": "auto", "disable_parallel_tool_use": True}),
        ({"tool_choice": "any", "parallel_tools": False}, {"type": "any", "disable_parallel_tool_use": True}),
        ({"tool_choice": "tool", "forced_tool": "Read"}, {"type": "tool", "name": "Read"}),
        ({"tool_choice": "none", "parallel_tools": False}, {"type": "none"}),
    ],
)
def test_the_choice_of_a_tool(fields: Json, sent: Json | None) -> None:
    assert write(prompt(HI, tools=(READ,), **fields)).get("tool_choice") == sent
    assert "tool_choice" not in write(prompt(HI, **fields))
    alone = write(prompt(HI, tools=(READ,), **fields), Shape(parallel_tools=False)).get("tool_choice", {})
    assert "disable_parallel_tool_use" not in alone


def test_a_call_is_forced_only_while_nothing_is_thought() -> None:
    forced = prompt(HI, tools=(READ,), tool_choice="tool", forced_tool="Read", effort="high")
    body = write(forced, CLAUDE)
    assert (body["tool_choice"]["type"], body["thinking"]) == ("tool", {"type": "disabled"})
    assert "output_config" not in body
    for shape in (
        Shape(tool_choice=False),
        Shape(reasoning_back="always"),
        replace(CLAUDE, thinking_off="omit"),
        replace(CLAUDE, thinking_off="between_tools"),
    ):
        body = write(forced, shape)
        assert "tool_choice" not in body
        assert "thinking" not in body
        assert body["messages"][-1]["content"][-1] == text("(Answer with a call of the tool `Read`.)")
    # A local model without efforts can be forced, though it has no switch.
    assert write(forced, Shape(thinking_off="omit"))["tool_choice"] == {"type": "tool", "name": "Read"}
    none = prompt(HI, assistant(Text("x")), tools=(READ,), tool_choice="none")
    body = write(none, Shape(tool_choice=False))
    assert body["messages"][-1] == {"role": "user", "content": [text("(Answer without calling a tool.)")]}


@pytest.mark.parametrize(
    ("effort", "reason", "shape", "thinking", "config"),
    [
        (None, True, CLAUDE, None, None),
        ("high", True, CLAUDE, None, {"effort": "high"}),
        ("minimal", True, CLAUDE, None, {"effort": "low"}),
        ("max", True, CLAUDE, None, None),
        ("high", True, PLAIN, None, None),
        ("none", True, CLAUDE, {"type": "disabled"}, None),
        ("high", False, CLAUDE, {"type": "disabled"}, None),
        ("high", False, replace(CLAUDE, thinking_off="between_tools"), {"type": "between_tools"}, None),
        ("none", True, replace(CLAUDE, thinking_off="omit"), None, None),
        ("none", True, Shape(reasoning_back="always"), None, None),
        (
            "none",
            True,
            Shape(reasoning_off={"output_config": {"effort": "low"}}),
            {"type": "disabled"},
            {"effort": "low"},
        ),
        ("high", True, Shape(reasoning_off={"output_config": {"effort": "low"}}), None, None),
    ],
)
def test_reasoning(effort: str | None, reason: bool, shape: Shape, thinking: Json | None, config: Json | None) -> None:
    body = write(prompt(HI, effort=effort), shape, reason=reason)
    assert (body.get("thinking"), body.get("output_config")) == (thinking, config)


def test_fields_follow_the_shape() -> None:
    what = prompt(
        HI,
        system=("Be brief.", "Be kind."),
        stop=("x", "\n"),
        temperature=b"0.50",
        top_p=b"1",
        top_k=b"4",
        user="u",
        cache_key="c",
        output=OutputFormat(b'{"type":"object"}'),
    )
    body = write(what, replace(CLAUDE, drop_fields=frozenset({"top_k"}), extra={"lane": "slow", "model": "no"}))
    assert body["system"] == [text("Be brief."), text("Be kind.")]
    assert (body["stop_sequences"], body["temperature"], body["top_p"]) == (["x"], 0.5, 1)
    assert body["output_config"] == {"format": {"type": "json_schema", "schema": {"type": "object"}}}
    assert (body["metadata"], body["cache_control"]) == ({"user_id": "u"}, {"type": "ephemeral"})
    assert (body["lane"], body["model"]) == ("slow", "m")
    assert "top_k" not in body
    assert list(body)[-1] == "messages"
    told = write(what)
    assert not told.keys() & {"metadata", "cache_control", "output_config"}
    assert '{"type":"object"}' in told["system"][-1]["text"]
    assert "metadata" not in write(replace(what, user="u" * 300), CLAUDE)
    # A format without a schema is none here.
    loose = write(replace(what, output=OutputFormat(b"{}")), CLAUDE)
    assert "output_config" not in loose
    assert "JSON object" in loose["system"][-1]["text"]


# --- reasoning that comes back -----------------------------------------------------------------------------------

TWO = (
    HI,
    assistant(Text("One."), ToolCall("a", "Read", ""), ToolCall("b", "Read", "")),
    user(Result("a", ()), Result("b", ())),
    assistant(ToolCall("c", "Read", "")),
    user(Result("c", ())),
)
BOTH = {"a": (THOUGHT, b'{"type":"redacted_thinking","data":"x"}'), "c": (THOUGHT,)}


def kinds(body: Json) -> list[list[str]]:
    return [[block["type"] for block in m["content"]] for m in body["messages"] if m["role"] == "assistant"]


def test_all_of_it_or_none() -> None:
    shape = Shape(reasoning_back="if_all")
    body = write(prompt(*TWO), shape, BOTH)
    assert kinds(body) == [
        ["text", "thinking", "redacted_thinking", "tool_use", "tool_use"],
        ["thinking", "tool_use"],
    ]
    assert body["messages"][3]["content"][0] == json.loads(THOUGHT)
    assert "thinking" not in body
    for recall, reason, effort in ((BOTH, False, None), (BOTH, True, "none"), ({"a": BOTH["a"]}, True, None)):
        body = write(prompt(*TWO, effort=effort), shape, recall, reason=reason)
        assert "thinking" not in str(kinds(body))
        assert body["thinking"] == {"type": "disabled"}


def test_what_cannot_be_switched_off_gets_back_what_there_is() -> None:
    shape = Shape(reasoning_back="always")
    for reason in (True, False):
        body = write(prompt(*TWO), shape, {"c": (THOUGHT,)}, reason=reason)
        assert kinds(body) == [["text", "tool_use", "tool_use"], ["thinking", "tool_use"]]
        assert "thinking" not in body


def test_who_never_needs_it_never_gets_it() -> None:
    assert kinds(write(prompt(*TWO), CLAUDE, BOTH)) == [["text", "tool_use", "tool_use"], ["tool_use"]]


# --- properties --------------------------------------------------------------------------------------------------

shapes = st.builds(
    Shape,
    tool_choice=st.booleans(),
    parallel_tools=st.booleans(),
    output_format=st.booleans(),
    media=st.booleans(),
    metadata=st.booleans(),
    max_output=st.sampled_from([None, 8192]),
    drop_fields=st.sampled_from([frozenset(), frozenset({"top_k", "temperature"})]),
    efforts=st.sampled_from([(), ("low", "high")]),
    reasoning_back=st.sampled_from(["no", "if_all", "always"]),
    thinking_off=st.sampled_from(["disabled", "omit", "between_tools"]),
    cache_control=st.booleans(),
    system_in_messages=st.booleans(),
)
prompts = bodies.flatmap(spelled).map(read_prompt)
recalls = st.dictionaries(st.sampled_from(["toolu_1", "toolu_2", "call_x"]), st.just((THOUGHT,)))


@given(prompts, shapes, recalls, st.booleans())
def test_what_is_written_is_what_the_api_takes(what: Prompt, shape: Shape, recall: Recall, reason: bool) -> None:
    raw = write_prompt(what, "m", shape, recall, stream=True, reason=reason)
    decode_request(raw)
    body = json.loads(raw)
    assert body.keys() <= {
        *("model", "messages", "system", "tools", "tool_choice", "max_tokens", "stop_sequences", "stream", "thinking"),
        *("metadata", "output_config", "cache_control", "temperature", "top_p", "top_k"),
    }
    assert not body.keys() & shape.drop_fields
    roles = [message["role"] for message in body["messages"]]
    assert roles == ["user", "assistant"] * (len(roles) // 2) + ["user"]
    waiting: list[str] = []
    for message in body["messages"]:
        content = message["content"]
        assert [block["tool_use_id"] for block in content if block["type"] == "tool_result"] == waiting
        assert all(block["text"].strip() for block in content if block["type"] == "text")
        order = [block["type"] for block in content]
        assert order == sorted(order, key=lambda kind: kind != "tool_result") or message["role"] == "assistant"
        waiting = [block["id"] for block in content if block["type"] == "tool_use"]
    assert not waiting


@given(prompts, prompts, shapes, recalls)
def test_a_longer_conversation_begins_with_the_same_bytes(
    before: Prompt, more: Prompt, shape: Shape, recall: Recall
) -> None:
    """Up to the answer that follows: what stands last may still be open. While reasoning may be switched off by what
    comes later, that alone changes the beginning."""
    shape = replace(shape, reasoning_back="no" if shape.reasoning_back == "if_all" else shape.reasoning_back)
    begun = replace(before, messages=(*before.messages, user(Text("Go."))))
    longer = replace(begun, messages=(*begun.messages, assistant(Text("Done.")), *more.messages))
    begun, longer = (replace(one, tool_choice=None) for one in (begun, longer))
    short = write_prompt(begun, "m", shape, recall, stream=True, reason=True)
    long = write_prompt(longer, "m", shape, recall, stream=True, reason=True)
    assert long.startswith(short.removesuffix(b"]}"))


@given(prompts)
def test_what_is_read_and_written_is_read_the_same_again(what: Prompt) -> None:
    shape = replace(CLAUDE, max_output=None)
    again = read_prompt(write_prompt(what, what.model, shape, {}, stream=what.stream, reason=True))
    once_more = read_prompt(write_prompt(again, what.model, shape, {}, stream=what.stream, reason=True))
    assert once_more == again
    kept = ("model", "stream", "system", "output", "stop", "temperature", "top_k", "user", "cache_key", "tool_choice")
    for field in kept if what.tools else kept[:-1]:
        assert getattr(again, field) == getattr(what, field), field
    forced = what.tool_choice == "any" and what.tools
    assert again.effort == ("none" if forced else what.effort)
    assert again.tools == tuple(replace(tool, strict=None) for tool in what.tools)
    assert calls(again) == calls(what)
    assert words(what) <= words(again)


def calls(what: Prompt) -> list[tuple[str, Any]]:
    return [
        (part.name, json.loads(part.arguments)) for m in what.messages for part in m.parts if isinstance(part, ToolCall)
    ]


def words(what: Prompt) -> set[str]:
    """All words the conversation holds, wherever they stand."""
    found: list[str] = []
    for message in what.messages:
        for part in message.parts:
            inner = part.content if isinstance(part, Result) else (part,)
            found += [one.text for one in inner if isinstance(one, Text | Attachment)]
    return {word for one in found for word in one.split()}
