from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.wire import bodies, fixture, raw_bodies

from rlmc.domain.chat import ChatRequest, Media, Message, Opaque, Text, Thinking, ToolCall, ToolResult, ToolSpec
from rlmc.errors import UnknownShape, WireError
from rlmc.wire.anthropic.request import decode_request


def request(**fields: Any) -> ChatRequest:
    return decode_request(
        json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}], **fields}).encode()
    )


def parts(*blocks: dict[str, Any]) -> tuple[Any, ...]:
    return request(messages=[{"role": "user", "content": list(blocks)}]).messages[0].parts


def test_a_coding_agents_request() -> None:
    raw = fixture("request.json")
    decoded = decode_request(raw)
    assert decoded.raw is raw
    assert (decoded.model, decoded.stream, decoded.max_tokens) == ("claude-opus-5-5", True, 128_000)
    assert (decoded.thinking, decoded.safeguards, decoded.tool_choice) == ("adaptive", True, None)
    assert (decoded.cache_markers, decoded.cache_ttl) == (3, "1h")
    assert decoded.fields == set(json.loads(raw))
    assert decoded.system_head.split("\n")[1:] == ["You are a filler agent.", "Filler instructions."]
    assert decoded.messages == (
        Message("user", (Text("<system-reminder>\nfiller\n</system-reminder>"), Text("Rename the greeting."))),
        Message("system", (Text("# Environment\nfiller"),)),
        Message(
            "assistant",
            (
                Thinking(15),
                Text("I will look for a tool."),
                ToolCall("toolu_01", "ToolSearch", '{"query":"select:NotebookEdit","max_results":5}'),
            ),
        ),
        Message("user", (ToolResult("toolu_01", 0, False, references=("NotebookEdit",)), Text("Tool loaded."))),
        Message(
            "assistant",
            (
                Thinking(0),
                ToolCall("toolu_02", "Read", '{"limit":2.0,"file_path":"/p/hello.txt"}'),
                ToolCall("toolu_03", "Read", '{"file_path":"/p/none.txt"}'),
            ),
        ),
        Message(
            "user",
            (
                ToolResult("toolu_02", 8, False, text="1\thello\n"),
                ToolResult("toolu_03", 12, True, media=True, text="No such file"),
            ),
        ),
    )
    assert [(tool.name, tool.deferred, tool.read_only) for tool in decoded.tools] == [
        ("Read", False, True),
        ("ToolSearch", False, False),
        ("NotebookEdit", True, False),
        ("WebFetch", True, False),
    ]
    assert json.loads(decoded.tools[0].schema)["required"] == ["file_path"]


@pytest.mark.parametrize(
    ("tool", "spec"),
    [
        ({"name": "A", "input_schema": {}}, ToolSpec("A", b"{}")),
        ({"name": "A", "type": "custom", "input_schema": {}}, ToolSpec("A", b"{}")),
        ({"name": "bash", "type": "bash_20250124"}, ToolSpec("bash", b"")),
        ({"name": "e", "type": "text_editor_20250728"}, ToolSpec("e", b"")),
        ({"name": "memory", "type": "memory_20250818"}, ToolSpec("memory", b"")),
        ({"type": "computer_toolset_20260801"}, ToolSpec("computer_toolset_20260801", b"")),
        ({"type": "browser_toolset_20260801"}, ToolSpec("browser_toolset_20260801", b"")),
        ({"name": "w", "type": "web_search_20260318"}, ToolSpec("w", b"", server=True)),
        ({"name": "w", "type": "web_fetch_20260318"}, ToolSpec("w", b"", server=True)),
        ({"name": "c", "type": "code_execution_20260521"}, ToolSpec("c", b"", server=True)),
        ({"name": "s", "type": "tool_search_tool_bm25_20251119"}, ToolSpec("s", b"", server=True)),
        ({"name": "advisor", "type": "advisor_20260301"}, ToolSpec("advisor", b"", server=True)),
        ({"type": "mcp_toolset", "mcp_server_name": "x"}, ToolSpec("mcp_toolset", b"", server=True)),
        ({"name": "n", "type": "tool_of_tomorrow"}, ToolSpec("n", b"", server=True)),
    ],
)
def test_what_runs_where(tool: dict[str, Any], spec: ToolSpec) -> None:
    assert request(tools=[tool]).tools == (spec,)


def test_blocks_only_their_provider_can_read_are_opaque() -> None:
    kinds = [
        "server_tool_use",
        "web_search_tool_result",
        "compaction",
        "fallback",
        "search_result",
        "block_of_tomorrow",
    ]
    blocks = [{"type": kind, "content": [{"type": "web_search_result", "url": "u"}]} for kind in kinds]
    assert parts(*blocks) == tuple(Opaque(kind) for kind in kinds)


def test_media_of_both_kinds() -> None:
    assert parts({"type": "image", "source": {"type": "url"}}, {"type": "document", "source": {}}) == (
        Media("image"),
        Media("document"),
    )


def test_a_results_text_is_all_of_its_text() -> None:
    def text(content: object) -> str:
        (result,) = parts({"type": "tool_result", "tool_use_id": "t", "content": content})
        return str(result.text)

    blocks = [
        {"type": "text", "text": "a\n"},
        {"type": "tool_reference", "tool_name": "X"},
        {"type": "text", "text": "b"},
    ]
    assert text("a\nb") == "a\nb"
    assert text(blocks) == "a\n\nb"
    assert text([]) == text(None) == text({"type": "x"}) == ""


def test_the_schema_of_an_answer_is_its_raw_json() -> None:
    raw = b'{"model":"m","messages":[],"output_config":{"format":{"type":"json_schema","schema":{ "type": "object" }}}}'
    assert decode_request(raw).output_schema == b'{ "type": "object" }'
    assert request(output_config={"effort": "low"}).output_schema is None
    assert request(output_config={"format": {"type": "text"}}).output_schema == b"{}"
    assert request(output_format={"schema": {}}).output_schema == b"{}"


@pytest.mark.parametrize("kind", ["auto", "any", "tool", "none"])
def test_tool_choice(kind: str) -> None:
    free = request(tool_choice={"type": kind})
    single = request(tool_choice={"type": kind, "disable_parallel_tool_use": True})
    assert request(tool_choice={"type": kind, "disable_parallel_tool_use": False}).parallel_tools
    assert (free.tool_choice, free.parallel_tools) == (kind, True)
    assert (single.tool_choice, single.parallel_tools) == (kind, False)


@pytest.mark.parametrize("value", [None, []])
def test_empty_safeguards_ask_for_nothing(value: object) -> None:
    assert not request(safeguards=value).safeguards


def test_a_marker_without_a_lifetime_lives_five_minutes() -> None:
    assert request(cache_control={"type": "ephemeral"}).cache_ttl == "5m"
    assert request(cache_control={"type": "ephemeral", "ttl": "1h"}).cache_ttl == "1h"
    inner = {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}
    nested = request(messages=[{"role": "user", "content": [{"type": "tool_result", "content": [inner]}]}])
    assert (nested.cache_markers, nested.cache_ttl) == (1, "5m")
    assert (request().cache_markers, request().cache_ttl) == (0, None)


def test_chars_count_all_the_model_reads() -> None:
    body = {
        "system": "12345",
        "tools": [{"name": "abc", "description": "1234567", "input_schema": {}}],
        "messages": [
            {"role": "user", "content": "é" * 10},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "i", "name": "abc", "input": {"a": 1}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "i", "content": "1234"}]},
        ],
    }
    assert request(**body).chars == 5 + (3 + 7 + 2) + 10 + (3 + len('{"a": 1}')) + 4


def test_the_head_of_the_system_text_is_bounded() -> None:
    blocks = [{"type": "text", "text": letter * 3_000} for letter in "abc"]
    head = request(system=blocks).system_head
    assert len(head) == 4_000
    assert head == "a" * 3_000 + "\n" + "b" * 999
    assert request(system="x" * 9_000).system_head == "x" * 4_000


@pytest.mark.parametrize(
    "raw",
    [
        b"[]",
        b"1",
        b"{}",
        b'{"model":"m"}',
        b'{"model":1,"messages":[]}',
        b'{"model":"m","messages":{}}',
        b'{"model":"m","messages":[{"role":"tool","content":"x"}]}',
        b'{"model":"m","messages":[{"role":"user"}]}',
        b'{"model":"m","messages":[{"role":"user","content":[{"text":"x"}]}]}',
        b'{"model":"m","messages":[],"tool_choice":{"type":"perhaps"}}',
        b'{"model":"m","messages":[],"tool_choice":"auto"}',
    ],
)
def test_strange_shapes_are_no_errors_of_the_user(raw: bytes) -> None:
    with pytest.raises(UnknownShape):
        decode_request(raw)


def test_bytes_that_are_no_json_say_where() -> None:
    with pytest.raises(WireError, match="byte 18") as caught:
        decode_request(b'{"model":"m","mess')
    assert not isinstance(caught.value, UnknownShape)


@given(bodies)
def test_every_field_is_named_known_or_not(body: dict[str, Any]) -> None:
    decoded = decode_request(json.dumps(body).encode())
    assert decoded.fields == set(body)
    assert [message.role for message in decoded.messages] == [message["role"] for message in body["messages"]]


@given(raw_bodies)
def test_the_bytes_ride_along_untouched(raw: bytes) -> None:
    assert decode_request(raw).raw is raw


@given(st.one_of(st.binary(), raw_bodies.flatmap(lambda raw: st.integers(0, len(raw)).map(lambda n: raw[:n]))))
def test_any_bytes_are_a_request_or_a_wire_error(raw: bytes) -> None:
    with suppress(WireError):
        decode_request(raw)
