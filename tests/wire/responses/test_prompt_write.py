from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.responses_wire import SECRET, items, raw_bodies
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
from rlmc.errors import WireError
from rlmc.wire.arguments import CUSTOM_SCHEMA
from rlmc.wire.responses.codec import RESPONSES
from rlmc.wire.tidy import NO_RESULT, tidy

PLAIN = Shape()
OPENAI = Shape(
    output_format=True,
    media=True,
    metadata=True,
    strict=True,
    cache_key=True,
    custom_tools=True,
    encrypted_reasoning=True,
    system_role="developer",
    efforts=("none", "low", "high"),
    reasoning_off={"reasoning": {"effort": "low"}},
)


def said(role: str, *parts: PromptPart) -> PromptMessage:
    return PromptMessage(role, parts)  # type: ignore[arg-type]


def prompt(*messages: PromptMessage, **fields: Any) -> Prompt:
    return Prompt("client-model", False, messages, **fields)


def write(
    of: Prompt, shape: Shape = PLAIN, recall: Recall | None = None, *, stream: bool = True, reason: bool = True
) -> Json:
    raw = RESPONSES.write_prompt(of, "m", shape, recall or {}, stream=stream, reason=reason)
    found: Json = json.loads(raw)
    assert list(found)[-1] == "input"
    assert found["store"] is False
    return found


def text(role: str, words: str) -> Json:
    return {"type": "message", "role": role, "content": [{"type": "input_text", "text": words}]}


CALL = ToolCall("a", "Read", '{"x":1}')
ROUND = (said("user", Text("go")), said("assistant", Text("Let me"), CALL), said("user", Result("a", (Text("one"),))))
READ = ToolDefinition("Read", "Reads.", b'{"type":"object","$schema":"x"}', strict=True)


def test_a_round() -> None:
    found = write(prompt(*ROUND, system=("You are Q.", "Be brief.")))
    assert found["instructions"] == "You are Q.\n\nBe brief."
    assert found["input"] == [
        text("user", "go"),
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Let me", "annotations": []}],
        },
        {"type": "function_call", "call_id": "a", "name": "Read", "arguments": '{"x":1}'},
        {"type": "function_call_output", "call_id": "a", "output": "one"},
    ]


def test_results_come_first_and_failures_say_so() -> None:
    messages = (
        said("assistant", CALL, ToolCall("b", "Bash", "")),
        said("user", Text("hurry"), Result("b", (Text("no"),), is_error=True), Result("a", (Text("1"), Text("2")))),
    )
    _, second, *rest = write(prompt(*messages))["input"]
    assert second["arguments"] == "{}"
    assert rest == [
        {"type": "function_call_output", "call_id": "a", "output": "1\n2"},
        {"type": "function_call_output", "call_id": "b", "output": "ERROR: no"},
        text("user", "hurry"),
    ]


def test_a_call_without_a_result_gets_one() -> None:
    call, result = write(prompt(said("assistant", CALL)))["input"]
    assert (call["call_id"], result["call_id"]) == ("a", "a")
    assert "no result" in result["output"]


IMAGE = Attachment("image", "image/png", data="AA")
PDF = Attachment("document", "application/pdf", data="BB", name="b.pdf")
SHOWN = {"type": "input_image", "image_url": "data:image/png;base64,AA", "detail": "auto"}


def test_images_and_documents_where_the_model_looks() -> None:
    parts = (
        Text("look"),
        IMAGE,
        Attachment("image", url="https://host/a.png"),
        PDF,
        Attachment("document", url="https://host/a.pdf"),
        Attachment("document", "text/plain", text="words", name="w.txt"),
    )
    (message,) = write(prompt(said("user", *parts)), OPENAI)["input"]
    assert message["content"] == [
        {"type": "input_text", "text": "look"},
        SHOWN,
        {"type": "input_image", "image_url": "https://host/a.png", "detail": "auto"},
        {"type": "input_file", "file_data": "data:application/pdf;base64,BB", "filename": "b.pdf"},
        {"type": "input_file", "file_url": "https://host/a.pdf"},
        {"type": "input_text", "text": "w.txt:\nwords"},
    ]
    (blind,) = write(prompt(said("user", IMAGE, PDF)))["input"]
    assert [part["text"] for part in blind["content"]] == ["[image not shown]", "[document b.pdf not shown]"]


def test_images_in_results() -> None:
    for failed in (False, True):
        messages = (said("assistant", CALL), said("user", Result("a", (Text("seen"), IMAGE), is_error=failed)))
        output = write(prompt(*messages), OPENAI)["input"][1]["output"]
        words = [{"type": "input_text", "text": "ERROR:"}] if failed else []
        assert output == [*words, {"type": "input_text", "text": "seen"}, SHOWN]
        assert write(prompt(*messages))["input"][1]["output"].endswith("seen\n[image not shown]")


def test_an_operators_words_in_the_middle() -> None:
    messages = (said("user", Text("a")), said("system", Text("Mode: plan.")), said("user", Text("b")))
    assert write(prompt(*messages), OPENAI)["input"] == [
        text("user", "a"),
        text("developer", "Mode: plan."),
        text("user", "b"),
    ]
    (folded,) = write(prompt(*messages))["input"]
    assert [part["text"] for part in folded["content"]] == [
        "a",
        "<system-reminder>\nMode: plan.\n</system-reminder>",
        "b",
    ]


def test_tools() -> None:
    found = write(prompt(*ROUND, tools=(READ,), parallel_tools=False), OPENAI)
    assert found["tools"] == [
        {
            "type": "function",
            "name": "Read",
            "description": "Reads.",
            "parameters": {"type": "object", "$schema": "x"},
            "strict": True,
        }
    ]
    assert found["parallel_tool_calls"] is False
    plain = write(
        prompt(*ROUND, tools=(READ,), parallel_tools=False),
        Shape(schema_drops=frozenset({"$schema"}), parallel_tools=False),
    )
    assert plain["tools"][0]["parameters"] == {"type": "object"}
    assert plain["tools"][0]["strict"] is False  # unsaid it would be true
    assert "parallel_tool_calls" not in plain
    assert "tools" not in write(prompt(*ROUND))


EXEC = ToolDefinition("exec", "Runs.", CUSTOM_SCHEMA, custom=True, format=b'{"type":"grammar"}')
CUSTOM_ROUND = (
    said("assistant", ToolCall("c", "exec", '{"input":"ls \\"x\\""}')),
    said("user", Result("c", (Text("ok"),))),
)


def test_tools_that_take_bare_text() -> None:
    of = prompt(*CUSTOM_ROUND, tools=(EXEC,), tool_choice="tool", forced_tool="exec")
    found = write(of, OPENAI)
    assert found["tools"] == [{"type": "custom", "name": "exec", "description": "Runs.", "format": {"type": "grammar"}}]
    assert found["tool_choice"] == {"type": "custom", "name": "exec"}
    assert found["input"] == [
        {"type": "custom_tool_call", "call_id": "c", "name": "exec", "input": 'ls "x"'},
        {"type": "custom_tool_call_output", "call_id": "c", "output": "ok"},
    ]
    plain = write(of)
    assert plain["tools"][0]["type"] == "function"
    assert plain["tools"][0]["parameters"] == json.loads(CUSTOM_SCHEMA)
    assert plain["tool_choice"] == {"type": "function", "name": "exec"}
    assert [item["type"] for item in plain["input"]] == ["function_call", "function_call_output"]
    assert json.loads(plain["input"][0]["arguments"]) == {"input": 'ls "x"'}


@pytest.mark.parametrize(
    ("choice", "written", "words"),
    [
        (None, None, ""),
        ("auto", "auto", ""),
        ("any", "required", "one of the tools"),
        ("none", "none", "without calling"),
        ("tool", {"type": "function", "name": "Read"}, "`Read`"),
    ],
)
def test_tool_choice(choice: Any, written: object, words: str) -> None:
    of = prompt(*ROUND, tools=(READ,), tool_choice=choice, forced_tool="Read" if choice == "tool" else "")
    assert write(of).get("tool_choice") == written
    unable = write(of, Shape(tool_choice=False))
    assert "tool_choice" not in unable
    assert words in json.dumps(unable["input"][-1], ensure_ascii=False)
    assert len(unable["input"]) == 4 + bool(words)
    always = write(of, Shape(reasoning_back="always"))
    assert always.get("tool_choice") == (None if choice in ("any", "tool") else written)
    toolless = prompt(*ROUND, tool_choice=choice)
    assert "tool_choice" not in write(toolless)
    assert write(toolless, Shape(tool_choice=False))["input"] == write(toolless)["input"]


def test_output_formats() -> None:
    wanted = OutputFormat(b'{"type":"object","$schema":"x"}', "a", strict=True)
    of = prompt(*ROUND, output=wanted)
    shape = Shape(output_format=True, schema_drops=frozenset({"$schema"}))
    format_ = {"type": "json_schema", "name": "a", "schema": {"type": "object"}, "strict": True}
    assert write(of, shape)["text"] == {"format": format_}
    assert write(prompt(*ROUND, output=OutputFormat(b"{}")), shape)["text"] == {"format": {"type": "json_object"}}
    unable = write(of)
    assert "text" not in unable
    assert "JSON Schema" in unable["instructions"]


def test_the_rest_of_the_fields() -> None:
    of = prompt(*ROUND, max_tokens=900, temperature=b"0.50", top_p=b"1", cache_key="s" * 90, user="u", stop=("x",))
    found = write(of, Shape(max_output=500, metadata=True, cache_key=True, extra={"x": 1, "model": "not this"}))
    assert (found["max_output_tokens"], found["temperature"], found["top_p"]) == (500, 0.5, 1)
    assert len(found["prompt_cache_key"]) == 64
    assert (found["safety_identifier"], found["x"], found["model"]) == ("u", 1, "m")
    plain = write(of, Shape(drop_fields=frozenset({"temperature", "top_p"})), stream=False)
    assert set(plain) == {"model", "stream", "store", "max_output_tokens", "input"}
    assert plain["stream"] is False
    assert "max_output_tokens" not in write(prompt(*ROUND), Shape(max_output=500))


@pytest.mark.parametrize(
    ("effort", "reason", "written"),
    [
        ("high", True, {"effort": "high"}),
        ("max", True, None),
        (None, True, None),
        ("none", True, {"effort": "none"}),
        ("high", False, {"effort": "low"}),
        (None, False, {"effort": "low"}),
        ("none", False, {"effort": "none"}),
    ],
)
def test_effort(effort: str | None, reason: bool, written: object) -> None:
    assert write(prompt(*ROUND, effort=effort), OPENAI, reason=reason).get("reasoning") == written


# --- reasoning of earlier turns ----------------------------------------------------------------------------------

BLOCK = b'{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"sealed"}'
OTHER = b'{"type":"reasoning","id":"rs_2","summary":[]}'
KNOWN = {"a": (BLOCK, OTHER)}
TWO_ROUNDS = (*ROUND, said("assistant", ToolCall("b", "Read", "{}")), said("user", Result("b", (Text("two"),))))


def kinds(found: Json) -> list[str]:
    return [item["type"] for item in found["input"]]


def test_reasoning_stands_before_the_first_call_as_it_was() -> None:
    found = write(prompt(*ROUND), OPENAI, KNOWN)
    assert found["include"] == ["reasoning.encrypted_content"]
    assert kinds(found) == ["message", "message", "reasoning", "reasoning", "function_call", "function_call_output"]
    assert found["input"][2:4] == [json.loads(BLOCK), json.loads(OTHER)]


def test_reasoning_that_is_not_wanted_is_not_sent() -> None:
    plain = write(prompt(*ROUND), PLAIN, KNOWN)
    assert "reasoning" not in kinds(plain)
    assert "include" not in plain
    for off in (
        write(prompt(*ROUND), OPENAI, KNOWN, reason=False),
        write(prompt(*ROUND, effort="none"), OPENAI, KNOWN),
    ):
        assert "reasoning" not in kinds(off)


def test_all_or_nothing() -> None:
    shape = Shape(reasoning_back="if_all", reasoning_off={"thinking": "off"})
    whole = write(prompt(*TWO_ROUNDS), shape, KNOWN | {"b": (OTHER,)})
    assert kinds(whole).count("reasoning") == 3
    assert "thinking" not in whole
    for lacking in (write(prompt(*TWO_ROUNDS), shape, KNOWN), write(prompt(*ROUND), shape, KNOWN, reason=False)):
        assert "reasoning" not in kinds(lacking)
        assert lacking["thinking"] == "off"


def test_a_model_that_always_reasons_gets_what_there_is() -> None:
    for reason in (True, False):
        assert kinds(write(prompt(*TWO_ROUNDS), Shape(reasoning_back="always"), KNOWN, reason=reason)) == [
            *("message", "message", "reasoning", "reasoning", "function_call", "function_call_output"),
            *("function_call", "function_call_output"),
        ]


# --- for drafts, and as a whole ----------------------------------------------------------------------------------


def test_a_draft() -> None:
    raw = json.dumps({"model": "big", "input": "hi", "reasoning": {"effort": "high"}, "background": False}).encode()
    request = ChatRequest(raw, "big", True, None, ())
    assert json.loads(RESPONSES.draft_body(request, "small", OPENAI, {})) == {
        "model": "small",
        "stream": True,
        "store": False,
        "include": ["reasoning.encrypted_content"],
        "reasoning": {"effort": "low"},
        "input": [text("user", "hi")],
    }


@given(raw_bodies, st.sampled_from([PLAIN, OPENAI, Shape(reasoning_back="always")]))
def test_what_is_written_reads_the_same(raw: bytes, shape: Shape) -> None:
    of = RESPONSES.read_prompt(raw)
    of = replace(of, messages=(said("user", Text("hi")), *of.messages))  # else an operator's words may begin it
    once = RESPONSES.write_prompt(of, "m", shape, {}, stream=True, reason=True)
    assert SECRET.encode() not in once
    back = RESPONSES.read_prompt(once)
    assert RESPONSES.write_prompt(back, "m", shape, {}, stream=True, reason=True) == once
    written: list[Json] = json.loads(once)["input"]
    calls = [item["call_id"] for item in written if item["type"].endswith("_call")]
    results = [item["call_id"] for item in written if item["type"].endswith("_output")]
    assert calls == results
    assert len(set(calls)) == len(calls)


def as_written(message: PromptMessage) -> PromptMessage:
    """As this protocol says it: a failure in words, the texts of a result as one, and no arguments at all as none."""
    parts: list[PromptPart] = []
    for part in message.parts:
        if isinstance(part, Result):
            content = part.content
            if part.is_error:
                content = (Text(f"ERROR: {NO_RESULT}"),)
            elif all(isinstance(one, Text) for one in content):
                joined = "\n".join(one.text for one in content if isinstance(one, Text))
                content = (Text(joined),) if joined else ()
            part = Result(part.call_id, content)
        elif isinstance(part, ToolCall):
            part = replace(part, arguments=part.arguments.strip() or "{}")
        parts.append(part)
    return replace(message, parts=tuple(parts))


@given(raw_bodies)
def test_what_the_protocol_can_say_comes_back(raw: bytes) -> None:
    """A prompt of this protocol, written for it without any limit and read again."""
    shape = Shape(
        output_format=True,
        media=True,
        metadata=True,
        strict=True,
        cache_key=True,
        custom_tools=True,
        system_role="developer",
        efforts=("none", "minimal", "low", "medium", "high", "xhigh", "max"),
    )
    of = RESPONSES.read_prompt(raw)
    of = replace(of, messages=(said("user", Text("hi")), *of.messages))  # else an operator's words may begin it
    back = RESPONSES.read_prompt(RESPONSES.write_prompt(of, of.model, shape, {}, stream=of.stream, reason=True))
    assert tidy(back.messages) == tuple(as_written(message) for message in tidy(of.messages))
    assert "\n\n".join(back.system) == "\n\n".join(of.system)
    for name in ("model", "stream", "max_tokens", "output", "effort", "temperature", "cache_key", "user"):
        assert getattr(back, name) == getattr(of, name)
    assert [(t.name, t.description, t.schema, t.custom, t.format) for t in back.tools] == [
        (t.name, t.description, t.schema, t.custom, t.format) for t in of.tools
    ]
    if of.tools:
        assert (back.tool_choice, back.forced_tool) == (of.tool_choice, of.forced_tool)
        assert back.parallel_tools == of.parallel_tools


@given(items, items, st.sampled_from([PLAIN, OPENAI]))
def test_a_longer_conversation_has_the_same_beginning(before: list[Json], after: list[Json], shape: Shape) -> None:
    def written(conversation: list[Json]) -> bytes:
        body = {"model": "m", "instructions": "i", "input": [text("user", "hi"), *conversation]}
        return RESPONSES.draft_body(ChatRequest(json.dumps(body).encode(), "m", True, None, ()), "m", shape, {})

    def declares(item: Json) -> bool:
        return "tools" in item

    before = [item for item in before if not declares(item)]
    after = [item for item in after if not declares(item)]
    start = [*before, text("user", "and?")]  # as a request ends; with what the model says to it no more is added to it
    assert written([*start, {"role": "assistant", "content": "x"}, *after]).startswith(written(start)[:-2])


@given(st.binary(max_size=100))
def test_any_bytes(data: bytes) -> None:
    with suppress(WireError):
        RESPONSES.draft_body(ChatRequest(data, "m", True, None, ()), "m", OPENAI, {})
