from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.chat_wire import SECRET, raw_bodies
from tests.support.wire import Json

from rlmc.domain.chat import ChatRequest, Text, ToolCall
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
from rlmc.wire.arguments import CUSTOM_SCHEMA
from rlmc.wire.chat.codec import CHAT
from rlmc.wire.tidy import tidy

PLAIN = Shape()
OPENAI = Shape(
    output_format=True,
    media=True,
    metadata=True,
    strict=True,
    cache_key=True,
    system_role="developer",
    output_limit="max_completion_tokens",
    efforts=("none", "low", "high"),
    reasoning_off={"reasoning_effort": "low"},
)
DEEPSEEK = Shape(reasoning_off={"thinking": {"type": "disabled"}}, reasoning_back="if_all", efforts=("high",))
KIMI = Shape(reasoning_back="always")


def said(role: str, *parts: PromptPart) -> PromptMessage:
    return PromptMessage(role, parts)  # type: ignore[arg-type]


def prompt(*messages: PromptMessage, **fields: Any) -> Prompt:
    return Prompt("client-model", False, messages, **fields)


def write(
    of: Prompt, shape: Shape = PLAIN, recall: Recall | None = None, *, stream: bool = True, reason: bool = True
) -> Json:
    raw = CHAT.write_prompt(of, "m", shape, recall or {}, stream=stream, reason=reason)
    found: Json = json.loads(raw)
    assert list(found)[-1] == "messages"
    return found


CALL = ToolCall("a", "Read", '{"x":1}')
ROUND = (said("user", Text("go")), said("assistant", Text("Let me"), CALL), said("user", Result("a", (Text("one"),))))


def test_a_round() -> None:
    function = {"name": "Read", "arguments": '{"x":1}'}
    assert write(prompt(*ROUND, system=("You are Q.", "Be brief.")))["messages"] == [
        {"role": "system", "content": "You are Q.\n\nBe brief."},
        {"role": "user", "content": "go"},
        {
            "role": "assistant",
            "content": "Let me",
            "tool_calls": [{"id": "a", "type": "function", "function": function}],
        },
        {"role": "tool", "tool_call_id": "a", "content": "one"},
    ]


def test_results_come_first_each_by_itself_and_failures_say_so() -> None:
    messages = (
        said("assistant", CALL, ToolCall("b", "Bash", "")),
        said("user", Text("hurry"), Result("b", (Text("no"),), is_error=True), Result("a", (Text("1"), Text("2")))),
    )
    assistant, *rest = write(prompt(*messages))["messages"]
    assert assistant["content"] is None
    assert assistant["tool_calls"][1]["function"]["arguments"] == "{}"
    assert rest == [
        {"role": "tool", "tool_call_id": "a", "content": "1\n2"},
        {"role": "tool", "tool_call_id": "b", "content": "ERROR: no"},
        {"role": "user", "content": "hurry"},
    ]


def test_a_result_without_words_says_so() -> None:
    for content in ((), (Text(" "),)):
        messages = (said("assistant", CALL), said("user", Result("a", content)))
        assert write(prompt(*messages))["messages"][1]["content"] == "(no output)"


def test_arguments_stay_the_text_they_are() -> None:
    broken = (said("assistant", replace(CALL, arguments='{"x')), said("user", Result("a", ())))
    assert write(prompt(*broken))["messages"][0]["tool_calls"][0]["function"]["arguments"] == '{"x'


IMAGE = Attachment("image", "image/png", data="AA")
PDF = Attachment("document", "application/pdf", data="BB", name="b.pdf")


def test_images_and_documents_where_the_model_looks() -> None:
    remote = Attachment("image", url="https://host/a.png")
    parts = (Text("look"), IMAGE, remote, PDF, Attachment("document", "text/plain", text="words", name="w.txt"))
    (message,) = write(prompt(said("user", *parts)), OPENAI)["messages"]
    assert message["content"] == [
        {"type": "text", "text": "look"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}},
        {"type": "image_url", "image_url": {"url": "https://host/a.png"}},
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,BB", "filename": "b.pdf"}},
        {"type": "text", "text": "w.txt:\nwords"},
    ]
    (blind,) = write(prompt(said("user", *parts)))["messages"]
    assert (
        blind["content"]
        == "look\n\n[image not shown]\n\n[image not shown]\n\n[document b.pdf not shown]\n\nw.txt:\nwords"
    )


def test_images_in_results_follow_in_a_message_of_their_own() -> None:
    messages = (said("assistant", CALL), said("user", Result("a", (Text("seen"), IMAGE)), Text("so?")))
    _, tool, user = write(prompt(*messages), OPENAI)["messages"]
    assert tool == {"role": "tool", "tool_call_id": "a", "content": "seen\n[image: see the message below]"}
    assert [part["type"] for part in user["content"]] == ["text", "image_url", "text"]
    _, tool, user = write(prompt(*messages))["messages"]
    assert (tool["content"], user["content"]) == ("seen\n[image not shown]", "so?")


def test_what_an_operator_says_in_between() -> None:
    messages = (said("user", Text("hi")), said("system", Text("Careful.")), said("assistant", Text("ok")))
    assert write(prompt(*messages), OPENAI)["messages"][1] == {"role": "developer", "content": "Careful."}
    user, assistant = write(prompt(*messages))["messages"]
    assert user["content"] == "hi\n\n<system-reminder>\nCareful.\n</system-reminder>"
    assert assistant["role"] == "assistant"


def test_settings_go_by_the_shape() -> None:
    full = prompt(
        max_tokens=9_000,
        stop=("a", "b", "c", "d", "e"),
        temperature=b"0.5",
        top_p=b"1",
        top_k=b"3",
        effort="high",
        cache_key="s",
        user="u" * 80,
        tools=(ToolDefinition("R", "d", b'{"type":"object"}', strict=True),),
        tool_choice="any",
        parallel_tools=False,
        output=OutputFormat(b'{"type":"object"}', "shape"),
    )
    found = write(
        full, replace(OPENAI, max_output=500, drop_fields=frozenset({"top_p"}), extra={"x": 1, "model": "no"})
    )
    assert found["stop"] == ["a", "b", "c", "d"]
    assert (found["max_completion_tokens"], found["temperature"], found["reasoning_effort"]) == (500, 0.5, "high")
    assert not {"max_tokens", "top_p", "top_k", "user", "seed"} & found.keys()
    assert (found["prompt_cache_key"], len(found["safety_identifier"])) == ("s", 64)
    assert (found["x"], found["model"]) == (1, "m")
    assert found["tools"][0]["function"]["strict"] is True
    assert (found["tool_choice"], found["parallel_tool_calls"]) == ("required", False)
    assert found["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "shape", "schema": {"type": "object"}, "strict": False},
    }
    plain = write(full, Shape(tool_choice=False, parallel_tools=False, stream_usage=False))
    names = {"stream_options", "tool_choice", "parallel_tool_calls", "response_format", "reasoning_effort"}
    assert not (names | {"prompt_cache_key", "safety_identifier"}) & plain.keys()
    assert "strict" not in plain["tools"][0]["function"]
    assert plain["max_tokens"] == 9_000
    assert plain["messages"][0]["content"].endswith('{"type":"object"}')


def test_usage_is_asked_for_at_the_end_of_a_stream_only() -> None:
    assert write(prompt())["stream_options"] == {"include_usage": True}
    assert "stream_options" not in write(prompt(), stream=False)


@pytest.mark.parametrize(
    ("choice", "written"),
    [
        ("auto", "auto"),
        ("any", "required"),
        ("none", "none"),
        ("tool", {"type": "function", "function": {"name": "R"}}),
    ],
)
def test_tool_choice(choice: Any, written: Any) -> None:
    tools = (ToolDefinition("R", "", b"{}"),)
    assert write(prompt(tools=tools, tool_choice=choice, forced_tool="R"))["tool_choice"] == written
    assert "tool_choice" not in write(prompt(tool_choice=choice, forced_tool="R"))
    assert "parallel_tool_calls" not in write(prompt(tools=tools))


FORCED: dict[str, Any] = {"tools": (ToolDefinition("R", "", b"{}"),), "tool_choice": "tool", "forced_tool": "R"}


def test_a_forced_call_switches_off_reasoning_that_forbids_it() -> None:
    found = write(prompt(**FORCED, effort="high"), DEEPSEEK)
    assert (found["thinking"], "reasoning_effort" in found) == ({"type": "disabled"}, False)
    assert found["tool_choice"]["function"] == {"name": "R"}
    assert write(prompt(**FORCED, effort="high"), OPENAI)["reasoning_effort"] == "high"


def test_a_call_that_cannot_be_forced_is_asked_for_in_words() -> None:
    for shape in (KIMI, Shape(tool_choice=False)):
        found = write(prompt(*ROUND, **FORCED), shape)
        assert found.get("tool_choice") is None
        assert found["messages"][-1] == {"role": "user", "content": "(Answer with a call of the tool `R`.)"}
    none = prompt(*ROUND, **FORCED | {"tool_choice": "none"})
    assert write(none, KIMI)["tool_choice"] == "none"
    assert write(none, Shape(tool_choice=False))["messages"][-1]["content"] == "(Answer without calling a tool.)"


def test_an_object_of_any_kind() -> None:
    asked = prompt(output=OutputFormat(b"{}"))
    assert write(asked, OPENAI)["response_format"] == {"type": "json_object"}
    assert "JSON" in write(asked)["messages"][0]["content"]


def test_refused_keywords_are_taken_out_of_schemas() -> None:
    schema = b'{"$schema":"x","properties":{"format":{"type":"string","format":"uri"}}}'
    shape = Shape(schema_drops=frozenset({"$schema", "format"}))
    (tool,) = write(prompt(tools=(ToolDefinition("R", "", schema),)), shape)["tools"]
    assert tool["function"]["parameters"] == {"properties": {"format": {"type": "string"}}}


def test_a_tool_that_takes_one_text_is_a_function() -> None:
    tool = ToolDefinition("patch", "p", CUSTOM_SCHEMA, custom=True, format=b'{"type":"text"}')
    (written,) = write(prompt(tools=(tool,)))["tools"]
    assert written["function"] == {"name": "patch", "description": "p", "parameters": json.loads(CUSTOM_SCHEMA)}


# --- reasoning ---------------------------------------------------------------------------------------------------

RECALL = {"a": (b'{"reasoning_content":"hm"}',)}
AGAIN = (*ROUND, said("assistant", ToolCall("b", "Read", "{}")), said("user", Result("b", ())))


def thought(found: Json) -> list[str | None]:
    return [one.get("reasoning_content") for one in found["messages"] if one.get("tool_calls")]


def test_reasoning_stays_on_while_all_of_it_is_there() -> None:
    found = write(prompt(*ROUND, effort="high"), DEEPSEEK, RECALL)
    assert thought(found) == ["hm"]
    assert found["reasoning_effort"] == "high"
    assert "thinking" not in found


@pytest.mark.parametrize(("messages", "reason"), [(AGAIN, True), (ROUND, False)])
def test_reasoning_goes_off_and_none_is_sent_else(messages: tuple[PromptMessage, ...], reason: bool) -> None:
    found = write(prompt(*messages, effort="high"), DEEPSEEK, RECALL, reason=reason)
    assert set(thought(found)) == {None}
    assert found["thinking"] == {"type": "disabled"}
    assert "reasoning_effort" not in found


@pytest.mark.parametrize("reason", [True, False])
def test_a_model_that_always_reasons_gets_what_there_is(reason: bool) -> None:
    assert thought(write(prompt(*AGAIN), KIMI, RECALL, reason=reason)) == ["hm", " "]
    named = replace(KIMI, reasoning_field="reasoning")
    assert write(prompt(*ROUND), named)["messages"][1]["reasoning"] == " "


def test_a_model_that_wants_nothing_back_gets_nothing() -> None:
    assert thought(write(prompt(*ROUND), Shape(), RECALL)) == [None]


def test_several_blocks_of_one_answer_become_one_message() -> None:
    blocks = (b'{"reasoning":"a","reasoning_details":[{"n":1}]}', b'{"reasoning":"b","reasoning_details":[{"n":2}]}')
    message = write(prompt(*ROUND), KIMI, {"a": blocks})["messages"][1]
    assert (message["reasoning"], message["reasoning_details"]) == ("ab", [{"n": 1}, {"n": 2}])
    assert (message["role"], message["content"]) == ("assistant", "Let me")


def test_an_empty_thought_is_given_back() -> None:
    found = write(prompt(*ROUND), DEEPSEEK, {"a": (b'{"reasoning_content":""}',)})
    assert thought(found) == [""]
    assert "thinking" not in found


def test_effort() -> None:
    assert write(prompt(effort="none"), OPENAI)["reasoning_effort"] == "none"
    assert write(prompt(effort="high"), OPENAI, reason=False)["reasoning_effort"] == "low"
    assert "reasoning_effort" not in write(prompt(effort="max"), OPENAI)
    assert write(prompt(effort="none"), DEEPSEEK)["thinking"] == {"type": "disabled"}


# --- drafts, and what must hold for all --------------------------------------------------------------------------


def test_a_draft_does_not_reason() -> None:
    body = {"model": "x", "messages": [{"role": "user", "content": "hi"}], "reasoning_effort": "high", "seed": 1}
    raw = json.dumps(body).encode()
    draft = json.loads(CHAT.draft_body(ChatRequest(raw, "x", False, None, ()), "m", DEEPSEEK, {}))
    assert draft == {
        "model": "m",
        "stream": True,
        "stream_options": {"include_usage": True},
        "thinking": {"type": "disabled"},
        "messages": [{"role": "user", "content": "hi"}],
    }


shapes = st.sampled_from([Shape(), OPENAI, DEEPSEEK, KIMI])


@given(raw_bodies, shapes)
def test_every_call_has_its_result_and_foreign_reasoning_stays(raw: bytes, shape: Shape) -> None:
    found = write(CHAT.read_prompt(raw), shape)
    assert SECRET not in json.dumps(found)
    waiting: list[str] = []
    for message in found["messages"]:
        if message["role"] == "tool":
            assert message["tool_call_id"] == waiting.pop(0)
            continue
        assert not waiting
        waiting = [call["id"] for call in message.get("tool_calls", ())]
        assert message["content"] or waiting
    assert not waiting


@given(raw_bodies, shapes, st.integers(0, 8))
def test_a_longer_conversation_begins_with_the_same_bytes(raw: bytes, shape: Shape, at: int) -> None:
    whole = CHAT.read_prompt(raw)
    # As it is when a model is asked: what came last is the user's, and next comes the model's answer. A choice that has
    # to be told in words stands at the end.
    whole = replace(whole, messages=tidy(whole.messages), tool_choice=None)
    cuts = [n for n, message in enumerate(whole.messages) if message.role == "assistant"]
    if not cuts:
        return
    short = replace(whole, messages=whole.messages[: cuts[at % len(cuts)]])
    bodies = [CHAT.write_prompt(one, "m", shape, {}, stream=True, reason=False) for one in (short, whole)]
    assert bodies[0].endswith(b"]}")
    assert bodies[1].startswith(bodies[0][:-2])


@given(raw_bodies)
def test_what_was_written_reads_as_what_it_was(raw: bytes) -> None:
    first = CHAT.read_prompt(raw)
    # An operator's word that nothing precedes once blanks are gone joins the instructions: hence a second time.
    for prompt_ in (first, CHAT.read_prompt(CHAT.write_prompt(first, "m", OPENAI, {}, stream=True, reason=True))):
        written = CHAT.write_prompt(prompt_, "m", OPENAI, {}, stream=first.stream, reason=True)
        again = CHAT.read_prompt(written)
    assert CHAT.write_prompt(again, "m", OPENAI, {}, stream=first.stream, reason=True) == written
    assert [(tool.name, tool.description, tool.schema) for tool in again.tools] == [
        (tool.name, tool.description, tool.schema) for tool in first.tools
    ]
    assert again.stop == first.stop[:4]
    for name in ("stream", "max_tokens", "temperature", "user"):
        assert getattr(again, name) == getattr(first, name)
    if first.tools:
        assert (again.tool_choice, again.forced_tool, again.parallel_tools) == (
            first.tool_choice,
            first.forced_tool,
            first.parallel_tools,
        )
    assert (again.output and again.output.schema) == (first.output and first.output.schema)
