from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.wire import SECRET, Json, fixture, json_values, keys, raw_bodies, spelled

from rlmc.domain.chat import Text, ToolCall
from rlmc.domain.prompt import Attachment, OutputFormat, Prompt, PromptMessage, PromptPart, Result, ToolDefinition
from rlmc.errors import UnknownShape, WireError
from rlmc.wire.anthropic.prompt_read import read_prompt

PICTURE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}}


def read(**body: Any) -> Prompt:
    return read_prompt(json.dumps({"model": "m", "messages": [], **body}).encode())


def said(*blocks: Any, role: str = "user") -> tuple[PromptPart, ...]:
    content = list(blocks)
    (message,) = read(messages=[{"role": role, "content": content}]).messages
    return message.parts


def text(words: str) -> Json:
    return {"type": "text", "text": words}


def test_a_coding_agents_request_in_full() -> None:
    prompt = read_prompt(fixture("request.json"))
    assert (prompt.model, prompt.stream, prompt.max_tokens) == ("claude-opus-5-5", True, 128_000)
    assert prompt.system == ("You are a filler agent.", "Filler instructions.")
    assert [message.role for message in prompt.messages] == [
        *("user", "system", "assistant", "user", "assistant", "user"),
    ]
    assert prompt.messages[1].parts == (Text("# Environment\nfiller"),)
    assert prompt.messages[3].parts == (Result("toolu_01", (Text("Tool loaded: NotebookEdit"),)), Text("Tool loaded."))
    assert prompt.messages[4].parts[0] == ToolCall("toolu_02", "Read", '{"limit":2.0,"file_path":"/p/hello.txt"}')
    assert prompt.messages[5].parts[1].is_error  # type: ignore[union-attr]
    # Neither what runs at the provider nor what has not been loaded.
    assert [tool.name for tool in prompt.tools] == ["Read", "ToolSearch", "NotebookEdit"]
    assert (prompt.user, prompt.cache_key) == ('{"session_id":"filler"}', "filler")


def test_words_and_calls_and_results() -> None:
    assert read(messages=[{"role": "user", "content": "hi"}]).messages == (PromptMessage("user", (Text("hi"),)),)
    call = {"type": "tool_use", "id": "t", "name": "Read", "input": {"a": 1.0}}
    assert said(text("So."), call, role="assistant") == (Text("So."), ToolCall("t", "Read", '{"a": 1.0}'))
    result = {"type": "tool_result", "tool_use_id": "t"}
    assert said(text("x"), {**result, "content": "ok"}) == (Result("t", (Text("ok"),)), Text("x"))
    assert said(result) == said({**result, "content": None}) == (Result("t", ()),)
    assert said({**result, "content": [text("no"), PICTURE], "is_error": True}) == (
        Result("t", (Text("no"), Attachment("image", "image/png", data="aGk=")), is_error=True),
    )


@pytest.mark.parametrize(
    ("block", "part"),
    [
        (PICTURE, Attachment("image", "image/png", data="aGk=")),
        ({"type": "image", "source": {"type": "url", "url": "https://x/y"}}, Attachment("image", url="https://x/y")),
        (
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "application/pdf", "data": "aGk="},
                "title": "T",
            },
            Attachment("document", "application/pdf", data="aGk=", name="T"),
        ),
        (
            {"type": "document", "source": {"type": "url", "url": "https://x/y"}, "title": None},
            Attachment("document", url="https://x/y"),
        ),
        (
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "words"}},
            Attachment("document", "text/plain", text="words"),
        ),
        (
            {"type": "document", "source": {"type": "content", "content": [text("a"), PICTURE, text("b")]}},
            Attachment("document", "text/plain", text="a\n\nb"),
        ),
        (
            {"type": "document", "source": {"type": "content", "content": "words"}},
            Attachment("document", "text/plain", text="words"),
        ),
        ({"type": "search_result", "title": "t"}, Text("[search_result not shown]")),
        ({"type": "server_tool_use", "id": "s", "name": "w", "input": {}}, Text("[server_tool_use not shown]")),
    ],
)
def test_what_a_user_shows(block: Json, part: PromptPart) -> None:
    assert said(block) == (part,)
    assert said({"type": "tool_result", "tool_use_id": "t", "content": [block]}) == (Result("t", (part,)),)


@pytest.mark.parametrize("kind", ["image", "document"])
def test_a_file_at_anthropic_cannot_be_carried(kind: str) -> None:
    block = {"type": kind, "source": {"type": "file", "file_id": "file_1"}}
    with pytest.raises(WireError, match=f"{kind}.*file.*only Anthropic") as caught:
        said(block)
    assert "file_1" not in caught.value.message
    with pytest.raises(WireError):
        said({"type": "tool_result", "tool_use_id": "t", "content": [block]})


def test_what_only_its_writer_understands_stays_behind() -> None:
    thoughts = [{"type": "thinking", "thinking": "x", "signature": "y"}, {"type": "redacted_thinking", "data": "z"}]
    server = [{"type": "server_tool_use", "id": "s", "name": "w", "input": {}}, {"type": "compaction", "content": "c"}]
    assert said(*thoughts, *server, text("So."), role="assistant") == (Text("So."),)
    assert said(*thoughts, text("So.")) == (Text("So."),)


def test_the_attribution_is_no_instruction() -> None:
    line = "x-anthropic-billing-header: cc;"
    assert read(system=[text(line), text("Be brief.")]).system == ("Be brief.",)
    assert read(system=f"{line}\nBe brief.").system == ("Be brief.",)
    assert read(system=" \n").system == ()


def test_tools() -> None:
    schema = {"type": "object", "properties": {}}
    tools = [
        {"name": "A", "description": "a", "input_schema": schema, "strict": True, "cache_control": {}},
        {"name": "B", "type": "custom"},
        {"name": "C", "input_schema": schema, "defer_loading": True},
        {"name": "w", "type": "web_search_20260318"},
        {"name": "bash", "type": "bash_20250124"},
        {"type": "mcp_toolset", "mcp_server_name": "x"},
    ]
    a = ToolDefinition("A", "a", json.dumps(schema).encode(), strict=True)
    b = ToolDefinition("B", "", b'{"type":"object"}')
    assert read(tools=tools).tools == (a, b)
    loaded = {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "tool_reference", "tool_name": "C"}]}
    found = read(tools=tools, messages=[{"role": "user", "content": [loaded]}])
    assert [tool.name for tool in found.tools] == ["A", "B", "C"]
    assert found.messages[0].parts == (Result("t", (Text("Tool loaded: C"),)),)


@pytest.mark.parametrize(
    ("choice", "found"),
    [
        (None, (None, "", True)),
        ({"type": "auto"}, ("auto", "", True)),
        ({"type": "any", "disable_parallel_tool_use": True}, ("any", "", False)),
        ({"type": "tool", "name": "A"}, ("tool", "A", True)),
        ({"type": "tool", "name": "web_search"}, (None, "", True)),
        ({"type": "none"}, ("none", "", True)),
    ],
)
def test_the_choice_of_a_tool(choice: Json | None, found: tuple[str | None, str, bool]) -> None:
    prompt = read(tools=[{"name": "A"}], tool_choice=choice)
    assert (prompt.tool_choice, prompt.forced_tool, prompt.parallel_tools) == found


@pytest.mark.parametrize(
    ("body", "effort"),
    [
        ({}, None),
        ({"thinking": {"type": "adaptive"}}, None),
        ({"output_config": {"effort": "xhigh"}}, "xhigh"),
        ({"thinking": {"type": "disabled"}, "output_config": {"effort": "high"}}, "none"),
        ({"thinking": {"type": "between_tools"}}, "none"),
        ({"thinking": {"type": "enabled", "budget_tokens": 1_999}}, "low"),
        ({"thinking": {"type": "enabled", "budget_tokens": 2_000}}, "medium"),
        ({"thinking": {"type": "enabled", "budget_tokens": 16_000}}, "high"),
        ({"thinking": {"type": "enabled"}}, None),
    ],
)
def test_effort(body: Json, effort: str | None) -> None:
    assert read(**body).effort == effort


def test_fields_at_the_top() -> None:
    prompt = read(
        stream=True,
        max_tokens=5,
        stop_sequences=["x", "y"],
        temperature=0.50,
        top_p=1,
        top_k=None,
        output_config={"format": {"type": "json_schema", "schema": {"type": "object"}}},
        metadata={"user_id": "plain"},
        field_of_tomorrow=1,
    )
    assert (prompt.stream, prompt.max_tokens, prompt.stop) == (True, 5, ("x", "y"))
    assert (prompt.temperature, prompt.top_p, prompt.top_k) == (b"0.5", b"1", b"")
    assert prompt.output == OutputFormat(b'{"type": "object"}')
    assert (prompt.user, prompt.cache_key) == ("plain", None)
    assert read(output_format={"type": "json_schema", "schema": {}}).output == OutputFormat(b"{}")
    assert read(metadata={"user_id": '{"session_id": 5}'}).cache_key is None
    assert read(metadata={"user_id": "{broken"}).cache_key is None


@pytest.mark.parametrize(
    "body",
    [
        {"messages": [{"role": "tool", "content": "x"}]},
        {"messages": [{"role": "user"}]},
        {"tool_choice": {"type": "perhaps"}},
        {"tools": [5]},
    ],
)
def test_strange_shapes(body: Json) -> None:
    with pytest.raises(UnknownShape):
        read(**body)


@given(raw_bodies)
def test_no_reasoning_leaves(raw: bytes) -> None:
    assert SECRET not in repr(read_prompt(raw))


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A request with something in it exchanged for something else."""
    body = json.loads(draw(raw_bodies))
    places: list[tuple[Any, Any]] = []

    def walk(value: Any) -> None:
        for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
            places.append((value, key))
            walk(value[key])

    walk(body)
    holder, key = draw(st.sampled_from(places))
    if isinstance(holder, dict) and draw(st.booleans()):
        holder[draw(keys)] = holder.pop(key)
    else:
        holder[key] = draw(json_values)
    return draw(spelled(body))


@given(
    st.one_of(st.binary(), mutated(), raw_bodies.flatmap(lambda raw: st.integers(0, len(raw)).map(lambda n: raw[:n])))
)
def test_any_bytes_are_a_prompt_or_a_wire_error(raw: bytes) -> None:
    with suppress(WireError):
        read_prompt(raw)
