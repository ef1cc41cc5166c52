from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.wire import SECRET, Json, assistant_messages, bodies, fixture, messages, raw_bodies, spelled

from rlmc.domain.chat import ChatRequest
from rlmc.domain.shape import Shape
from rlmc.errors import WireError
from rlmc.wire.anthropic.draft import draft_body
from rlmc.wire.anthropic.request import decode_request

PLAIN = Shape()
CLAUDE = Shape(
    cache_control=True,
    system_in_messages=True,
    attribution=True,
    metadata=True,
    output_format=True,
    media=True,
    drop_fields=frozenset({"temperature"}),
)

shapes = st.builds(
    Shape,
    thinking_off=st.sampled_from(["disabled", "omit"]),
    cache_control=st.booleans(),
    system_in_messages=st.booleans(),
    attribution=st.booleans(),
    tool_choice=st.booleans(),
    metadata=st.booleans(),
    output_format=st.booleans(),
    media=st.booleans(),
    max_output=st.sampled_from([None, 8192]),
    drop_fields=st.sampled_from([frozenset(), frozenset({"temperature", "thinking"})]),
)


def draft(body: Json, shape: Shape = PLAIN) -> Json:
    request = decode_request(json.dumps({"model": "m", "messages": [], **body}).encode())
    result: Json = json.loads(draft_body(request, "draft-model", shape, {}))
    return result


def history(*said: Json, shape: Shape = PLAIN) -> list[Json]:
    result: list[Json] = draft({"messages": list(said)}, shape)["messages"]
    return result


def user(*blocks: Json | str) -> Json:
    return {"role": "user", "content": [text(b) if isinstance(b, str) else b for b in blocks]}


def text(words: str) -> Json:
    return {"type": "text", "text": words}


def system(words: str, **extra: Any) -> Json:
    return {"role": "system", "content": words, **extra}


def result(call: str, content: Any) -> Json:
    return {"type": "tool_result", "tool_use_id": call, "content": content}


def note(words: str) -> Json:
    return text(f"<system-reminder>\n{words}\n</system-reminder>")


IMAGE: Json = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}


def test_a_coding_agents_request_for_a_foreign_model() -> None:
    raw = fixture("request.json")
    found = draft_body(decode_request(raw), "deepseek-flash", PLAIN, {})
    assert b'"input":{"limit":2.0,"file_path":"/p/hello.txt"}' in found
    body = json.loads(found)
    assert {name: value for name, value in body.items() if name not in {"messages", "tools", "system"}} == {
        "model": "deepseek-flash",
        "max_tokens": 128_000,
        "stream": True,
        "thinking": {"type": "disabled"},
    }
    assert body["system"] == [text("You are a filler agent."), text("Filler instructions.")]
    assert [(tool["name"], sorted(tool)) for tool in body["tools"]] == [
        (name, ["description", "input_schema", "name"]) for name in ("Read", "ToolSearch", "NotebookEdit")
    ]
    assert body["messages"] == [
        user("<system-reminder>\nfiller\n</system-reminder>", "Rename the greeting.", note("# Environment\nfiller")),
        {
            "role": "assistant",
            "content": [
                text("I will look for a tool."),
                {
                    "type": "tool_use",
                    "id": "toolu_01",
                    "name": "ToolSearch",
                    "input": {"query": "select:NotebookEdit", "max_results": 5},
                },
            ],
        },
        user(result("toolu_01", "Tool loaded: NotebookEdit"), "Tool loaded."),
        {
            "role": "assistant",
            "content": [
                {
                    "type": "tool_use",
                    "id": "toolu_02",
                    "name": "Read",
                    "input": {"limit": 2.0, "file_path": "/p/hello.txt"},
                },
                {"type": "tool_use", "id": "toolu_03", "name": "Read", "input": {"file_path": "/p/none.txt"}},
            ],
        },
        user(
            result("toolu_02", "1\thello\n"),
            {**result("toolu_03", [text("No such file"), text("[image not shown]")]), "is_error": True},
        ),
    ]


def test_the_same_request_for_a_claude() -> None:
    body = json.loads(draft_body(decode_request(fixture("request.json")), "claude-haiku-5-5", CLAUDE, {}))
    assert body["metadata"] == {"user_id": '{"session_id":"filler"}'}
    assert body["system"][0]["text"].startswith("x-anthropic-billing-header")
    assert [block.get("cache_control") for block in body["system"]] == [
        None,
        {"type": "ephemeral"},
        {"type": "ephemeral"},
    ]
    assert body["messages"][1] == {"role": "system", "content": [text("# Environment\nfiller")]}
    last = body["messages"][-1]["content"][-1]
    assert last["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    assert last["content"][1] == IMAGE
    assert not body.keys() & {"context_management", "safeguards", "output_config"}


def test_reasoning_that_was_all_a_message_had_takes_the_message_along() -> None:
    thought = {"role": "assistant", "content": [{"type": "thinking", "thinking": "x", "signature": "y"}]}
    assert history(user("a"), thought, user("b")) == [user("a"), user("b")]
    assert history({**thought, "role": "user"}) == []


def test_operator_messages_are_folded_into_the_users_words() -> None:
    said = {"role": "assistant", "content": "ok"}
    folded = history(user("a"), system("one", output_config={}), said, system("two"), said, user("b"))
    assert folded == [
        user("a", note("one")),
        {"role": "assistant", "content": [text("ok")]},
        user(note("two")),
        {"role": "assistant", "content": [text("ok")]},
        user("b"),
    ]
    assert history(system("one", clear_at="next_user_message"), shape=CLAUDE) == [
        {"role": "system", "content": [text("one")]}
    ]
    assert history(user("a"), {"role": "system", "content": []}) == [user("a")]


def test_empty_text_goes_and_results_stay_first() -> None:
    assert history(user("", " \n", "x", result("t", ""))) == [user(result("t", ""), "x")]
    assert history(user("", "\u3000", "\t\x85")) == []
    assert history(user("\u3000x", "\tx")) == [user("\u3000x", "\tx")]


def test_a_plain_string_and_one_text_block_become_the_same() -> None:
    assert history({"role": "user", "content": "a"}) == history(user("a"))
    assert history(user(result("t", "a"))) == history(user(result("t", [text("a")])))


def test_media_are_shown_only_to_who_reads_them() -> None:
    document = {"type": "document", "source": {"type": "text"}, "title": "T", "citations": {"enabled": True}}
    assert history(user(IMAGE, document)) == [user("[image not shown]", "[document not shown]")]
    assert history(user(IMAGE, document), shape=CLAUDE) == [
        user(IMAGE, {"type": "document", "source": {"type": "text"}, "title": "T"})
    ]


def test_blocks_only_their_provider_can_read_are_not_sent() -> None:
    strange = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}
    said = {"role": "assistant", "content": [strange, text("ok")]}
    assert history(user("a", {"type": "search_result"}), said) == [
        user("a", "[search_result not shown]"),
        {"role": "assistant", "content": [text("ok")]},
    ]


@pytest.mark.parametrize(
    ("tool", "kept"),
    [
        ({"name": "A", "input_schema": {}, "type": "custom", "strict": True}, {"name": "A", "input_schema": {}}),
        ({"name": "A", "defer_loading": True}, None),
        ({"name": "A", "defer_loading": False}, {"name": "A"}),
        ({"name": "w", "type": "web_search_20260318"}, None),
        ({"type": "mcp_toolset", "mcp_server_name": "x"}, None),
        ({"name": "bash", "type": "bash_20250124", "strict": True}, {"name": "bash", "type": "bash_20250124"}),
    ],
)
def test_tools(tool: Json, kept: Json | None) -> None:
    assert draft({"tools": [tool], "tool_choice": {"type": "auto"}}).get("tools") == (kept and [kept])
    assert ("tool_choice" in draft({"tools": [tool], "tool_choice": {"type": "auto"}})) == (kept is not None)


def test_top_level_fields_follow_the_shape() -> None:
    body = {
        "max_tokens": 64_000,
        "temperature": 0.5,
        "tools": [{"name": "A"}],
        "tool_choice": {"type": "auto"},
        "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {}}},
        "cache_control": {"type": "ephemeral"},
        "stop_sequences": ["x"],
        "mcp_servers": [],
        "field_of_tomorrow": 1,
    }
    assert draft(body, Shape(thinking_off="omit", tool_choice=False, max_output=8192)) == {
        "model": "draft-model",
        "max_tokens": 8192,
        "stream": True,
        "temperature": 0.5,
        "stop_sequences": ["x"],
        "tools": [{"name": "A"}],
        "messages": [],
    }
    claude = draft(body, CLAUDE)
    assert claude["output_config"] == {"format": {"type": "json_schema", "schema": {}}}
    assert claude["cache_control"] == {"type": "ephemeral"}
    assert "temperature" not in claude


def test_an_attribution_line_in_front_of_other_text_goes_alone() -> None:
    line = "x-anthropic-billing-header: cc;"
    assert draft({"system": f"{line}\nBe brief."})["system"] == [text("Be brief.")]
    assert "system" not in draft({"system": [text(line)]})


def test_at_most_four_markers_and_the_last_ones_stay() -> None:
    marked = [{**text(str(n)), "cache_control": {"type": "ephemeral"}} for n in range(6)]
    body = {"system": marked[:2], "messages": [user(*marked[2:])]}
    found = draft(body, CLAUDE)
    assert ["cache_control" in block for block in found["system"]] == [False, False]
    assert all("cache_control" in block for block in found["messages"][0]["content"])
    found = draft({**body, "cache_control": {"type": "ephemeral"}}, CLAUDE)
    assert [("cache_control" in block) for block in found["messages"][0]["content"]] == [False, True, True, True]


@given(bodies.flatmap(spelled), shapes)
def test_no_reasoning_of_anybody_is_ever_in_a_draft(raw: bytes, shape: Shape) -> None:
    found = draft_body(decode_request(raw), "d", shape, {})
    assert SECRET.encode() not in found
    blocks = [block for message in json.loads(found)["messages"] for block in message["content"]]
    assert not {block["type"] for block in blocks} & {"thinking", "redacted_thinking"}


@given(raw_bodies, shapes)
def test_a_draft_holds_only_what_is_known_to_be_safe(raw: bytes, shape: Shape) -> None:
    body = json.loads(draft_body(decode_request(raw), "d", shape, {}))
    assert body.keys() <= {
        *("model", "messages", "system", "tools", "tool_choice", "max_tokens", "stop_sequences", "stream", "thinking"),
        *("metadata", "output_config", "cache_control", "temperature", "top_p", "top_k"),
    }
    assert not body.keys() & shape.drop_fields
    marks = json.dumps(body).count('"cache_control": {"type"')
    assert marks <= (4 if shape.cache_control else 0)
    for message in body["messages"]:
        assert message.keys() == {"role", "content"}
        assert message["content"]
        assert message["role"] != "system" or shape.system_in_messages
        kinds = [block["type"] for block in message["content"]]
        assert kinds == sorted(kinds, key=lambda kind: kind != "tool_result") or message["role"] != "user"
        assert all(block["type"] != "text" or block["text"].strip() for block in message["content"])
    decode_request(json.dumps(body).encode())


@given(messages, assistant_messages, messages, shapes.filter(lambda shape: not shape.cache_control))
def test_a_longer_conversation_begins_with_the_same_bytes(
    before: list[Json], turn: Json, after: list[Json], shape: Shape
) -> None:
    turn = {**turn, "content": [text("Done."), *([] if isinstance(turn["content"], str) else turn["content"])]}
    short = draft_body(decode_request(json.dumps({"model": "m", "messages": before}).encode()), "d", shape, {})
    longer = draft_body(
        decode_request(json.dumps({"model": "m", "messages": [*before, turn, *after]}).encode()), "d", shape, {}
    )
    assert longer.startswith(short.removesuffix(b"]}"))


@given(raw_bodies.flatmap(lambda raw: st.integers(0, len(raw)).map(lambda n: raw[:n])))
def test_any_bytes_are_a_draft_or_a_wire_error(raw: bytes) -> None:
    with suppress(WireError):
        draft_body(ChatRequest(raw, "m", True, None, ()), "d", PLAIN, {})


@pytest.mark.parametrize(
    ("role", "block"),
    [
        ("assistant", {"type": "tool_use", "name": "Read", "input": {}}),
        ("assistant", {"type": "tool_use", "id": "t", "input": {}}),
        ("assistant", {"type": "tool_use", "id": "t", "name": "Read"}),
        ("user", {"type": "tool_result", "content": "x"}),
        ("user", {"type": "image"}),
    ],
)
def test_a_block_that_lacks_what_it_is_about_makes_no_draft(role: str, block: Json) -> None:
    with pytest.raises(WireError, match="holds a block without"):
        draft({"messages": [{"role": role, "content": [block]}]}, CLAUDE)


def test_a_schema_that_is_no_text_makes_no_draft() -> None:
    raw = b'{"model":"m","messages":[],"output_config":{"format":{"type":"json_schema","schema":{"t\xf9":1}}}}'
    with pytest.raises(WireError, match="UTF-8"):
        draft_body(decode_request(raw), "d", PLAIN, {})


def test_a_provider_without_output_formats_is_told_of_the_schema_in_words() -> None:
    body = {"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}}
    told = draft({"system": "Be brief.", **body})
    assert "output_config" not in told
    assert told["system"][0] == text("Be brief.")
    assert '{"type": "object"}' in told["system"][1]["text"]
    assert draft({"system": "Be brief.", **body}, CLAUDE)["system"] == [text("Be brief.")]


# --- reasoning that comes back -----------------------------------------------------------------------------------

THOUGHT = b'{"type":"thinking","thinking":"Hm.","signature":"c2ln"}'
ALWAYS = Shape(reasoning_back="always", cache_control=True)


def call(id_: str) -> Json:
    return {"type": "tool_use", "id": id_, "name": "Read", "input": {}, "cache_control": {"type": "ephemeral"}}


def recalled(shape: Shape, *ids: str) -> list[list[str]]:
    said = [
        user("a"),
        {"role": "assistant", "content": [text("One."), call("t1"), call("t2")]},
        user(result("t1", ""), result("t2", "")),
        {"role": "assistant", "content": [call("t3")]},
        user(result("t3", "")),
        {"role": "assistant", "content": "Done."},
        user("b"),
    ]
    request = decode_request(json.dumps({"model": "m", "messages": said}).encode())
    body = json.loads(draft_body(request, "d", shape, dict.fromkeys(ids, (THOUGHT,))))
    return [[block["type"] for block in m["content"]] for m in body["messages"] if m["role"] == "assistant"]


def test_who_cannot_but_think_gets_its_own_thoughts_back_before_the_first_call() -> None:
    assert recalled(ALWAYS, "t1", "t2", "t3") == [
        ["text", "thinking", "tool_use", "tool_use"],
        ["thinking", "tool_use"],
        ["text"],
    ]
    assert recalled(ALWAYS, "t3") == [["text", "tool_use", "tool_use"], ["thinking", "tool_use"], ["text"]]
    for back in ("no", "if_all"):
        shape = Shape(reasoning_back=back)  # type: ignore[arg-type]  # one of the three
        assert recalled(shape, "t1", "t2", "t3") == [["text", "tool_use", "tool_use"], ["tool_use"], ["text"]]


def test_what_an_endpoint_wants_sent_with_every_request_and_to_think_less() -> None:
    shape = Shape(extra={"lane": "slow", "stream": False}, reasoning_off={"output_config": {"effort": "low"}})
    body = draft({"output_config": {"effort": "high"}}, shape)
    assert (body["lane"], body["stream"], body["output_config"]) == ("slow", True, {"effort": "low"})


@given(messages, assistant_messages, messages)
def test_what_came_back_once_stays(before: list[Json], turn: Json, after: list[Json]) -> None:
    recall = {"toolu_1": (THOUGHT,), "call_x": (THOUGHT, THOUGHT)}
    shape = Shape(reasoning_back="always")
    turn = {**turn, "content": [text("Done."), *([] if isinstance(turn["content"], str) else turn["content"])]}
    short, longer = (
        draft_body(decode_request(json.dumps({"model": "m", "messages": said}).encode()), "d", shape, recall)
        for said in (before, [*before, turn, *after])
    )
    assert longer.startswith(short.removesuffix(b"]}"))
